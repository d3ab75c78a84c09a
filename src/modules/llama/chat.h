/* chat.h - chat templates that are recognised. */
#ifndef LLAMA_CHAT_H
#define LLAMA_CHAT_H

#include "vocab.h"

struct chat_template; /* chat.c */

/* Reads tokenizer.chat_template. *out NULL: there is none, or none of those that are known; the
 * user's text goes as it is. */
int chat_recognise(const struct gguf *g, const struct chat_template **out, struct fluid_error *err);

const char *chat_name(const struct chat_template *chat); /* "chatml", "none" */

/* The token that ends a turn, or VOCAB_NONE. */
int32_t chat_end_of_turn(const struct chat_template *chat, const struct vocab *v);

#endif
