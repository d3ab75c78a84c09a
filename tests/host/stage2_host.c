/* stage2_host.c - a BIOS and an address line 20 for stage2's own code in a Linux process, for what
 * no emulator can be made to do. usage: stage2_host a20 bios|keyboard|port|never, stage2_host
 * memory N
 *
 * Linked at a low address (-no-pie): stage2 keeps addresses in 32 bits. A closed line 20 is one
 * piece of memory that is mapped twice, 1 MiB apart. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define port_in8 real_port_in8
#define port_out8 real_port_out8
#include "../../src/boot/stage2.h"
#undef port_in8
#undef port_out8

static uint8_t port_in8(uint16_t port);
static void port_out8(uint16_t port, uint8_t value);

#include "../../src/boot/stage2_a20.c"
#include "../../src/boot/stage2_memory.c"

#define MIB (1u << 20)
#define HOST_PAGE 4096u

static const char *way; /* that opens the line */
static uint32_t ranges; /* that the BIOS tells */
static bool kbc_output_port;

extern char __bss_start[], _end[];

static char *bss(size_t *size) {
    uintptr_t start = (uintptr_t)__bss_start & ~(uintptr_t)(HOST_PAGE - 1);
    *size = ((uintptr_t)_end - start + HOST_PAGE - 1) & ~(size_t)(HOST_PAGE - 1);
    return (char *)start;
}

static void map(char *at, size_t size, int flags, int file) {
    if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_FIXED | flags, file, 0) != at)
        abort();
}

static void close_line(void) {
    size_t size;
    char *at = bss(&size);
    int file = memfd_create("line 20", 0);
    if (file < 0 || write(file, at, size) != (ssize_t)size)
        abort();
    map(at, size, MAP_SHARED, file);
    map(at + MIB, size, MAP_SHARED, file);
}

static void open_line(const char *by) {
    size_t size;
    char *at = bss(&size);
    if (strcmp(by, way) == 0)
        map(at + MIB, size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static uint8_t port_in8(uint16_t port) {
    (void)port;
    return 0;
}

static void port_out8(uint16_t port, uint8_t value) {
    if (port == SYSTEM_PORT_A && value & SYSTEM_PORT_A20)
        open_line("port");
    if (port == KBC_COMMAND)
        kbc_output_port = value == KBC_WRITE_OUTPUT_PORT;
    if (port == KBC_DATA && kbc_output_port && value == KBC_OUTPUT_A20_ON)
        open_line("keyboard");
}

static void next_range(struct bios_regs *regs) {
    struct e820_entry *entry = (struct e820_entry *)(uintptr_t)regs->edi;
    uint32_t i = regs->ebx;
    regs->eflags = i >= ranges ? EFLAGS_CF : 0;
    regs->ebx = i + 1 < ranges ? i + 1 : 0;
    regs->eax = SMAP;
    if (i < ranges)
        *entry = (struct e820_entry){.base = MIB + (uint64_t)i * 2 * MEMORY_PAGE,
                                     .length = MEMORY_PAGE,
                                     .type = 1,
                                     .attributes = E820_IGNORE_IF_CLEAR};
}

void bios_call(uint32_t number, struct bios_regs *regs) {
    if (number != 0x15)
        abort();
    if (regs->eax == 0xe820)
        next_range(regs);
    else if (regs->eax == 0x2401)
        open_line("bios");
}

_Noreturn void fail(unsigned number, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("E-BOOT-%u ", number);
    vprintf(format, args);
    va_end(args);
    puts("");
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv) {
    static char output[BUFSIZ];
    setvbuf(stdout, output, _IOFBF, sizeof output); /* no heap: it may lie where line 20 reaches */
    if (argc == 3 && strcmp(argv[1], "a20") == 0) {
        way = argv[2];
        close_line();
        a20_enable();
        puts("open");
    } else if (argc == 3 && strcmp(argv[1], "memory") == 0) {
        static struct bootinfo boot;
        ranges = (uint32_t)atoi(argv[2]);
        memory_detect(&boot);
        printf("%u ranges\n", boot.e820_count);
    } else {
        return 2;
    }
    return 0;
}
