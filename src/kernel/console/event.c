/* event.c - one JSON event at a time, written straight to the serial port through a small buffer.
 */
#include "console/event.h"

#include "console/base64.h"
#include "console/console.h"
#include "console/utf8.h"
#include "dev/serial.h"
#include "fluid/engine.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"

#define RECORD_SEPARATOR 0x1e

bool event_enabled = true;
static bool open;       /* between event_begin and event_end of an event that is written */
static bool need_comma; /* the next key or array element is not the first */
static char buffer[512];
static size_t used;

static void put(const char *bytes, size_t n) {
    while (n > 0) {
        size_t part = sizeof(buffer) - used < n ? sizeof(buffer) - used : n;
        memcpy(buffer + used, bytes, part);
        used += part;
        bytes += part;
        n -= part;
        if (used == sizeof(buffer)) {
            serial_write(buffer, used);
            used = 0;
        }
    }
}

static void put_text(const char *text) {
    put(text, strlen(text));
}

/* JSON string (RFC 8259 section 7); a byte that is not UTF-8 becomes U+FFFD. */
static void put_quoted(const char *bytes, size_t n) {
    put("\"", 1);
    for (size_t i = 0; i < n;) {
        int length = utf8_sequence(bytes + i, n - i);
        uint8_t c = (uint8_t)bytes[i];
        char escape[8];

        if (length <= 0) {
            put("\\ufffd", 6);
            i++;
        } else if (c == '"' || c == '\\') {
            put(c == '"' ? "\\\"" : "\\\\", 2);
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            ksnprintf(escape, sizeof(escape), "\\u%04x", c);
            put(escape, 6);
            i++;
        } else {
            put(bytes + i, (size_t)length);
            i += (size_t)length;
        }
    }
    put("\"", 1);
}

static void put_base64(const char *bytes, size_t n) {
    put("\"", 1);
    for (size_t i = 0; i < n; i += 3) {
        char group[4];
        base64_encode3((const uint8_t *)bytes + i, n - i < 3 ? n - i : 3, group);
        put(group, 4);
    }
    put("\"", 1);
}

static bool put_key(const char *key) {
    if (!open)
        return false;
    if (need_comma)
        put(",", 1);
    need_comma = true;
    if (key) {
        put_quoted(key, strlen(key));
        put(":", 1);
    }
    return true;
}

void event_begin(const char *ev) {
    char separator = RECORD_SEPARATOR;

    KASSERT(!open);
    open = event_enabled;
    need_comma = false;
    if (!open)
        return;
    put(&separator, 1);
    put("{", 1);
    event_string("ev", ev);
}

void event_end(void) {
    if (!open)
        return;
    put("}\n", 2);
    serial_write(buffer, used);
    used = 0;
    open = false;
}

void event_abandon(void) {
    if (!open)
        return;
    serial_write(buffer, used);
    serial_write("\n", 1);
    used = 0;
    open = false;
}

void event_string(const char *key, const char *value) {
    if (!put_key(key))
        return;
    if (value)
        put_quoted(value, strlen(value));
    else
        put_text("null");
}

void event_bytes(const char *key, const char *b64_key, const char *bytes, size_t n) {
    bool valid = utf8_valid(bytes, n);

    if (!put_key(valid ? key : b64_key))
        return;
    if (valid)
        put_quoted(bytes, n);
    else
        put_base64(bytes, n);
}

void event_base64(const char *key, const char *bytes, size_t n) {
    if (put_key(key))
        put_base64(bytes, n);
}

void event_u64(const char *key, uint64_t value) {
    char digits[24];

    if (!put_key(key))
        return;
    ksnprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    put_text(digits);
}

void event_i64(const char *key, int64_t value) {
    char digits[24];

    if (!put_key(key))
        return;
    ksnprintf(digits, sizeof(digits), "%lld", (long long)value);
    put_text(digits);
}

void event_null(const char *key) {
    if (put_key(key))
        put_text("null");
}

void event_micro(const char *key, int64_t micro) {
    char digits[32];
    uint64_t size = micro < 0 ? 0 - (uint64_t)micro : (uint64_t)micro;

    if (!put_key(key))
        return;
    ksnprintf(digits, sizeof(digits), "%s%llu.%06llu", micro < 0 ? "-" : "",
              (unsigned long long)(size / ENGINE_MICRO), (unsigned long long)(size % ENGINE_MICRO));
    put_text(digits);
}

static void begin_inside(const char *key, const char *bracket) {
    if (!put_key(key))
        return;
    put(bracket, 1);
    need_comma = false;
}

static void end_inside(const char *bracket) {
    if (!open)
        return;
    put(bracket, 1);
    need_comma = true;
}

void event_array_begin(const char *key) {
    begin_inside(key, "[");
}

void event_array_end(void) {
    end_inside("]");
}

void event_object_begin(const char *key) {
    begin_inside(key, "{");
}

void event_object_end(void) {
    end_inside("}");
}

static void report(const char *ev, const char *label, enum vga_style style,
                   const struct fluid_error *e) {
    event_begin(ev);
    event_string("code", e->code);
    event_string("text", e->text);
    event_end();
    console_style(style);
    kprintf("%s %s: %s\n", label, e->code, e->text);
    console_style(VGA_TEXT);
}

void report_warn(const struct fluid_error *e) {
    report("warn", "warning", VGA_WARNING, e);
}

void report_error(const struct fluid_error *e) {
    report("error", "error", VGA_ERROR, e);
}
