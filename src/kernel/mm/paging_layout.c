/* paging_layout.c - what the boot-time page tables contain, and the proof that they do. */
#include "mm/paging_layout.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86/sections.h"
#include "arch/x86/stacks.h"
#include "lib/panic.h"
#include "mm/pages.h"
#include "mm/paging.h"

#define VGA_START 0xa0000u
#define ROM_START 0xc0000u
#define LOW_END 0x100000u

struct piece {
    const char *name;
    const char *start, *end;
    unsigned flags;
};

/* The kernel image, lowest address first. */
static const struct piece kernel_pieces[] = {
    {"text", kernel_text_start, kernel_text_end, PAGE_X},
    {"rodata", kernel_rodata_start, kernel_rodata_end, PAGE_R},
    {"data and bss", kernel_data_start, kernel_end, PAGE_W},
};
#define PIECES (sizeof(kernel_pieces) / sizeof(kernel_pieces[0]))

static void set_bytes(const char *start, const char *end, unsigned flags) {
    uintptr_t first = (uintptr_t)start / PAGE_SIZE;
    uintptr_t last = ((uintptr_t)end + PAGE_SIZE - 1) / PAGE_SIZE;
    if (last > first)
        paging_set(first * PAGE_SIZE, last - first, flags);
}

static void map_ram(uint64_t base, uint64_t length, void *context) {
    (void)context;
    paging_set((uintptr_t)base, (uintptr_t)(length / PAGE_SIZE), PAGE_W);
}

void paging_init(void) {
    paging_create();
    /* Page 0 stays absent: a NULL pointer faults. */
    paging_set(PAGE_SIZE, (VGA_START - PAGE_SIZE) / PAGE_SIZE, PAGE_W);
    paging_set(VGA_START, (ROM_START - VGA_START) / PAGE_SIZE, PAGE_W | PAGE_UNCACHED);
    paging_set(ROM_START, (LOW_END - ROM_START) / PAGE_SIZE, PAGE_R);
    pages_for_each_range(map_ram, NULL);
    for (size_t i = 0; i < PIECES; i++)
        set_bytes(kernel_pieces[i].start, kernel_pieces[i].end, kernel_pieces[i].flags);
    for (const struct stack_guard *guard = stack_guards; guard->page != NULL; guard++) {
        KASSERT((uintptr_t)guard->page % PAGE_SIZE == 0);
        paging_set((uintptr_t)guard->page, 1, PAGE_NONE);
    }
    paging_start();
}

static bool is_stack_guard(const char *page) {
    for (const struct stack_guard *guard = stack_guards; guard->page != NULL; guard++)
        if (guard->page == page)
            return true;
    return false;
}

void paging_check(void) {
    paging_check_tables();
    if (paging_query(NULL) != PAGE_NONE)
        panic("page table: page 0 is present");
    for (size_t i = 0; i < PIECES; i++) {
        const struct piece *piece = &kernel_pieces[i];
        for (const char *at = piece->start; at < piece->end; at += PAGE_SIZE) {
            unsigned expected = piece->flags, found = paging_query(at);
            if (expected == PAGE_W && is_stack_guard(at))
                expected = PAGE_NONE;
            if (found != expected)
                panic("page table: kernel %s at %p: flags %u expected, %u found", piece->name,
                      (const void *)at, expected, found);
        }
    }
}
