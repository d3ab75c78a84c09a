/* load.c - a program's segments, and the stack it begins with (System V ABI for AMD64, 3.4.1). */
#include "abi/linux/process_internal.h"

#include "arch/x86/random.h"
#include "arch/x86_64/ring3.h"
#include "lib/string.h"
#include "mm/pages.h"

/* Programs that may be put anywhere begin here. */
#define IMAGE_START (SPACE_START + LARGE_PAGE_SIZE)
#define STACK_TOP SPACE_END
#define STACK_SIZE (8ull << 20) /* as Linux has it; pages come when they are touched */

enum { /* auxiliary vector (linux/auxvec.h) */
       AT_NULL = 0,
       AT_PHDR = 3,
       AT_PHENT = 4,
       AT_PHNUM = 5,
       AT_PAGESZ = 6,
       AT_ENTRY = 9,
       AT_UID = 11,
       AT_EUID = 12,
       AT_GID = 13,
       AT_EGID = 14,
       AT_CLKTCK = 17,
       AT_SECURE = 23,
       AT_RANDOM = 25,
};

static int no_memory(struct fluid_error *err) {
    return fluid_fail(err, "E-ELF-03",
                      "memory for a program to begin with expected, not available; raise its limit "
                      "or give the machine more");
}

/* What is read only shows all of the file's last page, as mmap does. */
static bool add_segment(struct process *p, const struct elf_segment *s, const uint8_t *file,
                        uint64_t base) {
    uint64_t content = s->file_end > s->start ? s->file_end - s->start : 0;
    bool shared = !s->writable && s->end - s->start - content < PAGE_SIZE;
    struct region region = {
        .start = base + s->start,
        .end = base + s->end,
        .flags = s->writable     ? PAGE_W
                 : s->executable ? PAGE_X
                                 : PAGE_R,
        .source = content > 0 ? file + s->offset : NULL,
        .source_size = shared ? s->end - s->start : content,
    };
    return space_add(&p->space, &region);
}

/* Everything that a program starts with is below STACK_TOP, the argument count lowest. */
static int fill_stack(struct process *p, const struct elf_program *program, uint64_t base,
                      uint64_t *stack) {
    size_t name_size = strlen(p->name) + 1;
    uint64_t name = STACK_TOP - 16 - name_size;
    uint64_t random = (name & ~15ull) - 16;
    uint64_t bytes[2] = {cpu_random(), cpu_random()};
    const uint64_t words[] = {/* argc, argv, environment */
                              1, name, 0, 0,
                              /* auxv */
                              AT_PHDR, base + program->headers, AT_PHENT, ELF_PROGRAM_HEADER_SIZE,
                              AT_PHNUM, program->header_count, AT_PAGESZ, PAGE_SIZE, AT_ENTRY,
                              base + program->entry, AT_UID, 0, AT_EUID, 0, AT_GID, 0, AT_EGID, 0,
                              AT_CLKTCK, 100, AT_SECURE, 0, AT_RANDOM, random, AT_NULL, 0};
    *stack = (random - sizeof(words)) & ~15ull;
    if (space_write(&p->space, name, p->name, name_size) != SPACE_OK ||
        space_write(&p->space, random, bytes, sizeof(bytes)) != SPACE_OK ||
        space_write(&p->space, *stack, words, sizeof(words)) != SPACE_OK)
        return -1;
    return 0;
}

int process_load(struct process *p, const void *elf, size_t size, struct fluid_error *err) {
    static const struct elf_range range = {SPACE_START, STACK_TOP - STACK_SIZE};
    const struct region stack_region = {
        .start = STACK_TOP - STACK_SIZE, .end = STACK_TOP, .flags = PAGE_W, .uncharged = true};
    struct elf_program program;
    uint64_t stack;
    if (elf_check(elf, size, size, &range, &program, err) < 0)
        return -1;
    uint64_t base = program.moves ? IMAGE_START : 0;
    if (program.memory > p->memory_limit)
        return no_memory(err);
    for (unsigned i = 0; i < program.segment_count; i++)
        if (!add_segment(p, &program.segments[i], elf, base))
            return no_memory(err);
    p->heap_start = p->heap_end = base + program.segments[program.segment_count - 1].end;
    if (!space_add(&p->space, &stack_region) || fill_stack(p, &program, base, &stack) < 0)
        return no_memory(err);
    ring3_begin(&p->begin, base + program.entry, stack);
    return 0;
}
