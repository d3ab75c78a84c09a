/* record.h - records from a program at the serial line, taken out of what is typed there: 0x1E, a
 * letter, a blank, printable ASCII, LF. docs/formats.md lists them. Whatever else begins with 0x1E
 * is typed. */
#ifndef KERNEL_CONSOLE_RECORD_H
#define KERNEL_CONSOLE_RECORD_H

#include <stdint.h>

#define RECORD_MAX 4224u                       /* bytes between 0x1E and LF */
#define RECORD_SILENCE_NS (10ull * 1000000000) /* behind so much of it none goes on */

/* A byte that has come from the line. What is whole goes to whom it is for; what is damaged, or
 * comes late, is dropped up to its LF and counted in a warning (E-JIT-55). Ctrl-C ends a record and
 * is typed. */
void record_feed(uint8_t byte);
/* The next byte that is no part of a record; -1: there is none. To be emptied before each feed. */
int record_typed(void);
/* So long the console has waited in vain. */
void record_silence(uint64_t ns);
#endif
