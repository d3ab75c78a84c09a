/* ps2.c - Intel 8042 keyboard controller (IBM PS/2 Technical Reference, "Keyboard and Auxiliary
 * Device Controller").
 *
 * Every wait has a limit and every answer may be missing: there are machines without a controller,
 * and firmware that plays one for a USB keyboard and knows little more than data and status. The
 * self-test is left out for their sake. */
#include "dev/ps2.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/x86/control.h"
#include "arch/x86/irq.h"
#include "arch/x86/port.h"
#include "arch/x86/time.h"
#include "dev/wait.h"

#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64
#define KEYBOARD_IRQ 1

#define STATUS_OUTPUT_FULL 0x01 /* a byte waits at DATA */
#define STATUS_INPUT_FULL 0x02  /* the controller has not taken our last byte yet */
#define STATUS_AUX 0x20         /* the byte is the mouse's */
#define STATUS_ABSENT 0xff      /* no device drives the bus */

#define READ_CONFIGURATION 0x20
#define WRITE_CONFIGURATION 0x60
#define DISABLE_MOUSE 0xa7
#define DISABLE_KEYBOARD 0xad
#define ENABLE_KEYBOARD 0xae
#define CONFIGURATION_IRQ1 0x01
#define CONFIGURATION_IRQ12 0x02
#define CONFIGURATION_NO_KEYBOARD 0x10
#define CONFIGURATION_NO_MOUSE 0x20
#define CONFIGURATION_TRANSLATE 0x40 /* to scan code set 1 */

#define KEYBOARD_ENABLE 0xf4
#define KEYBOARD_ACK 0xfa

#define STEP_US 10
#define WAIT_STEPS 5000u /* 50 ms */
#define FLUSH_MAX 32     /* more bytes than any controller holds */
#define RING_SIZE 8192u  /* codes, power of two: thousands of keys during one layer of a model */

static bool present, answers;
static volatile bool irq_works;
static volatile uint32_t head, tail; /* next to write, next to read; both run freely */
static volatile uint8_t ring[RING_SIZE];

static bool wait_status(uint8_t mask, uint8_t wanted) {
    for (unsigned i = 0; i < WAIT_STEPS; i++) {
        if ((inb(STATUS) & mask) == wanted)
            return true;
        time_delay_us(STEP_US);
    }
    return false;
}

static bool send(uint16_t port, uint8_t byte) {
    if (!wait_status(STATUS_INPUT_FULL, 0))
        return false;
    outb(port, byte);
    return true;
}

/* -1: no answer came */
static int receive_answer(void) {
    return wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL) ? inb(DATA) : -1;
}

static void flush(void) {
    for (unsigned i = 0; i < FLUSH_MAX && (inb(STATUS) & STATUS_OUTPUT_FULL); i++) {
        (void)inb(DATA);
        time_delay_us(STEP_US);
    }
}

static void configure(void) {
    int configuration;

    send(COMMAND, DISABLE_KEYBOARD);
    send(COMMAND, DISABLE_MOUSE);
    flush();
    send(COMMAND, READ_CONFIGURATION);
    configuration = receive_answer();
    if (configuration >= 0) {
        configuration |= CONFIGURATION_IRQ1 | CONFIGURATION_TRANSLATE | CONFIGURATION_NO_MOUSE;
        configuration &= ~(CONFIGURATION_IRQ12 | CONFIGURATION_NO_KEYBOARD);
        if (send(COMMAND, WRITE_CONFIGURATION))
            send(DATA, (uint8_t)configuration);
    }
    send(COMMAND, ENABLE_KEYBOARD);
}

/* Interrupts are off here. A byte of the mouse is dropped, and what finds the ring full as well:
 * the keyboard cannot be held back. */
static void receive(void) {
    for (unsigned i = 0; i < FLUSH_MAX; i++) {
        uint8_t status = inb(STATUS), byte;

        if (!(status & STATUS_OUTPUT_FULL))
            return;
        byte = inb(DATA);
        if ((status & STATUS_AUX) || byte == KEYBOARD_ACK || head - tail == RING_SIZE)
            continue;
        ring[head % RING_SIZE] = byte;
        head++;
    }
}

static bool handle_irq(void) {
    bool asked = inb(STATUS) & STATUS_OUTPUT_FULL;

    irq_works = true;
    receive();
    device_wake();
    return asked;
}

void ps2_init(void) {
    if (inb(STATUS) == STATUS_ABSENT)
        return;
    configure();
    present = true;
    /* The acknowledgement of this command arrives by IRQ 1, which proves that it gets through. */
    irq_register(KEYBOARD_IRQ, handle_irq);
    answers = send(DATA, KEYBOARD_ENABLE) && wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL);
}

bool ps2_needs_polling(void) {
    return answers && !irq_works;
}

bool ps2_pending(void) {
    return head != tail;
}

void ps2_poll(void) {
    uintptr_t flags;

    if (!present)
        return;
    flags = interrupts_save();
    receive();
    interrupts_restore(flags);
}

int ps2_read(void) {
    uint8_t code;

    if (head == tail)
        ps2_poll();
    if (head == tail)
        return -1;
    code = ring[tail % RING_SIZE];
    tail++;
    return code;
}
