/* stage2.h - what the files of stage2 share. They are 32-bit protected-mode code without paging. */
#ifndef BOOT_STAGE2_H
#define BOOT_STAGE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "crc32.h"
#include "layout.h"

/* stage2_start.S */
struct bios_regs {
    uint32_t eax, ebx, ecx, edx, esi, edi;
    uint32_t eflags; /* result only */
    uint32_t es;
};
_Static_assert(sizeof(struct bios_regs) == BIOS_REGS_SIZE, "known to stage2_start.S");
_Static_assert(offsetof(struct bios_regs, eflags) == BIOS_REGS_EFLAGS, "known to stage2_start.S");
_Static_assert(offsetof(struct bios_regs, es) == BIOS_REGS_ES, "known to stage2_start.S");

#define EFLAGS_CF 1u

void bios_call(uint32_t number, struct bios_regs *regs);
_Noreturn void enter_kernel(uint32_t entry, const struct bootinfo *boot);

/* stage2_console.c: text to the screen and COM1. Formats: %s %u %x %%. */
void console_init(void);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints "E-BOOT-nn text" and stops the machine. */
_Noreturn void fail(unsigned number, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reports what the kernel would have: the event of docs/formats.md on COM1, the sentence for people
 * there and on the screen. Ends an emulated machine, stops a real one. No quotes in the text. */
_Noreturn void fail_event(const char *code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void port_out8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t port_in8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* stage2_a20.c: memory above 1 MiB is reachable from here on; E-BOOT-40. */
void a20_enable(void);

/* stage2_memory.c */
void memory_detect(struct bootinfo *boot); /* fills in the E820 map; E-BOOT-41, 42 */
/* All of [base, base + size) is usable memory. */
bool memory_usable(const struct bootinfo *boot, uint32_t base, uint32_t size);
/* The lowest page at or above from where size usable bytes begin; 0 when there is none. */
uint32_t memory_find(const struct bootinfo *boot, uint32_t from, uint32_t size);
uint32_t memory_total_kib(const struct bootinfo *boot); /* usable, between 1 MiB and MEMORY_LIMIT */

#define MEMORY_FIRST 0x100000u   /* nothing is loaded below: there is the BIOS's and our own data */
#define MEMORY_LIMIT 0x80000000u /* nothing is loaded above 2 GiB: the kernel's code model */
#define MEMORY_PAGE 4096u

/* stage2_disk.c: reads size bytes that begin at sector lba to memory; E-BOOT-45. done is called
 * after every chunk with the number of sectors just read. */
void disk_init(uint8_t bios_drive);
void disk_read(uint32_t lba, uint32_t size, void *to, void (*done)(uint32_t sectors));

/* stage2_load.c */
void manifest_check(const struct boot_manifest *m);                            /* E-BOOT-43 */
void blobs_load(const struct boot_manifest *m, struct bootinfo *boot);         /* E-BOOT-44 .. 46 */
void kernel_check(const struct boot_manifest *m, const struct bootinfo *boot); /* E-BOOT-47, 48 */

/* stage2_cpu.c: all that the kernel's code may use is there; E-CPU-05 names what is not. */
void cpu_check(const struct kernel_header *header);

/* stage2_lib.c */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#endif
