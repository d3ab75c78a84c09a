/* boot_kernel.c - a kernel that only tells what the boot sectors and the kernel's entry handed to
 * it, as lines "key value ...", numbers in hexadecimal. Linked with the real entry and linker
 * script; PADDING names a file that makes it as large as a test wants. Built by boot_images.py. */
#include <stdint.h>
#include "fluid/bootinfo.h"
#include "fluid/exit.h"

#define COM1 0x3f8
#define CAN_SEND 0x20
#define BEHIND_EVERYTHING 0x3000000 /* no test loads anything here, 48 MiB */

extern char kernel_bss_end[], kernel_stack_bottom[], kernel_stack_top[];
extern uint64_t kernel_entry_tsc;

static volatile uint8_t zeros[1 << 20]; /* .bss; volatile: the compiler must not assume them */

#ifdef PADDING
__asm__(".section .data.padding, \"aw\"\n.incbin \"" PADDING "\"\n.previous");
#endif

static void out8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c) {
    while (!(in8(COM1 + 5) & CAN_SEND))
        continue;
    out8(COM1, (uint8_t)c);
}

static void key(const char *name) {
    put('\n');
    while (*name != '\0')
        put(*name++);
}

static void number(uint64_t value) {
    int digits = 16;
    while (digits > 1 && value >> (4 * (digits - 1)) == 0)
        digits--;
    put(' ');
    while (digits-- > 0)
        put("0123456789abcdef"[value >> (4 * digits) & 15]);
}

/* Adler-32 of what was loaded: not the checksum that stage2 compared. */
static uint32_t adler32(uint32_t address, uint32_t size) {
    const uint8_t *p = (const uint8_t *)(uintptr_t)address;
    uint32_t a = 1, b = 0;
    for (uint32_t i = 0; i < size; i++) {
        a = (a + p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void part(const char *name, const struct boot_loaded *l) {
    key(name);
    number(l->addr);
    number(l->size);
    number(l->mem_size);
    number(adler32(l->addr, l->size));
}

_Noreturn void kernel_main(const struct bootinfo *boot) {
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0); /* EBP or RBP was pushed there */
    uint32_t dirty = 0;
    for (uint32_t i = 0; i < sizeof(zeros); i++)
        dirty += zeros[i] != 0;
    key("dirty");
    number(dirty);
    key("last_bss_byte");
    number((uint8_t)kernel_bss_end[-1]);
    key("junk");
    number(*(volatile uint32_t *)BEHIND_EVERYTHING);
    key("stack"); /* the System V ABIs align the stack to 16 before the call */
    number(frame > (uintptr_t)kernel_stack_bottom && frame < (uintptr_t)kernel_stack_top);
    number((frame + 2 * sizeof(void *)) % 16);
    key("bits");
    number(8 * sizeof(void *));
    key("tsc");
    number(kernel_entry_tsc);
    kernel_entry_tsc = 0; /* the only byte of the kernel that has changed since it was loaded */
    key("boot");
    number(boot->magic);
    number(boot->version);
    number(boot->size);
    number(boot->boot_drive);
    key("id");
    for (int i = 0; i < BOOT_BUILD_ID_SIZE; i++)
        number(boot->build_id[i]);
    part("kernel", &boot->kernel);
    part("ksyms", &boot->ksyms);
    part("registry", &boot->registry);
    for (uint32_t i = 0; i < boot->e820_count; i++) {
        key("e820");
        number(boot->e820[i].base);
        number(boot->e820[i].length);
        number(boot->e820[i].type);
    }
    key("end\n");
    out8(FLUID_EXIT_PORT, FLUID_EXIT_PASS);
    for (;;)
        __asm__ volatile("hlt");
}
