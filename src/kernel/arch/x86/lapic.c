/* lapic.c - the local APIC, in xAPIC mode: its registers are memory. */
#include "arch/x86/lapic.h"

#include <stddef.h>

#include "arch/x86/control.h"
#include "arch/x86/port.h"
#include "arch/x86/trap.h"
#include "mm/pages.h"
#include "mm/paging.h"

#define CPUID_1_EDX_APIC (1u << 9)
#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ENABLE (1u << 11)

#define COMMAND_PENDING (1u << 12)
#define COMMAND_OTHERS (3u << 18)
#define SPURIOUS_ENABLE (1u << 8)
#define LVT_NMI (4u << 8)
#define LVT_ACTIVE_LOW (1u << 13)
#define LVT_LEVEL (1u << 15)
#define VERSION_INTEGRATED 0x10u /* lower ones are the 82489DX, a chip of its own */

static volatile uint32_t *registers; /* NULL: not in use */
static volatile uint64_t spurious, errors;

uint32_t lapic_read(uint32_t reg) {
    return registers[reg / sizeof(*registers)];
}

void lapic_write(uint32_t reg, uint32_t value) {
    registers[reg / sizeof(*registers)] = value;
}

bool lapic_in_use(void) {
    return registers != NULL;
}

uint8_t lapic_id(void) {
    return (uint8_t)(lapic_read(LAPIC_ID) >> 24);
}

void lapic_end(void) {
    lapic_write(LAPIC_EOI, 0);
}

/* Firmware that has changed to x2APIC mode, where registers are MSRs, keeps the 8259A usable. */
static bool can_be_used(void) {
    if (!(cpuid(1, 0).edx & CPUID_1_EDX_APIC))
        return false;
    return !(read_msr(MSR_APIC_BASE) & APIC_BASE_X2APIC);
}

static void set_inputs(const struct madt *madt) {
    for (unsigned lint = 0; lint < 2; lint++) {
        uint32_t entry = LAPIC_LVT_MASKED; /* LINT0 is the 8259A's, as a rule */
        if (madt->has_nmi && madt->nmi_lint == lint)
            entry =
                LVT_NMI | (madt->nmi_low ? LVT_ACTIVE_LOW : 0) | (madt->nmi_level ? LVT_LEVEL : 0);
        lapic_write(LAPIC_LVT_LINT(lint), entry);
    }
}

bool lapic_init(const struct madt *madt) {
    if (!can_be_used())
        return false;
    volatile uint32_t *at = paging_map_device(madt->local_apic, PAGE_SIZE);
    if (at == NULL)
        return false;
    uint64_t base = read_msr(MSR_APIC_BASE);
    uint64_t low = base & (PAGE_SIZE - 1);
    if (base != (madt->local_apic | low | APIC_BASE_ENABLE))
        write_msr(MSR_APIC_BASE, madt->local_apic | low | APIC_BASE_ENABLE);
    uint32_t version = at[LAPIC_VERSION / sizeof(*at)];
    if (version == UINT32_MAX || (version & 0xff) < VERSION_INTEGRATED)
        return false;
    registers = at;
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | TRAP_LAPIC_SPURIOUS);
    lapic_write(LAPIC_TASK_PRIORITY, 0);
    lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, TRAP_LAPIC_ERROR);
    lapic_write(LAPIC_ERROR_STATUS, 0);
    set_inputs(madt);
    return true;
}

/* Its devices' inputs are the boot processor's; it has the same address, which INIT leaves alone.
 */
void lapic_init_core(void) {
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | TRAP_LAPIC_SPURIOUS);
    lapic_write(LAPIC_TASK_PRIORITY, 0);
    lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, TRAP_LAPIC_ERROR);
    for (unsigned lint = 0; lint < 2; lint++)
        lapic_write(LAPIC_LVT_LINT(lint), LAPIC_LVT_MASKED);
}

/* One at a time: an interrupt in between might send another. */
static void command(uint32_t upper, uint32_t lower) {
    uintptr_t flags = interrupts_save();
    while (lapic_read(LAPIC_COMMAND) & COMMAND_PENDING)
        cpu_pause();
    lapic_write(LAPIC_COMMAND + 0x10, upper);
    lapic_write(LAPIC_COMMAND, lower);
    interrupts_restore(flags);
}

void lapic_send(uint32_t apic_id, uint32_t what) {
    command(apic_id << 24, what);
}

void lapic_send_others(uint32_t what) {
    command(0, what | COMMAND_OTHERS);
}

/* SDM 10.9: not in service, so there is nothing to end. */
void lapic_handle_spurious(void) {
    spurious++;
}

void lapic_handle_error(void) {
    lapic_write(LAPIC_ERROR_STATUS, 0); /* SDM 10.5.3: written before it is read */
    (void)lapic_read(LAPIC_ERROR_STATUS);
    errors++;
    lapic_end();
}

uint64_t lapic_spurious_count(void) {
    return spurious;
}

uint64_t lapic_error_count(void) {
    return errors;
}
