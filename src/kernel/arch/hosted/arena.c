/* arena.c - RAM: one mapping at a fixed low address, so that modules lie below 2 GiB as on the bare
 * machine, in pages of 2 MiB where Linux gives them. Its protection is the page tables' job there
 * and mprotect's here. */
#include "arch/hosted/hosted.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86/sections.h"
#include "lib/panic.h"
#include "mm/pages.h"
#include "mm/paging.h"

/* Above the program, which is linked below 256 MiB, and below everything that Linux places. */
#define ARENA_BASE 0x10000000u

/* AddressSanitizer's shadow begins there (compiler-rt/lib/asan/asan_mapping.h, x86-64 and i386). */
#if defined(__has_feature) && __has_feature(address_sanitizer)
#ifdef __x86_64__
#define ARENA_END 0x7fff8000ull
#else
#define ARENA_END 0x20000000ull
#endif
#elif defined(__x86_64__)
#define ARENA_END (1ull << 40)
#else
#define ARENA_END 0xc0000000ull /* 32-bit processes have the rest only under a 64-bit kernel */
#endif

#define RESERVED_END (ARENA_END < 0x7fff8000u ? ARENA_END : 0x7fff8000u)
#define RESERVED ((size_t)(RESERVED_END - ARENA_BASE))

static uint8_t *arena;
static size_t size;
static bool reserved;
static bool shared; /* with another program */

/* Linux starts the C library's heap anywhere in the GiB behind the program, but not over a mapping:
 * the place is taken before any constructor, of a sanitizer or a profile, asks for memory. */
static void reserve(void) {
    void *wanted = (void *)(uintptr_t)ARENA_BASE;
    reserved =
        mmap(wanted, RESERVED, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == wanted;
}

__attribute__((section(".preinit_array"), used)) static void (*const reserve_first)(void) = reserve;

int arena_create(uint32_t mib, struct fluid_error *err) {
    uint64_t wanted = (uint64_t)mib << 20;
    if (wanted > ARENA_END - ARENA_BASE)
        return fluid_fail(
            err, "E-HOST-05",
            "at most %u MiB of memory expected in this build of fluid-host, found %u; "
            "give it less",
            (unsigned)((ARENA_END - ARENA_BASE) >> 20), mib);
    if (reserved)
        munmap((void *)(uintptr_t)ARENA_BASE, RESERVED);
    void *at = mmap((void *)(uintptr_t)ARENA_BASE, (size_t)wanted, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != (void *)(uintptr_t)ARENA_BASE)
        return fluid_fail(
            err, "E-HOST-05",
            "%u MiB of address space at 0x%x expected, found: %s; give it less memory", mib,
            ARENA_BASE, at == MAP_FAILED ? strerror(errno) : "another place");
    arena = at;
    size = (size_t)wanted;
    madvise(arena, size, MADV_HUGEPAGE); /* faster where it works; nothing depends on it */
    return 0;
}

uint8_t *arena_start(void) {
    return arena;
}

size_t arena_size(void) {
    return size;
}

void paging_init(void) {
    if (mprotect(kernel_stack_guard, PAGE_SIZE, PROT_NONE) != 0)
        panic("the stack's guard page: protection expected, found: %s", strerror(errno));
}

void paging_protect(const void *start, size_t length, unsigned flags) {
    int protection = PROT_READ;
    KASSERT((uintptr_t)start % PAGE_SIZE == 0 && length % PAGE_SIZE == 0);
    if ((flags & PAGE_W) && (flags & PAGE_X))
        panic("paging_protect(%p, %zu): a page must not be both writable and executable", start,
              length);
    if (flags & PAGE_W)
        protection |= PROT_WRITE;
    if (flags & PAGE_X)
        protection |= PROT_EXEC;
    if (flags & PAGE_NONE)
        protection = PROT_NONE;
    if (mprotect((void *)(uintptr_t)start, length, protection) != 0)
        panic("paging_protect(%p, %zu, %u): %s", start, length, flags, strerror(errno));
}

/* Linux's page tables are not for a process to see. */
void paging_count(size_t counts[PAGING_SIZES]) {
    memset(counts, 0, PAGING_SIZES * sizeof(counts[0]));
}

struct query {
    uintptr_t address;
    unsigned flags;
};

static bool look_up(uintptr_t start, uintptr_t end, unsigned flags, void *context) {
    struct query *query = context;
    if (query->address >= end)
        return true;
    if (query->address >= start)
        query->flags = flags;
    return false;
}

unsigned paging_query(const void *address) {
    struct query query = {(uintptr_t)address, PAGE_NONE};
    return maps_each(look_up, &query) ? query.flags : PAGE_NONE;
}

void arena_shared(void) {
    shared = true;
}

static bool check(uintptr_t start, uintptr_t end, unsigned flags, void *context) {
    (void)context;
    if (shared && (end <= (uintptr_t)arena_start() || start >= (uintptr_t)arena_start() + size))
        return true;
    if (start == 0)
        panic("address space: page 0 is present");
    if ((flags & PAGE_W) && (flags & PAGE_X))
        panic("address space: %p is writable and executable", (void *)start);
    return true;
}

void paging_check(void) {
    if (!maps_each(check, NULL))
        panic("address space: /proc/self/maps expected, found none");
    if (paging_query(kernel_stack_guard) != PAGE_NONE)
        panic("address space: the stack's guard page is present");
}
