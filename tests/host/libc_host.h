/* libc_host.h - parts of libc_host: comparisons with the process's own C library, and mathematics.
 */
#ifndef LIBC_HOST_H
#define LIBC_HOST_H

#include <stdint.h>

uint32_t random_below(uint32_t limit);
void differs(const char *what, const char *details); /* prints and ends the process with 1 */

/* One random call each. */
void differ_memory(void);
void differ_text(void);
void differ_numbers(void);
void differ_sorting(void);
void differ_format(void);

int run_math(const char *name); /* status of the process */

#endif
