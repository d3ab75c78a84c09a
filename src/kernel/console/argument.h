/* argument.h - TEXT as commands take it: every byte, or base64 for those that cannot be typed. */
#ifndef KERNEL_CONSOLE_ARGUMENT_H
#define KERNEL_CONSOLE_ARGUMENT_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes "base64:..." in place; other text stays. false after a reported error (E-CON-04). */
bool argument_text(char **text, size_t *length);
#endif
