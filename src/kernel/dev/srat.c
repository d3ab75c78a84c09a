/* srat.c - a list of entries, each with its type and length. */
#include "dev/srat.h"

#include "lib/string.h"

#define TYPE_LOCAL_APIC 0
#define TYPE_MEMORY 1
#define TYPE_LOCAL_X2APIC 2
#define ENABLED 1u

struct __attribute__((packed)) srat_head {
    struct acpi_header header;
    uint32_t reserved1;
    uint64_t reserved2;
};
struct __attribute__((packed)) local_apic { /* table 5.53 */
    uint8_t type, length, node_low, apic_id;
    uint32_t flags;
    uint8_t sapic_eid, node_high[3];
    uint32_t clock_domain;
};
struct __attribute__((packed)) memory { /* table 5.54 */
    uint8_t type, length;
    uint32_t node;
    uint16_t reserved1;
    uint64_t base, size;
    uint32_t reserved2, flags;
    uint64_t reserved3;
};
struct __attribute__((packed)) local_x2apic { /* table 5.56 */
    uint8_t type, length;
    uint16_t reserved1;
    uint32_t node, apic_id, flags, clock_domain, reserved2;
};
_Static_assert(sizeof(struct local_apic) == 16 && sizeof(struct memory) == 40 &&
                   sizeof(struct local_x2apic) == 24,
               "ACPI 6.5, 5.2.16");

static int damaged(struct fluid_error *err, const char *what, unsigned long long found) {
    return fluid_fail(err, "E-ACPI-08",
                      "ACPI: a SRAT with %s expected, found 0x%llx; update the BIOS", what, found);
}

static int take_memory(struct srat *srat, const struct memory *e, struct fluid_error *err) {
    if (!(e->flags & ENABLED) || e->size == 0)
        return 0;
    if (e->base + e->size - 1 < e->base)
        return damaged(err, "memory below 2^64", e->base);
    for (unsigned i = 0; i < srat->memory_count; i++) {
        const struct srat_memory *m = &srat->memory[i];
        if (e->base <= m->base + (m->length - 1) && m->base <= e->base + (e->size - 1))
            return damaged(err, "memory of one node each", e->base);
    }
    if (srat->memory_count == SRAT_MEMORY_MAX)
        return damaged(err, "no more than 32 pieces of memory", SRAT_MEMORY_MAX + 1);
    srat->memory[srat->memory_count++] = (struct srat_memory){e->base, e->size, e->node};
    return 0;
}

static void take_processor(struct srat *srat, uint32_t node, uint32_t flags) {
    if (!(flags & ENABLED) || srat->has_node)
        return;
    srat->has_node = true;
    srat->node = node;
}

/* One entry; size is its own length, at least 2. Types that are not ours are passed over. */
static int take(struct srat *srat, const uint8_t *bytes, size_t size, uint32_t apic_id,
                struct fluid_error *err) {
    union {
        struct local_apic local_apic;
        struct memory memory;
        struct local_x2apic local_x2apic;
    } e;
    static const uint8_t sizes[] = {
        [TYPE_LOCAL_APIC] = sizeof(e.local_apic),
        [TYPE_MEMORY] = sizeof(e.memory),
        [TYPE_LOCAL_X2APIC] = sizeof(e.local_x2apic),
    };
    uint8_t type = bytes[0];
    if (type >= sizeof(sizes))
        return 0;
    if (size < sizes[type])
        return damaged(err, "whole entries", size);
    memcpy(&e, bytes, sizes[type]);
    if (type == TYPE_MEMORY)
        return take_memory(srat, &e.memory, err);
    if (type == TYPE_LOCAL_X2APIC && e.local_x2apic.apic_id == apic_id)
        take_processor(srat, e.local_x2apic.node, e.local_x2apic.flags);
    if (type == TYPE_LOCAL_APIC && e.local_apic.apic_id == apic_id) {
        const uint8_t *high = e.local_apic.node_high;
        take_processor(srat,
                       e.local_apic.node_low | (uint32_t)high[0] << 8 | (uint32_t)high[1] << 16 |
                           (uint32_t)high[2] << 24,
                       e.local_apic.flags);
    }
    return 0;
}

int srat_parse(struct srat *srat, const struct acpi_table *table, uint32_t apic_id,
               struct fluid_error *err) {
    memset(srat, 0, sizeof(*srat));
    if (table->size < sizeof(struct srat_head))
        return damaged(err, "a whole head", table->size);
    for (size_t at = sizeof(struct srat_head), size; at < table->size; at += size) {
        size_t left = table->size - at;
        size = left >= 2 ? table->bytes[at + 1] : 0;
        if (size < 2 || size > left)
            return damaged(err, "entries within the table", size);
        if (take(srat, table->bytes + at, size, apic_id, err) != 0)
            return -1;
    }
    return 0;
}
