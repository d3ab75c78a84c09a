/* elf.c - every field of the headers is checked, and each number before it is used. */
#include "abi/linux/elf.h"

#include "lib/string.h"

#define ELF_PAGE 4096u
#define HEADERS_MAX 32u
#define ALIGN_MAX (2u << 20)
#define SIZE_MAX_ALL (1ull << 40) /* of addresses: more is no program */

struct header {
    uint8_t magic[4];
    uint8_t class, data, ident_version, abi, abi_version, pad[7];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t size, program_header_size, program_header_count;
    uint16_t section_header_size, section_header_count, section_names;
};
_Static_assert(sizeof(struct header) == 64, "Elf64_Ehdr");

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, align;
};
_Static_assert(sizeof(struct program_header) == ELF_PROGRAM_HEADER_SIZE, "Elf64_Phdr");

#define CLASS_64 2
#define DATA_LITTLE 1
#define ABI_SYSTEM_V 0
#define ABI_GNU 3
#define TYPE_EXEC 2
#define TYPE_DYN 3
#define MACHINE_X86_64 62
#define PT_LOAD 1u
#define PT_INTERP 3u
#define PT_GNU_STACK 0x6474e551u
#define PF_X 1u
#define PF_W 2u
#define PF_R 4u

static int bad(struct fluid_error *err, const char *what, uint64_t found) {
    return fluid_fail(err, "E-ELF-02",
                      "program: %s expected, found 0x%llx; it is damaged, copy it again", what,
                      (unsigned long long)found);
}

static int check_header(const struct header *h, size_t size, struct fluid_error *err) {
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    if (size < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0 || h->class != CLASS_64 ||
        h->data != DATA_LITTLE || h->ident_version != 1 || h->version != 1 ||
        (h->abi != ABI_SYSTEM_V && h->abi != ABI_GNU) || h->machine != MACHINE_X86_64 ||
        (h->type != TYPE_EXEC && h->type != TYPE_DYN))
        return fluid_fail(err, "E-ELF-01",
                          "a program of Linux on x86-64 as an ELF file expected, found something "
                          "else; copy the right file");
    if (h->size != sizeof(*h) || h->program_header_size != ELF_PROGRAM_HEADER_SIZE)
        return bad(err, "headers of 64 and 56 bytes", h->size);
    if (h->program_header_count == 0 || h->program_header_count > HEADERS_MAX)
        return bad(err, "1 to 32 program headers", h->program_header_count);
    if (h->program_headers % 8 != 0 || h->program_headers > size ||
        h->program_header_count * sizeof(struct program_header) > size - h->program_headers)
        return bad(err, "program headers at the beginning of the file", h->program_headers);
    return 0;
}

static uint64_t page_down(uint64_t address) {
    return address & ~(uint64_t)(ELF_PAGE - 1);
}

static uint64_t page_up(uint64_t address) {
    return page_down(address + ELF_PAGE - 1);
}

static int add_segment(const struct program_header *p, uint64_t file_size,
                       const struct elf_range *range, struct elf_program *program,
                       struct fluid_error *err) {
    uint64_t low = program->moves ? 0 : range->start, high = range->end;
    if (program->moves)
        high = range->end - range->start < SIZE_MAX_ALL ? range->end - range->start : SIZE_MAX_ALL;
    if (p->memory_size == 0 && p->file_size == 0)
        return 0;
    if (program->segment_count == ELF_SEGMENTS_MAX)
        return bad(err, "at most 8 segments", program->segment_count + 1);
    if (p->file_size > p->memory_size || p->file_size > file_size ||
        p->offset > file_size - p->file_size)
        return bad(err, "a segment within the file", p->offset);
    if (p->address < low || p->address >= high || p->memory_size > high - p->address)
        return bad(err, "a segment where programs may be", p->address);
    if (p->align > ALIGN_MAX || (p->align & (p->align - 1)) != 0)
        return bad(err, "a segment's alignment of 2^n up to 2 MiB", p->align);
    if ((p->address - p->offset) % ELF_PAGE != 0)
        return bad(err, "a segment at the same place in a page as in the file", p->address);
    if (!(p->flags & PF_R) || (p->flags & (PF_W | PF_X)) == (PF_W | PF_X))
        return bad(err, "a readable segment, writable or executable but not both", p->flags);
    struct elf_segment s = {
        .start = page_down(p->address),
        .end = page_up(p->address + p->memory_size),
        .offset = page_down(p->offset),
        .file_end = p->address + p->file_size,
        .writable = p->flags & PF_W,
        .executable = p->flags & PF_X,
    };
    if (program->segment_count > 0 && s.start < program->segments[program->segment_count - 1].end)
        return bad(err, "ascending segments without a page in common", p->address);
    program->memory += s.end - s.start;
    program->segments[program->segment_count++] = s;
    return 0;
}

static int add_header(const struct program_header *p, uint64_t file_size,
                      const struct elf_range *range, struct elf_program *program,
                      struct fluid_error *err) {
    if (p->type == PT_INTERP)
        return bad(err, "a static program, without an interpreter,", p->type);
    if (p->type == PT_GNU_STACK && p->flags & PF_X)
        return bad(err, "a stack that is not executable", p->flags);
    return p->type == PT_LOAD ? add_segment(p, file_size, range, program, err) : 0;
}

/* The address of bytes that are in the file at offset; 0: no segment has them all. */
static uint64_t address_of(const struct elf_program *program, uint64_t offset, uint64_t size) {
    for (unsigned i = 0; i < program->segment_count; i++) {
        const struct elf_segment *s = &program->segments[i];
        uint64_t in_file = s->file_end - s->start;
        if (s->file_end > s->start && offset >= s->offset && offset - s->offset <= in_file &&
            size <= in_file - (offset - s->offset))
            return s->start + (offset - s->offset);
    }
    return 0;
}

static bool is_code(const struct elf_program *program, uint64_t address) {
    for (unsigned i = 0; i < program->segment_count; i++)
        if (program->segments[i].executable && address >= program->segments[i].start &&
            address < program->segments[i].file_end)
            return true;
    return false;
}

int elf_check(const void *file, size_t size, uint64_t file_size, const struct elf_range *range,
              struct elf_program *program, struct fluid_error *err) {
    const uint8_t *bytes = file;
    struct header h = {0};
    memset(program, 0, sizeof(*program));
    memcpy(&h, bytes, size < sizeof(h) ? size : sizeof(h));
    if (check_header(&h, size, err) < 0)
        return -1;
    program->moves = h.type == TYPE_DYN;
    program->entry = h.entry;
    program->header_count = h.program_header_count;
    for (unsigned i = 0; i < h.program_header_count; i++) {
        struct program_header p;
        memcpy(&p, bytes + h.program_headers + i * sizeof(p), sizeof(p));
        if (add_header(&p, file_size, range, program, err) < 0)
            return -1;
    }
    if (!is_code(program, h.entry))
        return bad(err, "an entry point in executable bytes", h.entry);
    program->headers = address_of(program, h.program_headers,
                                  program->header_count * sizeof(struct program_header));
    if (program->headers == 0)
        return bad(err, "program headers in a segment", h.program_headers);
    return 0;
}
