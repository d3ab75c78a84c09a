/* module.h - the .mod file: relocatable code that the kernel loads, measures and replaces.
 *
 * Made from one relocatable ELF object by site_scons/fluid/modfile.py (owner of the layout:
 * modlayout.py), loaded by src/kernel/load/module.c. Little-endian. All offsets are from the start
 * of the file. Order in the file: header, sections[], relocs[], exports[], imports[], symbols[],
 * strings, section contents (each aligned to its own alignment, at most 4096).
 *
 * The SHA-256 covers the whole file with the sha256 field zero. */
#ifndef FLUID_MODULE_H
#define FLUID_MODULE_H

#include <stdint.h>

#define MOD_MAGIC 0x444f4d46 /* "FMOD" */
#define MOD_VERSION_MAJOR 1
#define MOD_VERSION_MINOR 2
#define FLUID_KERNEL_ABI 11 /* changes with the shape of bench.h, engine.h, kapi.h, tensor.h */

#define MOD_NAME_SIZE 32
#define MOD_TARGET_SIZE 16
#define MOD_SOURCE_SIZE 16

#define MOD_ALIGN_MAX 4096          /* of a section */
#define MOD_SECTIONS_MAX 4096       /* in one module */
#define MOD_MEMORY_MAX (512u << 20) /* bytes of all sections with their padding */

#define MOD_MACHINE_I386 3    /* EM_386 */
#define MOD_MACHINE_X86_64 62 /* EM_X86_64 */

struct mod_header {
    uint32_t magic;
    uint16_t version_major; /* unknown: refused */
    uint16_t version_minor; /* newer: accepted, fields are only ever added behind header_size */
    uint32_t header_size;   /* sizeof(struct mod_header) */
    uint32_t file_size;
    uint8_t sha256[32];
    uint32_t kernel_abi;          /* FLUID_KERNEL_ABI */
    uint32_t machine;             /* MOD_MACHINE_* */
    uint64_t cpu_bits;            /* enum fluid_cpu_feature: all must be usable */
    char name[MOD_NAME_SIZE];     /* "tensor_q4_1", NUL-padded */
    char target[MOD_TARGET_SIZE]; /* variant tag: "x86-64-v2" */
    uint32_t rank;                /* among the variants of one name the highest usable wins */
    uint32_t section_count, section_off;
    uint32_t reloc_count, reloc_off;
    uint32_t export_count, export_off;
    uint32_t import_count, import_off;
    uint32_t symbol_count, symbol_off;
    uint32_t string_size, string_off;   /* NUL-terminated strings of printable ASCII */
    uint32_t bitcode_size, bitcode_off; /* LLVM bitcode for recompilation; size 0: none */
    uint32_t reserved;
    uint8_t source[MOD_SOURCE_SIZE]; /* digest of its sources (site_scons/fluid/sources.py) */
};

#define MOD_SECTION_WRITE 1
#define MOD_SECTION_EXEC 2
#define MOD_SECTION_NOBITS 4 /* .bss: file_size 0, zeroed by the loader */
#define MOD_SECTION_INIT 8   /* array of aligned pointers to void(void), called after relocation */
#define MOD_SECTION_FINI 16  /* the same, called last first when the module is unloaded */

struct mod_section {
    uint32_t name; /* string offset */
    uint32_t flags;
    uint32_t align; /* power of two, 1..4096 */
    uint32_t file_off;
    uint32_t file_size;
    uint32_t mem_size;
};

/* S = address of the target section or import, A = addend, P = address of the place. */
#define MOD_RELOC_ABS64 1  /* S + A, 8 bytes */
#define MOD_RELOC_ABS32 2  /* S + A, 4 bytes, must zero-extend to the value (i386: wraps) */
#define MOD_RELOC_ABS32S 3 /* S + A, 4 bytes, must sign-extend to the value */
#define MOD_RELOC_PC32 4   /* S + A - P, 4 bytes, must sign-extend (i386: wraps) */
#define MOD_RELOC_PC64 5   /* S + A - P, 8 bytes */

#define MOD_TARGET_SECTION 0
#define MOD_TARGET_IMPORT 1

struct mod_reloc {
    uint32_t section; /* index of the section that is patched (never NOBITS) */
    uint32_t offset;  /* within that section */
    uint16_t type;    /* MOD_RELOC_* */
    uint16_t target_kind;
    uint32_t target; /* index of section or import */
    int64_t addend;
};

struct mod_export { /* entry points: global symbols of default visibility */
    uint32_t name;
    uint32_t section;
    uint32_t offset;
    uint32_t size;
};

struct mod_import { /* undefined symbols, resolved against the kernel API (kapi.h) by name */
    uint32_t name;
};

struct mod_symbol { /* every function, sorted by (section, offset); for backtraces */
    uint32_t name;
    uint32_t section;
    uint32_t offset;
    uint32_t size;
};

#define FLUID_EXPORT __attribute__((visibility("default"), used))

_Static_assert(sizeof(struct mod_header) == 192, "layout is shared with modfile.py");
_Static_assert(sizeof(struct mod_section) == 24, "layout is shared with modfile.py");
_Static_assert(sizeof(struct mod_reloc) == 24, "layout is shared with modfile.py");
_Static_assert(sizeof(struct mod_export) == 16, "layout is shared with modfile.py");
#endif
