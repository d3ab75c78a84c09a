/* history.h - lines that were typed before, in bounded memory: the oldest make room. */
#ifndef KERNEL_CONSOLE_HISTORY_H
#define KERNEL_CONSOLE_HISTORY_H

#include <stddef.h>

/* Keeps a line unless it is empty or equal to the one kept last. */
void history_add(const char *text, size_t length);
/* The age-th line (0: the last one) and its length, NULL when there is none so old. Valid until the
 * next history_add. */
const char *history_get(size_t age, size_t *length);
#endif
