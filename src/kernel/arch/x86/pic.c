/* pic.c - Intel 8259A: master on IRQ 0-7, slave on IRQ 8-15 behind IRQ 2. */
#include "arch/x86/pic.h"

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/port.h"

#define MASTER 0x20
#define SLAVE 0xa0
#define DATA 1 /* offset of the data port */
#define CASCADE 2
#define ICW1_INIT_ICW4 0x11
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define OCW3_READ_ISR 0x0b

static uint16_t mask = 0xffff;

/* Old controllers need about a microsecond between commands; port 0x80 is the POST code's. */
static void pic_write(uint16_t port, uint8_t value) {
    outb(port, value);
    outb(0x80, 0);
}

static void write_mask(void) {
    pic_write(MASTER + DATA, (uint8_t)mask);
    pic_write(SLAVE + DATA, (uint8_t)(mask >> 8));
}

void pic_init(void) {
    pic_write(MASTER, ICW1_INIT_ICW4);
    pic_write(SLAVE, ICW1_INIT_ICW4);
    pic_write(MASTER + DATA, IRQ_VECTOR_BASE);
    pic_write(SLAVE + DATA, IRQ_VECTOR_BASE + 8);
    pic_write(MASTER + DATA, 1 << CASCADE);
    pic_write(SLAVE + DATA, CASCADE);
    pic_write(MASTER + DATA, ICW4_8086);
    pic_write(SLAVE + DATA, ICW4_8086);
    mask = 0xffff;
    write_mask();
}

static void mask_irq(unsigned irq) {
    mask |= (uint16_t)(1u << irq);
    write_mask();
}

static bool unmask_irq(unsigned irq) {
    mask &= (uint16_t)~(1u << irq);
    if (irq >= 8)
        mask &= (uint16_t)~(1u << CASCADE);
    write_mask();
    return true;
}

/* A request that went away before it was acknowledged arrives as IRQ 7 or 15 without its in-service
 * bit (8259A data sheet, "spurious"). It must not be ended; the master's cascade must. */
static bool is_spurious(unsigned irq) {
    if (irq != 7 && irq != 15)
        return false;
    uint16_t port = irq == 7 ? MASTER : SLAVE;
    pic_write(port, OCW3_READ_ISR);
    if (inb(port) & 0x80)
        return false;
    if (irq == 15)
        pic_write(MASTER, OCW2_EOI);
    return true;
}

static void end_irq(unsigned irq) {
    if (irq >= 8)
        pic_write(SLAVE, OCW2_EOI);
    pic_write(MASTER, OCW2_EOI);
}

const struct irq_controller pic = {"8259A", mask_irq, unmask_irq, is_spurious, end_irq};
