/* serial_records.c - what a host says in records: that it is there or leaves, and its answer to the
 * one request that is going on. Nothing in them is believed before it was checked. */
#include "jit/serial_exchange.h"

#include <stdbool.h>

#include "console/base64.h"
#include "console/number.h"
#include "jit/compiler.h"
#include "jit/compiler_serial.h"
#include "lib/string.h"
#include "load/sha256.h"
#include "mm/heap.h"

#define SESSION_SIZE 8u /* hexadecimal digits */

struct exchange serial_asked;
static char session[SESSION_SIZE]; /* of the host that has announced itself last */
static struct compiler serial = {.name = "serial", .compile = serial_compile};

void serial_forget(void) {
    if (compiler_current() == &serial)
        compiler_set(NULL);
}

/* One field of a record. */
struct field {
    char *text;
    size_t length;
};

/* Splits at single blanks; false unless there are exactly count, none of them empty. */
static bool split(char *record, size_t n, struct field *fields, unsigned count) {
    size_t at = 0;

    for (unsigned i = 0; i < count; i++) {
        size_t start = at;
        while (at < n && record[at] != ' ')
            at++;
        fields[i] = (struct field){record + start, at - start};
        if (at == start || (at == n) != (i == count - 1))
            return false;
        at++;
    }
    return true;
}

static bool is_hex(const struct field *field) {
    for (size_t i = 0; i < field->length; i++) {
        char c = field->text[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

/* The first digits of a SHA-256. */
void serial_checksum(const void *bytes, size_t n, char check[COMPILER_SERIAL_CHECK_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_SIZE];
    struct sha256 state;

    sha256_init(&state);
    sha256_update(&state, bytes, n);
    sha256_final(&state, digest);
    for (size_t i = 0; i < COMPILER_SERIAL_CHECK_SIZE / 2; i++) {
        check[2 * i] = digits[digest[i] >> 4];
        check[2 * i + 1] = digits[digest[i] & 15];
    }
}

static bool checked(const void *bytes, size_t n, const char check[COMPILER_SERIAL_CHECK_SIZE]) {
    char found[COMPILER_SERIAL_CHECK_SIZE];

    serial_checksum(bytes, n, found);
    return memcmp(found, check, sizeof(found)) == 0;
}

/* "H TOOLCHAIN SESSION CHECK": a host is there. What was asked of another one is lost. */
static bool take_host(char *record, size_t n) {
    struct field f[4];
    size_t covered;

    if (!split(record, n, f, 4) || f[3].length != COMPILER_SERIAL_CHECK_SIZE)
        return false;
    covered = (size_t)(f[3].text - 1 - record);
    if (f[1].length >= COMPILER_TOOLCHAIN_SIZE || f[2].length != SESSION_SIZE || !is_hex(&f[1]) ||
        !checked(record, covered, f[3].text))
        return false;
    if (compiler_current() && compiler_current() != &serial)
        return true;
    if (serial_asked.open && memcmp(session, f[2].text, SESSION_SIZE) != 0)
        serial_asked.outcome = GONE;
    memcpy(session, f[2].text, SESSION_SIZE);
    memcpy(serial.toolchain, f[1].text, f[1].length);
    serial.toolchain[f[1].length] = '\0';
    compiler_set(&serial);
    return true;
}

/* "B SESSION": it leaves. */
static bool take_bye(char *record, size_t n) {
    struct field f[2];

    if (!split(record, n, f, 2) || f[1].length != SESSION_SIZE ||
        memcmp(session, f[1].text, SESSION_SIZE) != 0)
        return false;
    if (serial_asked.open)
        serial_asked.outcome = GONE;
    serial_forget();
    return true;
}

static bool read_number(const struct field *field, uint64_t max, uint64_t *value) {
    return number_u64(field->text, field->length, max, value);
}

/* Is this the number of the request that has no answer yet? */
static bool is_asked(const struct field *field) {
    uint64_t id;

    return read_number(field, UINT32_MAX, &id) && serial_asked.open && id == serial_asked.id &&
           serial_asked.outcome == GOING_ON;
}

/* Or of the one before, which needs nothing any more? A part that is late was asked for twice. */
static bool is_over(const struct field *field) {
    uint64_t id;

    return read_number(field, UINT32_MAX, &id) && id == serial_asked.id && !is_asked(field);
}

/* "E ID WORDS": there is no answer. */
static bool take_refusal(char *record, size_t n) {
    struct field f[2];
    size_t head = 2, length;

    while (head < n && record[head] != ' ')
        head++;
    if (head + 1 >= n || !split(record, head, f, 2) || !is_asked(&f[1]))
        return false;
    length = n - head - 1 < SERIAL_TEXT_SIZE - 1 ? n - head - 1 : SERIAL_TEXT_SIZE - 1;
    memcpy(serial_asked.text, record + head + 1, length);
    serial_asked.text[length] = '\0';
    serial_asked.outcome = REFUSED;
    return true;
}

/* The first part tells how much there is in all. */
static bool begin_answer(uint64_t size, const struct field *check) {
    if (serial_asked.bytes)
        return serial_asked.size == size &&
               memcmp(serial_asked.check, check->text, check->length) == 0;
    serial_asked.bytes = kmalloc(size);
    serial_asked.size = size;
    serial_asked.got = 0;
    memcpy(serial_asked.check, check->text, check->length);
    if (!serial_asked.bytes)
        serial_asked.outcome = NO_MEMORY;
    return true;
}

/* "R ID SIZE CHECK OFFSET BASE64": a part of the answer. One that has come before was asked for
 * twice. */
static bool take_part(char *record, size_t n) {
    struct field f[6];
    uint64_t size, offset;
    int64_t got;

    if (!split(record, n, f, 6))
        return false;
    if (is_over(&f[1]))
        return true;
    if (!is_asked(&f[1]) || !read_number(&f[2], COMPILER_SERIAL_ANSWER_MAX, &size) || size == 0 ||
        f[3].length != COMPILER_SERIAL_CHECK_SIZE || !is_hex(&f[3]) ||
        !read_number(&f[4], size - 1, &offset) || offset > serial_asked.got)
        return false;
    got = base64_decode(f[5].text, f[5].length);
    if (got <= 0 || (uint64_t)got > size - offset || !begin_answer(size, &f[3]))
        return false;
    if (offset < serial_asked.got || serial_asked.outcome != GOING_ON)
        return true;
    memcpy(serial_asked.bytes + offset, f[5].text, (size_t)got);
    serial_asked.got += (size_t)got;
    if (serial_asked.got == serial_asked.size)
        serial_asked.outcome =
            checked(serial_asked.bytes, serial_asked.size, serial_asked.check) ? WHOLE : DAMAGED;
    return true;
}

bool compiler_serial_take(char *record, size_t n) {
    switch (record[0]) {
    case 'H':
        return take_host(record, n);
    case 'B':
        return take_bye(record, n);
    case 'E':
        return take_refusal(record, n);
    case 'R':
        return take_part(record, n);
    default:
        return false;
    }
}
