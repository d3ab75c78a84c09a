/* stage2_memory.c - the memory map of the BIOS (ACPI 6.5, 15.1) and questions about it. */
#include "stage2.h"

#define SMAP 0x534d4150
#define E820_IGNORE_IF_CLEAR 1 /* bit 0 of the extended attributes, ACPI 3.0 */
#define E820_MAX_CALLS 1024    /* a BIOS that never ends its list must not hang the boot */

void memory_detect(struct bootinfo *boot) {
    static struct e820_entry entry;
    struct bios_regs regs = {0};

    for (int call = 0; call < E820_MAX_CALLS; call++) {
        entry.attributes = E820_IGNORE_IF_CLEAR; /* a BIOS that returns 20 bytes leaves it alone */
        regs.eax = 0xe820;
        regs.ecx = sizeof(entry);
        regs.edx = SMAP;
        regs.edi = (uint32_t)&entry;
        regs.es = 0;
        bios_call(0x15, &regs);
        if ((regs.eflags & EFLAGS_CF) || regs.eax != SMAP)
            break; /* none, or (some BIOSes) the way to say that the one before was the last */
        if (entry.length != 0 && (entry.attributes & E820_IGNORE_IF_CLEAR)) {
            if (boot->e820_count == BOOTINFO_E820_MAX)
                fail(42,
                     "at most %u memory ranges expected from the BIOS, found more; report this "
                     "machine",
                     (uint32_t)BOOTINFO_E820_MAX);
            boot->e820[boot->e820_count++] = entry;
        }
        if (regs.ebx == 0)
            break;
    }
    if (boot->e820_count == 0)
        fail(41,
             "a memory map expected from the BIOS (int 15h, E820h), found none; update the BIOS");
}

/* End of the usable memory that contains at, looking no further than limit; at itself when there is
 * none. Where ranges overlap, the one that is not usable wins. */
static uint64_t usable_end(const struct bootinfo *boot, uint64_t at, uint64_t limit) {
    uint64_t end = at;
    for (uint32_t i = 0; i < boot->e820_count; i++) {
        const struct e820_entry *e = &boot->e820[i];
        if (e->type == E820_USABLE && e->base <= end && end - e->base < e->length) {
            end = e->base + e->length;
            i = (uint32_t)-1; /* adjacent ranges may come in any order: look through all again */
        }
        if (end >= limit)
            break;
    }
    if (end > limit)
        end = limit;
    for (uint32_t i = 0; i < boot->e820_count; i++) {
        const struct e820_entry *e = &boot->e820[i];
        if (e->type == E820_USABLE || e->base >= end)
            continue;
        if (e->base > at)
            end = e->base;
        else if (at - e->base < e->length)
            return at;
    }
    return end;
}

bool memory_usable(const struct bootinfo *boot, uint32_t base, uint32_t size) {
    uint64_t end = (uint64_t)base + size;
    return base >= MEMORY_FIRST && end <= MEMORY_LIMIT && usable_end(boot, base, end) == end;
}

static uint64_t page_up(uint64_t address) {
    return (address + MEMORY_PAGE - 1) & ~(uint64_t)(MEMORY_PAGE - 1);
}

uint32_t memory_find(const struct bootinfo *boot, uint32_t from, uint32_t size) {
    /* The lowest fit begins at from or where some range ends or begins. */
    uint64_t best = 0;
    for (uint32_t i = 0; i <= 2 * boot->e820_count; i++) {
        uint64_t at = from;
        if (i > 0) {
            const struct e820_entry *e = &boot->e820[(i - 1) / 2];
            at = i % 2 ? e->base : e->base + e->length;
        }
        at = page_up(at);
        if (at >= page_up(from) && at < MEMORY_LIMIT && (best == 0 || at < best) &&
            memory_usable(boot, (uint32_t)at, size))
            best = at;
    }
    return (uint32_t)best;
}

/* The next place above at where some range begins or ends. */
static uint64_t next_edge(const struct bootinfo *boot, uint64_t at) {
    uint64_t next = MEMORY_LIMIT;
    for (uint32_t i = 0; i < boot->e820_count; i++) {
        uint64_t base = boot->e820[i].base, end = base + boot->e820[i].length;
        if (base > at && base < next)
            next = base;
        if (end > at && end < next)
            next = end;
    }
    return next;
}

uint32_t memory_total_kib(const struct bootinfo *boot) {
    uint64_t total = 0;
    for (uint64_t at = MEMORY_FIRST; at < MEMORY_LIMIT; at = next_edge(boot, at))
        total += usable_end(boot, at, next_edge(boot, at)) - at;
    return (uint32_t)(total >> 10);
}
