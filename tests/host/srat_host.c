/* srat_host.c - the kernel's reading of a SRAT.
 *
 *     srat_host FILE APIC_ID              prints what it tells, one fact per line
 *     srat_host FILE APIC_ID SEED COUNT   damages bytes of it COUNT times
 *
 * The table is in a block of its own size: AddressSanitizer notices each byte read beyond it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/srat.h"

static int parse(struct srat *srat, const uint8_t *bytes, size_t size, uint32_t apic_id,
                 struct fluid_error *err) {
    uint8_t *copy = malloc(size);
    struct acpi_table table = {memcpy(copy, bytes, size), size};
    int result = srat_parse(srat, &table, apic_id, err);
    free(copy);
    return result;
}

static unsigned storm(uint8_t *bytes, size_t size, uint32_t seed, unsigned count) {
    unsigned refused = 0;
    for (unsigned n = 0; n < count; n++) {
        struct fluid_error err;
        struct srat srat;
        seed = seed * 1664525 + 1013904223;
        size_t at = (seed >> 8) % size;
        uint8_t saved = bytes[at];
        bytes[at] = (uint8_t)(seed >> 24);
        if (parse(&srat, bytes, size, 0, &err) != 0) {
            refused++;
            if (strcmp(err.code, "E-ACPI-08") != 0)
                abort();
        } else if (srat.memory_count > SRAT_MEMORY_MAX) {
            abort();
        }
        bytes[at] = saved;
    }
    return refused;
}

int main(int argc, char **argv) {
    static uint8_t bytes[65536];
    struct fluid_error err;
    struct srat srat;
    FILE *file = argc >= 3 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return 2;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (argc == 5) {
        printf("%u refused\n",
               storm(bytes, size, (uint32_t)atoi(argv[3]), (unsigned)atoi(argv[4])));
        return 0;
    }
    if (parse(&srat, bytes, size, (uint32_t)atoi(argv[2]), &err) != 0) {
        printf("%s %s\n", err.code, err.text);
        return 0;
    }
    for (unsigned i = 0; i < srat.memory_count; i++)
        printf("memory %llx +%llx node %u\n", (unsigned long long)srat.memory[i].base,
               (unsigned long long)srat.memory[i].length, srat.memory[i].node);
    if (srat.has_node)
        printf("processor in node %u\n", srat.node);
    return 0;
}
