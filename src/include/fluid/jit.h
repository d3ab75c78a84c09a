/* jit.h - what goes to the compiler on the machine (src/jit) and what comes back.
 *
 * One request on its standard input, one response on its standard output, then it ends. Written by
 * its caller and read by src/jit/request.cpp; site_scons/fluid/jitlayout.py owns the layout.
 * Little-endian; offsets are from the start of the request or response, tables are aligned to 8. */
#ifndef FLUID_JIT_H
#define FLUID_JIT_H

#include <stdint.h>

#include "fluid/module.h"

#define JIT_REQUEST_MAGIC 0x51524a46  /* "FJRQ" */
#define JIT_RESPONSE_MAGIC 0x53524a46 /* "FJRS" */
#define JIT_VERSION_MAJOR 1
#define JIT_VERSION_MINOR 0

#define JIT_REQUEST_MAX (16u << 20) /* bytes */
#define JIT_LEVEL_MAX 3             /* O0 .. O3 */
#define JIT_MEMORY_MIN (16ull << 20)
#define JIT_MEMORY_MAX (4ull << 30) /* bytes of address space, the program's own included */
#define JIT_CPU_SECONDS_MAX 3600

/* What the input is: LLVM bitcode, which is compiled, or a relocatable ELF object, which becomes a
 * .mod as it is, of the request's features. */
#define JIT_INPUT_BITCODE 0
#define JIT_INPUT_OBJECT 1

/* Code generation. */
#define JIT_FLAG_NO_RED_ZONE 1   /* interrupts use the stack below the stack pointer */
#define JIT_FLAG_FRAME_POINTER 2 /* backtraces follow the frame pointers */
#define JIT_FLAGS 3              /* all of them */

struct jit_request {
    uint32_t magic;
    uint16_t version_major; /* unknown: refused */
    uint16_t version_minor; /* newer: accepted, fields are only ever added behind header_size */
    uint32_t header_size;
    uint32_t file_size; /* of the whole request, at most JIT_REQUEST_MAX */
    uint32_t level;
    uint32_t machine;      /* MOD_MACHINE_* */
    uint32_t input;        /* JIT_INPUT_* */
    uint32_t flags;        /* JIT_FLAG_* */
    uint64_t memory_bytes; /* more than this of address space: JIT_NO_MEMORY */
    uint32_t cpu_seconds;  /* longer than this: JIT_NO_TIME */
    /* For the header of the .mod. */
    uint32_t kernel_abi;
    uint32_t rank;
    uint32_t reserved;
    char name[MOD_NAME_SIZE];
    char target[MOD_TARGET_SIZE];
    uint8_t source[MOD_SOURCE_SIZE];
    uint32_t feature_count, feature_off;   /* uint32_t: string offsets, names as in cpu.h */
    uint32_t entry_count, entry_off;       /* uint32_t: string offsets, functions to export */
    uint32_t constant_count, constant_off; /* struct jit_constant */
    uint32_t string_size, string_off;      /* NUL-terminated strings of printable ASCII */
    uint32_t input_size, input_off;
};

#define JIT_WHOLE_ARGUMENT 0xffffffff

/* A value that an entry point is called with most of the time. Code for that is made beside the
 * general code, and each call asks which of them is right: a wrong value costs time and nothing
 * else, as long as the argument does point to the structure that is meant. Fields may be known of
 * structures that every call has, and that nothing writes while the call runs: the ones that the
 * signature calls const. */
struct jit_constant {
    uint32_t entry;     /* index */
    uint32_t argument;  /* index */
    uint32_t field_off; /* of an integer in the structure that the argument points to; or the
                         * argument itself: JIT_WHOLE_ARGUMENT */
    uint32_t size;      /* 1, 2, 4 or 8 bytes */
    uint64_t value;
};

/* Status n is the error E-JIT-n. */
enum jit_status {
    JIT_OK = 0,
    JIT_BAD_MAGIC = 1,    /* E-JIT-01: not a request */
    JIT_BAD_VERSION = 2,  /* E-JIT-02 */
    JIT_BAD_FIELD = 3,    /* E-JIT-03: a value that a field cannot have */
    JIT_BAD_FEATURE = 4,  /* E-JIT-04: a CPU feature without a name here */
    JIT_NO_LIMIT = 5,     /* E-JIT-05: the system sets no limits */
    JIT_BAD_BITCODE = 6,  /* E-JIT-06 */
    JIT_BAD_MACHINE = 7,  /* E-JIT-07: bitcode of another machine */
    JIT_BAD_ENTRY = 8,    /* E-JIT-08: no such function */
    JIT_BAD_CONSTANT = 9, /* E-JIT-09: no such argument or field */
    JIT_NO_MEMORY = 10,   /* E-JIT-10 */
    JIT_NO_TIME = 11,     /* E-JIT-11 */
    JIT_BAD_CODE = 12,    /* E-JIT-12: LLVM cannot compile it */
    JIT_BAD_OBJECT = 13,  /* E-JIT-13: the object cannot be a module */
};

struct jit_response {
    uint32_t magic;
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t header_size;
    uint32_t file_size;
    uint32_t status; /* enum jit_status */
    uint32_t reserved;
    uint64_t parse_ns;            /* CPU time from the start of the program on */
    uint64_t optimise_ns;         /* up to machine-independent code that is good */
    uint64_t generate_ns;         /* up to the .mod */
    uint32_t text_size, text_off; /* the error in a sentence; not NUL-terminated */
    uint32_t mod_size, mod_off;   /* the .mod; size 0 unless JIT_OK */
};

#ifndef __cplusplus
_Static_assert(sizeof(struct jit_request) == 160, "layout is shared with jitlayout.py");
_Static_assert(sizeof(struct jit_constant) == 24, "layout is shared with jitlayout.py");
_Static_assert(sizeof(struct jit_response) == 64, "layout is shared with jitlayout.py");
#endif
#endif
