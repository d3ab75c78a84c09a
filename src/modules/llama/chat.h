/* chat.h - chat templates that are recognised. */
#ifndef LLAMA_CHAT_H
#define LLAMA_CHAT_H

#include "vocab.h"

enum chat_template {
    CHAT_NONE,           /* the user's text as it is */
    CHAT_CHATML,         /* <|im_start|>role\n ... <|im_end|>\n */
    CHAT_CHATML_SMOLLM2, /* and a default system message */
};

/* Reads tokenizer.chat_template. */
int chat_recognise(const struct gguf *g, enum chat_template *out, struct fluid_error *err);

const char *chat_name(enum chat_template chat);

/* The token that ends a turn, or VOCAB_NONE. */
int32_t chat_end_of_turn(enum chat_template chat, const struct vocab *v);

#endif
