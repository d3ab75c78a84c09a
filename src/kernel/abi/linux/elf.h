/* elf.h - a static Linux program as an ELF file (System V ABI, chapters 4 and 5; AMD64 supplement).
 * The file is hostile: what elf_check lets through can be loaded without another look at it. */
#ifndef KERNEL_ABI_LINUX_ELF_H
#define KERNEL_ABI_LINUX_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fluid/kapi.h"

#define ELF_SEGMENTS_MAX 8u

/* Whole pages of memory. Invariant: segments are ascending and share no page. */
struct elf_segment {
    uint64_t start, end;       /* addresses; with elf_program.moves from where the program is put */
    uint64_t offset;           /* in the file, of start */
    uint64_t file_end;         /* address behind what is in the file; zeros follow */
    bool writable, executable; /* not both */
};

struct elf_program {
    bool moves; /* position-independent: may be put anywhere */
    uint64_t entry;
    uint64_t headers; /* address of the program headers */
    unsigned header_count;
    unsigned segment_count; /* > 0 */
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    uint64_t memory; /* bytes of all segments */
};

#define ELF_PROGRAM_HEADER_SIZE 56u
/* Where addresses of programs may be. */
struct elf_range {
    uint64_t start, end; /* page-aligned */
};

/* bytes: the file's first `size`, of file_size; headers must be in them. -1 with E-ELF-01
 * (not such a program) or E-ELF-02 (what it says of itself cannot be). */
int elf_check(const void *bytes, size_t size, uint64_t file_size, const struct elf_range *range,
              struct elf_program *program, struct fluid_error *err);
#endif
