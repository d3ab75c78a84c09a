/* memory_env.c - what the allocators need of the kernel, in a Linux process (memory_env.h). */
#include "memory_env.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/x86/cpu.h"
#include "arch/x86/sections.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/pages.h"

#define RAM_SIZE (96u << 20)
#define HOLE_START (MEMORY_BASE + (37u << 20) + 3 * PAGE_SIZE) /* no multiple of a block */
#define HOLE_END (HOLE_START + (2u << 20) + PAGE_SIZE)

char kernel_start[1], kernel_end[1]; /* outside of RAM */

const struct cpu_info *cpu_info(void) {
    static const struct cpu_info info = {.physical_bits = 40};
    return &info;
}

void vpanic(const char *format, va_list args) {
    printf("panic: ");
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    _Exit(3);
}

void panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vpanic(format, args);
}

void kprintf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

void memory_start(void) {
    static const struct bootinfo boot = {
        .e820_count = 3,
        .e820 = {{MEMORY_BASE, RAM_SIZE, E820_USABLE, 1},
                 {HOLE_START, HOLE_END - HOLE_START, 2, 1},
                 {MEMORY_BASE + RAM_SIZE - (1u << 20), 1u << 20, 2, 1}},
    };
    void *at = mmap((void *)(uintptr_t)MEMORY_BASE, RAM_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    memory_expect(at == (void *)(uintptr_t)MEMORY_BASE, "memory at a fixed address");
    pages_init(&boot);
}

uint64_t memory_random(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1dull >> 16;
}

void memory_expect(bool condition, const char *what) {
    if (condition)
        return;
    printf("broken: %s\n", what);
    exit(EXIT_FAILURE);
}
