/* absent.c - hardware that a process does not have. The kernel's table of contents (main.c) and its
 * console name it all the same; here there is nothing to set up. */
#include "arch/x86/interrupts.h"
#include "arch/x86/irq.h"
#include "arch/x86/pmu.h"
#include "arch/x86/power.h"
#include "dev/keyboard.h"
#include "dev/numa.h"
#include "dev/pci.h"
#include "dev/rtc.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "lib/printf.h"

/* Nothing interrupts the processor: input is polled (serial.c), Linux keeps the time. */
void irq_init(void) {
}

/* Linux ends the process (power.c). */
void power_init(void) {
}

void power_print(void) {
}

uint8_t power_rtc_century(void) {
    return 0;
}

bool rtc_read(struct rtc_date *date, uint8_t century) {
    (void)date;
    (void)century;
    return false;
}

void irq_print(void) {
    kprintf("  interrupts: none, input is polled\n");
}

void serial_enable_irq(void) {
}

void interrupts_enable(void) {
}

void interrupts_disable(void) {
}

uintptr_t interrupts_hold(void) {
    return 0;
}

void interrupts_release(uintptr_t held) {
    (void)held;
}

/* They are the kernel's of the host. scons bench has what valgrind simulates. */
void pmu_init(void) {
}

bool pmu_has(enum pmu_event event) {
    (void)event;
    return false;
}

void pmu_charge(struct pmu_counts *counts) {
    (void)counts;
}

struct pmu_counts pmu_charged(void) {
    return (struct pmu_counts){0};
}

/* The only disk is the image (disk.c). */
void pci_init(void) {
}

void pci_print(void) {
    kprintf("PCI: none in a process\n");
}

/* The terminal is the only screen. */
void vga_init(void) {
}

void vga_write(const char *bytes, size_t n) {
    (void)bytes;
    (void)n;
}

void vga_style(enum vga_style style) {
    (void)style;
}

void vga_status(const char *text, size_t n) {
    (void)text;
    (void)n;
}

void vga_scroll_back(int pages) {
    (void)pages;
}

void vga_scroll_end(void) {
}

/* Linux places its memory. */
void numa_init(void) {
}

void numa_print(void) {
}

/* Keys come through the terminal. */
void keyboard_init(void) {
}

int keyboard_read(void) {
    return -1;
}
