/* serial.c - 16550 UART at COM1 (National Semiconductor PC16550D data sheet).
 *
 * Received bytes go through a ring that IRQ 4 fills (producer) and serial_read empties (consumer).
 * When the ring is full, bytes stay in the UART and RTS drops: a sender that honours it, or an
 * emulator, which holds back input while the FIFO is full, loses nothing. */
#include "dev/serial.h"

#include <stdint.h>

#include "arch/x86/control.h"
#include "arch/x86/interrupts.h"
#include "arch/x86/irq.h"
#include "arch/x86/port.h"
#include "dev/wait.h"
#include "fluid/com1.h"

#define COM1_IRQ 4
#define DATA COM1_PORT
#define DIVISOR_LOW COM1_PORT
#define INTERRUPT_ENABLE (COM1_PORT + 1)
#define DIVISOR_HIGH (COM1_PORT + 1)
#define FIFO_CONTROL (COM1_PORT + 2)
#define INTERRUPT_ID (COM1_PORT + 2)
#define MODEM_CONTROL (COM1_PORT + 4)
#define SCRATCH (COM1_PORT + 7)

#define INTERRUPT_RECEIVED 1
#define INTERRUPT_TRANSMITTER_EMPTY 2
#define INTERRUPT_NONE 1          /* in INTERRUPT_ID */
#define FIFO_ENABLE_CLEAR_14 0xc7 /* on, both cleared, interrupt at 14 bytes or after a pause */
#define FIFO_WORKS 0xc0           /* in INTERRUPT_ID: 16550A and later */
#define FIFO_SIZE 16
#define MODEM_READY 0x0b /* DTR, RTS, OUT2 (gates the interrupt line) */
#define MODEM_RTS 0x02
#define STATUS_DATA_READY 0x01
#define STATUS_TRANSMITTER_IDLE 0x40

#define RING_SIZE 65536u /* power of two */
#define RING_STOP (RING_SIZE - 1024)
#define RING_RESUME (RING_SIZE / 2)
/* Some ten seconds: a busy reader behind an emulator may take a while. */
#define WRITE_POLLS 10000000u

static bool present, stalled;
static volatile bool irq_works; /* IRQ 4 has arrived at least once */
static unsigned fifo_size;
/* Next to write, next to read; both run freely. All three are volatile: no byte of the ring may be
 * read before head has told that it is there. */
static volatile uint32_t head, tail;
static volatile uint8_t ring[RING_SIZE];
static bool sender_stopped;

/* The scratch register remembers; a loop-back test would mistake input that is already waiting for
 * its own echo. */
static bool scratch_remembers(void) {
    static const uint8_t probes[] = {0xae, 0x51};
    for (unsigned i = 0; i < sizeof(probes); i++) {
        outb(SCRATCH, probes[i]);
        if (inb(SCRATCH) != probes[i])
            return false;
    }
    return true;
}

void serial_init(void) {
    outb(INTERRUPT_ENABLE, 0);
    outb(COM1_LINE_CONTROL, COM1_DIVISOR_LATCH);
    outb(DIVISOR_LOW, COM1_DIVISOR);
    outb(DIVISOR_HIGH, 0);
    outb(COM1_LINE_CONTROL, COM1_8N1);
    outb(FIFO_CONTROL, FIFO_ENABLE_CLEAR_14);
    fifo_size = (inb(INTERRUPT_ID) & FIFO_WORKS) == FIFO_WORKS ? FIFO_SIZE : 1;
    present = scratch_remembers();
    outb(MODEM_CONTROL, MODEM_READY);
}

/* Interrupts are off here: called by the handler and by serial_poll. */
static void receive(void) {
    while (head - tail < RING_SIZE && (inb(COM1_LINE_STATUS) & STATUS_DATA_READY)) {
        ring[head % RING_SIZE] = inb(DATA);
        head++;
    }
    uint32_t waiting = head - tail;
    if (!sender_stopped && waiting > RING_STOP) {
        sender_stopped = true;
        outb(MODEM_CONTROL, MODEM_READY & ~MODEM_RTS);
    } else if (sender_stopped && waiting < RING_RESUME) {
        sender_stopped = false;
        outb(MODEM_CONTROL, MODEM_READY);
    }
}

static bool handle_irq(void) {
    /* Reading it acknowledges the transmitter's interrupt. */
    bool asked = !(inb(INTERRUPT_ID) & INTERRUPT_NONE);
    if (!irq_works) {
        irq_works = true;
        outb(INTERRUPT_ENABLE, INTERRUPT_RECEIVED);
    }
    receive();
    device_wake();
    return asked;
}

void serial_enable_irq(void) {
    if (!present)
        return;
    irq_register(COM1_IRQ, handle_irq);
    /* The idle transmitter interrupts at once, which proves that IRQ 4 gets through. */
    outb(INTERRUPT_ENABLE, INTERRUPT_RECEIVED | INTERRUPT_TRANSMITTER_EMPTY);
}

bool serial_needs_polling(void) {
    return present && !irq_works;
}

bool serial_pending(void) {
    return head != tail;
}

void serial_poll(void) {
    if (!present)
        return;
    uintptr_t flags = interrupts_save();
    receive();
    interrupts_restore(flags);
}

int serial_read(void) {
    /* Bytes left in the UART while the ring was full raise no new interrupt (the PIC is triggered
     * by edges), so look there as well. */
    if (head == tail || sender_stopped)
        serial_poll();
    if (head == tail)
        return -1;
    int byte = ring[tail % RING_SIZE];
    tail++;
    return byte;
}

/* True when the transmitter's status is as wanted. After one long wait in vain the next ones are
 * short until it moves again. */
static bool wait_transmitter(uint8_t wanted) {
    uint32_t polls = stalled ? 1 : WRITE_POLLS;
    for (; polls > 0; polls--) {
        if (inb(COM1_LINE_STATUS) & wanted) {
            stalled = false;
            return true;
        }
        cpu_pause();
    }
    stalled = true;
    return false;
}

void serial_write(const char *bytes, size_t n) {
    if (!present)
        return;
    while (n > 0) {
        size_t burst = n < fifo_size ? n : fifo_size;
        if (wait_transmitter(COM1_TRANSMITTER_EMPTY))
            for (size_t i = 0; i < burst; i++)
                outb(DATA, (uint8_t)bytes[i]);
        bytes += burst;
        n -= burst;
    }
}

void serial_flush(void) {
    if (present)
        wait_transmitter(STATUS_TRANSMITTER_IDLE);
}
