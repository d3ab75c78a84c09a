/* elf_note.c - program headers and notes of an ELF64 file (System V ABI, chapter 5, "Note
 * Section"). Every offset is from the file and checked. */
#include "jit/elf_note.h"

#include <stdbool.h>

#include "lib/printf.h"
#include "lib/string.h"

#define PT_NOTE 4u
#define NT_GNU_BUILD_ID 3u
#define PROGRAM_HEADER_SIZE 56u

struct file {
    const uint8_t *bytes;
    size_t size;
};

/* A little-endian number; 0 when it is not all in the file. */
static uint64_t number(const struct file *f, uint64_t at, size_t bytes) {
    uint64_t value = 0;
    if (at > f->size || bytes > f->size - at)
        return 0;
    memcpy(&value, f->bytes + at, bytes);
    return value;
}

static bool is_elf64(const struct file *f) {
    return f->size >= 64 && memcmp(f->bytes, "\177ELF\2\1", 6) == 0;
}

/* The note's description, NULL when [at, end) has no such note. */
static const uint8_t *find_in(const struct file *f, uint64_t at, uint64_t end, size_t *length) {
    while (end <= f->size && at < end && end - at >= 16) {
        uint64_t name = number(f, at, 4), text = number(f, at + 4, 4);
        uint64_t content = at + 12 + (name + 3) / 4 * 4;
        if (content > end || text > end - content)
            return NULL;
        if (number(f, at + 8, 4) == NT_GNU_BUILD_ID && name == 4 &&
            memcmp(f->bytes + at + 12, "GNU", 4) == 0) {
            *length = (size_t)text;
            return f->bytes + content;
        }
        at = content + (text + 3) / 4 * 4;
    }
    return NULL;
}

static const uint8_t *find(const struct file *f, size_t *length) {
    uint64_t headers = number(f, 32, 8), count = number(f, 56, 2);
    for (uint64_t i = 0; i < count && headers <= f->size; i++) {
        uint64_t at = headers + i * PROGRAM_HEADER_SIZE;
        uint64_t offset = number(f, at + 8, 8), size = number(f, at + 32, 8);
        if (number(f, at, 4) != PT_NOTE || offset > f->size || size > f->size - offset)
            continue;
        const uint8_t *found = find_in(f, offset, offset + size, length);
        if (found)
            return found;
    }
    return NULL;
}

int elf_build_id(const void *file, size_t size, char *hex, size_t hex_size,
                 struct fluid_error *err) {
    const struct file f = {file, size};
    size_t length = 0;
    const uint8_t *id = is_elf64(&f) ? find(&f, &length) : NULL;
    if (!id || length == 0 || 2 * length >= hex_size)
        return fluid_fail(err, "E-JIT-34",
                          "a 64-bit ELF program with a build ID of 1 to %zu bytes expected, found "
                          "%s; write the image again",
                          (hex_size - 1) / 2, id ? "a longer one" : "none");
    for (size_t i = 0; i < length; i++)
        ksnprintf(hex + 2 * i, 3, "%02x", id[i]);
    return 0;
}
