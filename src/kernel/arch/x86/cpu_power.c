/* cpu_power.c - the ways out: reset, leaving the emulator, halt. */
#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "arch/x86/port.h"
#include "arch/x86/power.h"
#include "dev/serial.h"
#include "fluid/exit.h"

#define KEYBOARD_STATUS 0x64
#define KEYBOARD_INPUT_FULL 2
#define KEYBOARD_PULSE_RESET 0xfe
#define RESET_CONTROL 0xcf9 /* ICH and PIIX3 reset control register */
#define RESET_TRIES 100000

_Noreturn void cpu_halt(void) {
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

_Noreturn void cpu_reset(void) {
    serial_flush();
    __asm__ volatile("cli");
    power_acpi_reset();
    for (int i = 0; i < RESET_TRIES && (inb(KEYBOARD_STATUS) & KEYBOARD_INPUT_FULL); i++)
        cpu_pause();
    outb(KEYBOARD_STATUS, KEYBOARD_PULSE_RESET);
    for (int i = 0; i < RESET_TRIES; i++)
        cpu_pause();
    outb(RESET_CONTROL, 0x02);
    outb(RESET_CONTROL, 0x06);
    for (int i = 0; i < RESET_TRIES; i++)
        cpu_pause();
    /* An exception without an IDT cannot be delivered, nor can the double fault: shutdown, which
     * the chipset answers with a reset. */
    struct __attribute__((packed)) {
        uint16_t limit;
        uintptr_t base;
    } empty = {0, 0};
    __asm__ volatile("lidt %0\n\tint3" : : "m"(empty));
    cpu_halt();
}

_Noreturn void cpu_power_off(uint8_t code) {
    serial_flush();
    __asm__ volatile("cli");
    outb(FLUID_EXIT_PORT, code);
    /* Without isa-debug-exit: a wanted end switches the machine off as its firmware says, or
     * through the ports of the virtual machines we know; after an error it stays on so that the
     * screen can be read. */
    if (code == FLUID_EXIT_PASS) {
        power_acpi_off();
        outw(0x604, 0x2000);  /* QEMU PM1a control: SLP_EN, S5 */
        outw(0xb004, 0x2000); /* Bochs, QEMU before 2.0 */
        outw(0x4004, 0x3400); /* VirtualBox */
        for (const char *s = "Shutdown"; *s != '\0'; s++)
            outb(0x8900, (uint8_t)*s); /* Bochs */
    }
    cpu_halt();
}
