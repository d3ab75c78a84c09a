/* acpi_host.c - the kernel's reading of ACPI tables, on memory out of a file.
 *
 *     acpi_host FILE              prints what the MADT tells, one fact per line
 *     acpi_host FILE SEED COUNT   damages bytes of the tables COUNT times, checksums made right
 *
 * FILE: pieces of physical memory, each with its address and size (uint64_t, little-endian) in
 * front. Every piece that is looked at is a block of its own and of that very size, so that
 * AddressSanitizer notices each byte that is read beyond it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/acpi.h"
#include "dev/madt.h"

#define PIECES_MAX 32
#define LOOKED_AT_MAX 4096

struct piece {
    uint64_t address, size;
    uint8_t *bytes;
};

static struct piece pieces[PIECES_MAX];
static unsigned piece_count;
static void *looked_at[LOOKED_AT_MAX];
static unsigned looked_at_count;

static const void *map(uint64_t address, size_t size) {
    for (unsigned i = 0; i < piece_count; i++) {
        const struct piece *p = &pieces[i];
        if (address < p->address || address - p->address > p->size ||
            size > p->size - (address - p->address))
            continue;
        if (looked_at_count == LOOKED_AT_MAX)
            abort();
        void *copy = looked_at[looked_at_count++] = malloc(size);
        return memcpy(copy, p->bytes + (address - p->address), size);
    }
    return NULL;
}

static void forget(void) {
    while (looked_at_count > 0)
        free(looked_at[--looked_at_count]);
}

static void load(const char *path) {
    FILE *file = fopen(path, "rb");
    uint64_t head[2];
    if (!file)
        abort();
    while (fread(head, sizeof head, 1, file) == 1) {
        struct piece p = {head[0], head[1], malloc(head[1] + 1)};
        if (piece_count == PIECES_MAX || fread(p.bytes, 1, p.size, file) != p.size)
            abort();
        pieces[piece_count++] = p;
    }
    fclose(file);
}

static int read_madt(struct madt *madt, struct fluid_error *err) {
    struct acpi acpi;
    struct acpi_table table;
    *err = (struct fluid_error){.code = "-"};
    if (acpi_open(&acpi, map, err) != 0 || acpi_find(&acpi, "APIC", &table, err) != 0)
        return -1;
    return madt_parse(madt, &table, err);
}

static void print(const struct madt *m) {
    printf("local APIC %llx\nprocessors %u\n", (unsigned long long)m->local_apic, m->processors);
    for (unsigned i = 0; i < m->io_apic_count; i++)
        printf("I/O APIC %x from %u\n", m->io_apic[i].address, m->io_apic[i].first_gsi);
    for (unsigned i = 0; i < MADT_ISA_IRQS; i++)
        if (m->isa[i].gsi != i || m->isa[i].active_low || m->isa[i].level)
            printf("IRQ %u: %u %s %s\n", i, m->isa[i].gsi, m->isa[i].active_low ? "low" : "high",
                   m->isa[i].level ? "level" : "edge");
    if (m->has_nmi)
        printf("NMI %u %s %s\n", m->nmi_lint, m->nmi_low ? "low" : "high",
               m->nmi_level ? "level" : "edge");
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void fix(struct piece *p, uint64_t size, unsigned at) {
    uint8_t sum = 0;
    if (size > p->size || at >= size)
        return;
    p->bytes[at] = 0;
    for (uint64_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + p->bytes[i]);
    p->bytes[at] = (uint8_t)-sum;
}

/* Makes the checksums of a table right again, as far as its length lets it. */
static void fix_checksums(struct piece *p) {
    if (memcmp(p->bytes, "RSD PTR ", 8) == 0) {
        fix(p, 20, 8);
        fix(p, 36, 32);
    } else {
        uint32_t size;
        memcpy(&size, p->bytes + 4, sizeof size);
        fix(p, size, 9);
    }
}

static unsigned storm(uint32_t seed, unsigned count) {
    unsigned refused = 0;
    for (unsigned n = 0; n < count; n++) {
        struct piece *p = &pieces[next_random(&seed) % piece_count];
        uint8_t *saved = memcpy(malloc(p->size), p->bytes, p->size);
        struct fluid_error err;
        struct madt madt;
        for (unsigned i = 1 + next_random(&seed) % 3; i > 0; i--)
            p->bytes[next_random(&seed) % p->size] = (uint8_t)next_random(&seed);
        fix_checksums(p);
        if (read_madt(&madt, &err) != 0) {
            refused++;
            if (err.code[0] != '\0' && strncmp(err.code, "E-ACPI-", 7) != 0)
                abort();
        } else if (madt.io_apic_count > MADT_IO_APICS_MAX || madt.local_apic % 4096 != 0) {
            abort();
        }
        forget();
        memcpy(p->bytes, saved, p->size);
        free(saved);
    }
    return refused;
}

int main(int argc, char **argv) {
    struct fluid_error err;
    struct madt madt;
    if (argc < 2)
        return 2;
    load(argv[1]);
    if (argc == 4)
        printf("%u refused\n", storm((uint32_t)atoi(argv[2]), (unsigned)atoi(argv[3])));
    else if (read_madt(&madt, &err) == 0)
        print(&madt);
    else
        printf("%s %s\n", err.code, err.text);
    forget();
    for (unsigned i = 0; i < piece_count; i++)
        free(pieces[i].bytes);
    return 0;
}
