/* chat.h - the conversation with the model. */
#ifndef KERNEL_CONSOLE_CHAT_H
#define KERNEL_CONSOLE_CHAT_H

#include <stddef.h>
#include <stdint.h>

/* Says one message and streams the reply. */
void chat_say(const char *text, size_t length);
/* The KV cache was used for something else (/score, /complete): the conversation's tokens are kept
 * and evaluated again before the next reply. */
void chat_cache_lost(void);
/* The seed was set: the next reply is its first draw. */
void chat_draw_anew(void);
/* Tokens of the conversation so far. */
uint32_t chat_length(void);
#endif
