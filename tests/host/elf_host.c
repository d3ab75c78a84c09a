/* elf_host.c - the checker of programs on one file, or on many that are damaged at random.
 *
 *     elf_host FILE                what it says of FILE
 *     elf_host FILE ROUNDS SEED    the same of so many copies; a count for each answer */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/elf.h"
#include "random_host.h"

#define RANGE_START (1ull << 46)
#define RANGE_END ((1ull << 47) - (8ull << 20))
#define HEAD 1024u /* bytes that are damaged: headers */
#define PAGE 4096u

static const struct elf_range range = {RANGE_START, RANGE_END};

/* What load.c relies on. */
static void check_promise(const struct elf_program *p, uint64_t file_size) {
    uint64_t end = 0, memory = 0, low = p->moves ? 0 : RANGE_START;
    uint64_t high = p->moves ? 1ull << 41 : RANGE_END;
    require(p->segment_count > 0 && p->segment_count <= ELF_SEGMENTS_MAX, "segments");
    for (unsigned i = 0; i < p->segment_count; i++) {
        const struct elf_segment *s = &p->segments[i];
        require(s->start % PAGE == 0 && s->end % PAGE == 0 && s->offset % PAGE == 0, "pages");
        require(s->start < s->end && s->start >= low && s->end <= high, "range");
        require(i == 0 || s->start >= end, "ascending");
        require(!(s->writable && s->executable), "rights");
        require(s->file_end <= s->end, "file's part");
        require(s->file_end <= s->start || s->offset + (s->file_end - s->start) <= file_size,
                "within the file");
        end = s->end;
        memory += s->end - s->start;
    }
    require(memory == p->memory, "memory");
    require(p->entry >= low && p->entry < end && p->headers >= low && p->headers < end, "entry");
}

static const char *judge(const uint8_t *bytes, size_t size) {
    static struct fluid_error err;
    struct elf_program program;
    uint8_t *exact = malloc(size > 0 ? size : 1); /* a read beyond it is seen */
    memcpy(exact, bytes, size);
    int status = elf_check(exact, size, size, &range, &program, &err);
    if (status == 0)
        check_promise(&program, size);
    free(exact);
    return status == 0 ? "good" : err.code;
}

static void damage(uint8_t *bytes, size_t *size) {
    static const uint64_t values[] = {0, 1, PAGE, 1ull << 31, 1ull << 46, 1ull << 47, ~0ull};
    for (unsigned n = random_next() % 4 + 1; n > 0; n--) {
        uint64_t value =
            random_next() % 2 ? random_next() : values[random_next() % 7] + random_next() % 3 - 1;
        size_t width = (size_t)1 << random_next() % 4,
               at = random_next() % (HEAD - 8) / width * width;
        memcpy(bytes + at, &value, width);
    }
    if (random_next() % 16 == 0)
        *size = random_next() % *size;
}

int main(int argc, char **argv) {
    static uint8_t good[1 << 20], bytes[1 << 20];
    static const char *const codes[] = {"good", "E-ELF-01", "E-ELF-02"};
    unsigned counts[3] = {0};
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL)
        return 2;
    size_t size = fread(good, 1, sizeof(good), file);
    fclose(file);
    if (argc < 4) {
        puts(judge(good, size));
        return 0;
    }
    random_state = strtoull(argv[3], NULL, 10);
    for (unsigned long rounds = strtoul(argv[2], NULL, 10); rounds > 0; rounds--) {
        size_t length = size;
        memcpy(bytes, good, size);
        damage(bytes, &length);
        const char *code = judge(bytes, length);
        for (unsigned i = 0; i < 3; i++)
            counts[i] += strcmp(code, codes[i]) == 0;
    }
    printf("%u %u %u\n", counts[0], counts[1], counts[2]);
    return 0;
}
