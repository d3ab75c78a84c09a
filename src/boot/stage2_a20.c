/* stage2_a20.c - opens address line 20, which the IBM AT closed for 8086 programs. Which of the
 * three switches works depends on the machine, so each is tried and the result is tested. */
#include "stage2.h"

#define KBC_DATA 0x60
#define KBC_COMMAND 0x64
#define KBC_INPUT_FULL 2
#define KBC_WRITE_OUTPUT_PORT 0xd1
#define KBC_OUTPUT_A20_ON 0xdf
#define KBC_NO_COMMAND 0xff
#define KBC_PATIENCE 100000 /* status reads */
#define SYSTEM_PORT_A 0x92
#define SYSTEM_PORT_A20 2
#define SYSTEM_PORT_RESET 1

/* With the line closed, an address and the same plus 1 MiB are one byte. */
static bool a20_open(void) {
    static volatile uint32_t low;
    volatile uint32_t *high = (volatile uint32_t *)((uintptr_t)&low + (1u << 20));
    low = 0x12345678;
    *high = 0x87654321;
    return low == 0x12345678;
}

static bool a20_opens_in_time(void) {
    for (int i = 0; i < 10000; i++) {
        if (a20_open())
            return true;
    }
    return false;
}

static void by_bios(void) {
    bios_call(0x15, &(struct bios_regs){.eax = 0x2401});
}

static void kbc_write(uint16_t port, uint8_t value) {
    for (int i = 0; i < KBC_PATIENCE && (port_in8(KBC_COMMAND) & KBC_INPUT_FULL); i++) {
    }
    port_out8(port, value);
}

static void by_keyboard_controller(void) {
    kbc_write(KBC_COMMAND, KBC_WRITE_OUTPUT_PORT);
    kbc_write(KBC_DATA, KBC_OUTPUT_A20_ON);
    kbc_write(KBC_COMMAND, KBC_NO_COMMAND); /* some controllers act only when the next one comes */
}

/* Last, because on a few old machines the port is something else. */
static void by_system_port(void) {
    uint8_t value = port_in8(SYSTEM_PORT_A);
    port_out8(SYSTEM_PORT_A, (uint8_t)((value | SYSTEM_PORT_A20) & ~SYSTEM_PORT_RESET));
}

void a20_enable(void) {
    static void (*const ways[])(void) = {by_bios, by_keyboard_controller, by_system_port};
    if (a20_open())
        return;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        ways[i]();
        if (a20_opens_in_time())
            return;
    }
    fail(40,
         "address line A20 expected open, found closed after BIOS, keyboard controller and port "
         "92h; enable \"Gate A20\" in the BIOS set-up");
}
