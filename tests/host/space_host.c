/* space_host.c - a program's memory against a model of it: random changes to a few pages, with and
 * without memory for them.
 *
 *     space_host ROUNDS SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/tables.h"
#include "arch/x86/cpu.h"
#include "fail_host.h"
#include "mm/heap.h"
#include "random_host.h"

#define PAGES 48u
#define FIRST (SPACE_START + (1ull << 30) - 24 * PAGE_SIZE) /* two page tables share them */
#define AT 100u /* byte of each page that is looked at */
#define SOURCE_PAGES 4u
#define OPERATIONS 60u

static _Alignas(4096) uint8_t source[SOURCE_PAGES * PAGE_SIZE];
static long live; /* pages handed out */

/* The model. */
static struct {
    bool there;
    unsigned flags;
    uint8_t value;
} model[PAGES];

/* ---- the kernel around it */

static struct cpu_info info = {.nx = true};

const struct cpu_info *cpu_info(void) {
    return &info;
}

void *pages_alloc_for(enum page_use use, size_t count, size_t align, uint64_t below) {
    (void)use;
    (void)below;
    if (host_allocation_fails())
        return NULL;
    live++;
    return aligned_alloc(align, count * PAGE_SIZE);
}

void pages_free(void *first, size_t count) {
    (void)count;
    live--;
    free(first);
}

size_t pages_available(void) {
    return 1 << 20;
}

void *kcalloc(size_t count, size_t size) {
    return host_allocation_fails() ? NULL : calloc(count, size);
}

void kfree(void *memory) {
    free(memory);
}

void paging_share(uint64_t *root) {
    root[0] = PTE_PRESENT; /* the kernel's, which nobody follows or frees */
}

void space_flush(uint64_t start, uint64_t end) {
    (void)start;
    (void)end;
}

/* ---- */

static unsigned some_flags(void) {
    static const unsigned flags[] = {PAGE_R, PAGE_W, PAGE_X, PAGE_NONE};
    return flags[random_next() % 4];
}

static uint64_t address_of(unsigned page) {
    return FIRST + (uint64_t)page * PAGE_SIZE;
}

static bool any(unsigned first, unsigned end) {
    for (unsigned i = first; i < end; i++)
        if (model[i].there)
            return true;
    return false;
}

static bool all(unsigned first, unsigned end) {
    for (unsigned i = first; i < end; i++)
        if (!model[i].there)
            return false;
    return true;
}

static void add(struct space *space, unsigned first, unsigned end) {
    bool filled = random_next() % 3 == 0;
    uint64_t size = filled ? random_next() % (sizeof(source) + 1) : 0;
    struct region region = {
        address_of(first), address_of(end), some_flags(), filled ? source : NULL, size, false};
    bool expected = !any(first, end);
    require(space_add(space, &region) == expected, "add");
    for (unsigned i = first; i < end && expected; i++) {
        uint64_t at = (uint64_t)(i - first) * PAGE_SIZE + AT;
        model[i].there = true;
        model[i].flags = region.flags;
        model[i].value = at < size ? source[at] : 0;
    }
}

static void take(struct space *space, unsigned first, unsigned end) {
    require(space_remove(space, address_of(first), address_of(end)), "remove");
    for (unsigned i = first; i < end; i++)
        model[i].there = false;
}

static void protect(struct space *space, unsigned first, unsigned end) {
    unsigned flags = some_flags() & ~PAGE_X;
    bool expected = all(first, end);
    require(space_protect(space, address_of(first), address_of(end), flags) == expected, "protect");
    for (unsigned i = first; i < end && expected; i++)
        model[i].flags = flags;
}

/* Refused when there is no memory is right, if an allocation was to fail. */
static bool agrees(enum space_result result, bool allowed) {
    if (result == SPACE_NO_MEMORY) {
        require(host_allocation_failed() && allowed, "no memory");
        return false;
    }
    require((result == SPACE_OK) == allowed, "rights");
    return allowed;
}

static void use(struct space *space, unsigned page) {
    uint8_t byte = (uint8_t)random_next(), got;
    bool there = model[page].there && !(model[page].flags & PAGE_NONE);
    uint64_t address = address_of(page) + AT;
    if (agrees(space_write(space, address, &byte, 1), there && model[page].flags & PAGE_W))
        model[page].value = byte;
    if (agrees(space_read(space, &got, address, 1), there))
        require(got == model[page].value, "content");
    agrees(space_touch(space, address, PAGE_X, NULL), there && model[page].flags & PAGE_X);
}

static void check(const struct space *space) {
    uint64_t reserved = 0;
    for (unsigned i = 0; i < PAGES; i++)
        reserved += model[i].there ? PAGE_SIZE : 0;
    require(space->reserved == reserved, "reserved");
    require(space_covered(space, FIRST, address_of(PAGES)) == reserved, "covered");
    for (unsigned i = 0; i < space->region_count; i++) {
        require(space->regions[i].start < space->regions[i].end, "empty region");
        require(i == 0 || space->regions[i].start >= space->regions[i - 1].end, "order");
    }
    require((long)space->pages == live, "pages");
    uint64_t size = (random_next() % 8 + 1) * PAGE_SIZE,
             found = space_find(space, size, address_of(PAGES));
    require(found != 0 && found + size <= address_of(PAGES), "found");
    require(space_covered(space, found, found + size) == 0, "found in use");
}

static void play(void) {
    struct space space;
    memset(model, 0, sizeof(model));
    host_fail_allocation(random_next() % 2 ? (long)(random_next() % 40) : -1);
    if (!space_create(&space, 1000)) {
        require(host_allocation_failed(), "create");
        space_destroy(&space);
        return;
    }
    for (unsigned i = 0; i < OPERATIONS; i++) {
        unsigned first = random_next() % PAGES, end = first + 1 + random_next() % (PAGES - first);
        if (random_next() % 2)
            end = first + 1 + (end - first) / 8;
        switch (random_next() % 5) {
        case 0:
            add(&space, first, end);
            break;
        case 1:
            take(&space, first, end);
            break;
        case 2:
            protect(&space, first, end);
            break;
        default:
            use(&space, first);
        }
        check(&space);
    }
    space_destroy(&space);
    require(live == 0, "everything given back");
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    random_state = strtoull(argv[2], NULL, 10);
    for (size_t i = 0; i < sizeof(source); i++)
        source[i] = (uint8_t)(random_next() | 1);
    for (unsigned long rounds = strtoul(argv[1], NULL, 10); rounds > 0; rounds--)
        play();
    puts("good");
    return 0;
}
