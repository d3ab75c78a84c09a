/* event.h - machine-readable events on the serial line: 0x1E, one JSON object, LF (RFC 7464). One
 * event is built at a time; it is written atomically by event_end. Silent while events are off. The
 * fields of each event are listed in docs/formats.md. */
#ifndef KERNEL_CONSOLE_EVENT_H
#define KERNEL_CONSOLE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fluid/kapi.h"

extern bool event_enabled; /* /set events; takes effect with the next event */
void event_begin(const char *ev);
/* A NULL value becomes null; bytes that are not UTF-8 are replaced. */
void event_string(const char *key, const char *value);
/* key when the bytes are valid UTF-8, else b64_key with base64. */
void event_bytes(const char *key, const char *b64_key, const char *bytes, size_t n);
void event_base64(const char *key, const char *bytes, size_t n);
void event_u64(const char *key, uint64_t value);
void event_i64(const char *key, int64_t value);
void event_null(const char *key);
void event_micro(const char *key, int64_t micro); /* value / 1e6 as a JSON number */
void event_array_begin(const char *key);          /* NULL key inside an array; arrays nest */
void event_array_end(void);
void event_object_begin(const char *key); /* NULL key inside an array */
void event_object_end(void);
void event_end(void);
/* A panic in the middle of an event: ends its line, so that the panic event can be read. */
void event_abandon(void);

/* A warn or error event and the same sentence for people: "warning E-MOD-04: ...". */
void report_warn(const struct fluid_error *e);
void report_error(const struct fluid_error *e);
#endif
