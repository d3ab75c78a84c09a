/* memory_faults.c - memory of the kernel's heap, and pages, used as they must not be. */
#include <stdint.h>

#include "lib/panic.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "selftest/selftest.h"

#define LENGTH 40u
/* A call, not a jump: the function is in the backtrace. */
#define STAY() __asm__ volatile("" : : : "memory")

/* Nor does the compiler know what is done to the memory. */
static volatile char *opaque(void *memory) {
    KASSERT(memory != NULL);
    __asm__ volatile("" : "+r"(memory) : : "memory");
    return memory;
}

static void double_free(void) {
    volatile char *memory = opaque(kmalloc(LENGTH));
    kfree((void *)memory);
    kfree((void *)opaque((void *)memory));
    STAY();
}

static void double_free_large(void) {
    volatile char *memory = opaque(kmalloc(2 * PAGE_SIZE));
    kfree((void *)memory);
    kfree((void *)opaque((void *)memory));
    STAY();
}

static void wild_free(void) {
    volatile char *memory = opaque(kmalloc(LENGTH));
    kfree((void *)(memory + 1));
    STAY();
}

static void overflow(void) {
    volatile char *memory = opaque(kmalloc(LENGTH));
    memory[LENGTH] = 1;
    kfree((void *)memory);
    STAY();
}

static void underflow(void) {
    volatile char *memory = opaque(kmalloc(LENGTH));
    memory[-16] = 1; /* what stands in front of it begins there */
    kfree((void *)memory);
    STAY();
}

/* Found when the block is given out again. */
static void use_after_free(void) {
    volatile char *memory = opaque(kmalloc(LENGTH));
    kfree((void *)memory);
    memory[LENGTH / 2] = 1;
    opaque(kmalloc(LENGTH));
}

static void page_double_free(void) {
    void *page = pages_alloc(1, PAGE_SIZE, 0);
    pages_free(page, 1);
    pages_free((void *)opaque(page), 1);
    STAY();
}

static void page_use_after_free(void) {
    volatile char *page = opaque(pages_alloc(1, PAGE_SIZE, 0));
    pages_free((void *)page, 1);
    page[PAGE_SIZE / 2] = 1;
    for (size_t left = pages_available(); left > 0; left--) /* until it comes again */
        opaque(pages_alloc(1, PAGE_SIZE, 0));
}

const struct selftest_fault selftest_memory_faults[] = {
    {"heap-double-free", double_free, NULL},
    {"heap-double-free-large", double_free_large, NULL},
    {"heap-wild-free", wild_free, NULL},
    {"heap-overflow", overflow, NULL},
    {"heap-underflow", underflow, NULL},
    {"heap-use-after-free", use_after_free, NULL},
    {"page-double-free", page_double_free, NULL},
    {"page-use-after-free", page_use_after_free, NULL},
    {.name = NULL},
};
