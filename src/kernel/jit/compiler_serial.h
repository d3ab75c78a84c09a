/* compiler_serial.h - a compiler on a host: `scons run|chat compile=1` at the other end of the
 * serial line. It is found when it announces itself and this machine has none of its own. Requests
 * and answers travel as events and records; docs/formats.md has their fields, and
 * site_scons/fluid/compile_server.py is the other end. */
#ifndef KERNEL_JIT_COMPILER_SERIAL_H
#define KERNEL_JIT_COMPILER_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

#define COMPILER_SERIAL_EVENT_BYTES 768u   /* of a request in one event: 0.1 s at 115200 Bd */
#define COMPILER_SERIAL_RECORD_BYTES 3072u /* of an answer in one record */
#define COMPILER_SERIAL_ANSWER_MAX (16u << 20)
#define COMPILER_SERIAL_CPU_SECONDS 120u  /* more of it no host gives a request */
#define COMPILER_SERIAL_SPARE_SECONDS 30u /* from there to giving up */
#define COMPILER_SERIAL_CHECK_SIZE 16u    /* hexadecimal digits: the first of the SHA-256 */

/* A record, its letter first, NUL behind its n bytes; overwrites it. False: it is damaged, or
 * belongs to nothing that is going on. */
bool compiler_serial_take(char *record, size_t n);
#endif
