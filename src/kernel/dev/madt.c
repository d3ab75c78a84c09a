/* madt.c - a list of entries, each with its type and length. */
#include "dev/madt.h"

#include "lib/string.h"

#define APIC_ALIGN 4096u

#define TYPE_LOCAL_APIC 0
#define TYPE_IO_APIC 1
#define TYPE_OVERRIDE 2
#define TYPE_LOCAL_NMI 4
#define TYPE_LOCAL_APIC_ADDRESS 5
#define TYPE_LOCAL_X2APIC 9

#define PROCESSOR_ENABLED 1u
#define BUS_ISA 0

/* MPS INTI flags, table 5.26: two bits each; 0: as on the bus */
#define POLARITY(flags) ((flags) & 3)
#define TRIGGER(flags) ((flags) >> 2 & 3)
#define AS_ON_BUS 0
#define HIGH_OR_EDGE 1
#define RESERVED 2
#define LOW_OR_LEVEL 3

struct __attribute__((packed)) madt_head {
    struct acpi_header header;
    uint32_t local_apic, flags;
};
struct __attribute__((packed)) local_apic {
    uint8_t type, length, processor, apic_id;
    uint32_t flags;
};
struct __attribute__((packed)) io_apic {
    uint8_t type, length, id, reserved;
    uint32_t address, first_gsi;
};
struct __attribute__((packed)) override {
    uint8_t type, length, bus, source;
    uint32_t gsi;
    uint16_t flags;
};
struct __attribute__((packed)) local_nmi {
    uint8_t type, length, processor;
    uint16_t flags;
    uint8_t lint;
};
struct __attribute__((packed)) local_apic_address {
    uint8_t type, length;
    uint16_t reserved;
    uint64_t address;
};
struct __attribute__((packed)) local_x2apic {
    uint8_t type, length;
    uint16_t reserved;
    uint32_t apic_id, flags, processor;
};

static int damaged(struct fluid_error *err, const char *what, unsigned long long found) {
    return fluid_fail(err, "E-ACPI-03",
                      "ACPI: a MADT with %s expected, found 0x%llx; update the BIOS", what, found);
}

static int take_io_apic(struct madt *madt, const struct io_apic *e, struct fluid_error *err) {
    if (madt->io_apic_count == MADT_IO_APICS_MAX)
        return damaged(err, "no more I/O APICs than 8", MADT_IO_APICS_MAX + 1);
    if (e->address == 0 || e->address % 16 != 0)
        return damaged(err, "aligned I/O APICs", e->address);
    madt->io_apic[madt->io_apic_count++] =
        (struct madt_io_apic){.address = e->address, .first_gsi = e->first_gsi};
    return 0;
}

static bool flags_are_valid(uint16_t flags) {
    return POLARITY(flags) != RESERVED && TRIGGER(flags) != RESERVED;
}

static int take_override(struct madt *madt, const struct override *e, struct fluid_error *err) {
    if (e->bus != BUS_ISA || e->source >= MADT_ISA_IRQS)
        return damaged(err, "overrides of ISA interrupts", e->source);
    if (!flags_are_valid(e->flags))
        return damaged(err, "known flags of an override", e->flags);
    madt->isa[e->source] = (struct madt_isa_irq){
        .gsi = e->gsi,
        .active_low = POLARITY(e->flags) == LOW_OR_LEVEL,
        .level = TRIGGER(e->flags) == LOW_OR_LEVEL,
    };
    return 0;
}

/* The boot processor's; firmware gives all the same. */
static int take_nmi(struct madt *madt, const struct local_nmi *e, struct fluid_error *err) {
    if (e->lint > 1)
        return damaged(err, "an NMI at input 0 or 1", e->lint);
    if (!flags_are_valid(e->flags))
        return damaged(err, "known flags of an NMI", e->flags);
    if (madt->has_nmi && e->processor != MADT_ALL_PROCESSORS)
        return 0;
    madt->has_nmi = true;
    madt->nmi_lint = e->lint;
    madt->nmi_low = POLARITY(e->flags) == LOW_OR_LEVEL;
    madt->nmi_level = TRIGGER(e->flags) == LOW_OR_LEVEL;
    return 0;
}

static void take_processor(struct madt *madt, uint32_t flags, uint32_t apic_id) {
    if (!(flags & PROCESSOR_ENABLED))
        return;
    if (madt->processors < MADT_PROCESSORS_MAX)
        madt->apic_id[madt->processors] = apic_id;
    madt->processors++;
}

static int take_address(struct madt *madt, uint64_t address, struct fluid_error *err) {
    if (address == 0 || address % APIC_ALIGN != 0)
        return damaged(err, "a local APIC on a page of its own", address);
    madt->local_apic = address;
    return 0;
}

/* One entry; size is its own length, at least 2. Types that are not ours are passed over. */
static int take(struct madt *madt, const uint8_t *bytes, size_t size, struct fluid_error *err) {
    union {
        struct local_apic local_apic;
        struct io_apic io_apic;
        struct override override;
        struct local_nmi nmi;
        struct local_apic_address address;
        struct local_x2apic local_x2apic;
    } e;
    static const uint8_t sizes[] = {
        [TYPE_LOCAL_APIC] = sizeof(e.local_apic),      [TYPE_IO_APIC] = sizeof(e.io_apic),
        [TYPE_OVERRIDE] = sizeof(e.override),          [TYPE_LOCAL_NMI] = sizeof(e.nmi),
        [TYPE_LOCAL_APIC_ADDRESS] = sizeof(e.address), [TYPE_LOCAL_X2APIC] = sizeof(e.local_x2apic),
    };
    uint8_t type = bytes[0];
    if (type >= sizeof(sizes) || sizes[type] == 0)
        return 0;
    if (size < sizes[type])
        return damaged(err, "whole entries", size);
    memcpy(&e, bytes, sizes[type]);
    switch (type) {
    case TYPE_LOCAL_APIC:
        take_processor(madt, e.local_apic.flags, e.local_apic.apic_id);
        return 0;
    case TYPE_LOCAL_X2APIC:
        take_processor(madt, e.local_x2apic.flags, e.local_x2apic.apic_id);
        return 0;
    case TYPE_IO_APIC:
        return take_io_apic(madt, &e.io_apic, err);
    case TYPE_OVERRIDE:
        return take_override(madt, &e.override, err);
    case TYPE_LOCAL_NMI:
        return take_nmi(madt, &e.nmi, err);
    default:
        return take_address(madt, e.address.address, err);
    }
}

int madt_parse(struct madt *madt, const struct acpi_table *table, struct fluid_error *err) {
    struct madt_head head;
    memset(madt, 0, sizeof(*madt));
    for (unsigned irq = 0; irq < MADT_ISA_IRQS; irq++)
        madt->isa[irq].gsi = irq;
    if (table->size < sizeof(head))
        return damaged(err, "a whole head", table->size);
    memcpy(&head, table->bytes, sizeof(head));
    if (take_address(madt, head.local_apic, err) != 0)
        return -1;
    for (size_t at = sizeof(head), size; at < table->size; at += size) {
        size_t left = table->size - at;
        size = left >= 2 ? table->bytes[at + 1] : 0;
        if (size < 2 || size > left)
            return damaged(err, "entries within the table", size);
        if (take(madt, table->bytes + at, size, err) != 0)
            return -1;
    }
    return 0;
}
