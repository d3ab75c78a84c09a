/* pci_host.c - configuration space out of the command line: where a virtio device has its
 * registers, and where the firmware says that configuration space is.
 *
 *     pci_host virtio HEX       256 bytes; BAR 0 is 4 KiB of memory at 0x10000, BAR 1 has ports
 *     pci_host storm SEED COUNT HEX   damages bytes of it COUNT times
 *     pci_host mcfg HEX         a table */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/mcfg.h"
#include "dev/pci_capability.h"
#include "dev/virtio.h"
#include "mm/paging.h"

#define BAR_BASE 0x10000u
#define BAR_BYTES 4096u

static uint8_t space[256];
static unsigned reads;

uint32_t pci_read32(const struct pci_device *d, uint16_t offset) {
    uint32_t value;
    (void)d;
    reads++;
    if (offset > sizeof(space) - sizeof(value))
        abort();
    memcpy(&value, space + offset, sizeof(value));
    return value;
}

void *paging_map_device(uint64_t physical, size_t size) {
    if (physical < BAR_BASE || size > BAR_BYTES || physical + size > BAR_BASE + BAR_BYTES)
        abort();
    return (void *)(uintptr_t)physical; /* never touched */
}

static size_t read_hex(uint8_t *to, size_t room, const char *hex) {
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size && i < room; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        to[i] = (uint8_t)byte;
    }
    return size;
}

static bool open(struct virtio *v) {
    struct pci_device d = {
        .bar = {{.base = BAR_BASE, .size = BAR_BYTES}, {.base = 0xc000, .size = 64, .io = true}}};
    reads = 0;
    bool found = virtio_modern_open(v, &d);
    if (reads > 1000) /* a walk ends, whatever the pointers say */
        abort();
    return found;
}

static void storm(uint32_t seed, unsigned count) {
    uint8_t saved[sizeof(space)];
    unsigned refused = 0;
    struct virtio v;
    memcpy(saved, space, sizeof(space));
    for (unsigned n = 0; n < count; n++) {
        for (unsigned i = 0; i < 3; i++) {
            seed = seed * 1664525 + 1013904223;
            space[(seed >> 8) % sizeof(space)] = (uint8_t)(seed >> 24);
        }
        refused += !open(&v);
        if (n % 4 == 3)
            memcpy(space, saved, sizeof(space));
    }
    printf("%u refused\n", refused);
}

int main(int argc, char **argv) {
    struct virtio v;
    if (argc == 3 && strcmp(argv[1], "virtio") == 0) {
        read_hex(space, sizeof(space), argv[2]);
        if (open(&v))
            printf("common %p notify %p %u * %u config %p %u\n", (void *)(uintptr_t)v.common,
                   (void *)(uintptr_t)v.notify, v.notify_bytes, v.notify_multiplier,
                   (void *)(uintptr_t)v.config, v.config_bytes);
        else
            printf("none\n");
    } else if (argc == 5 && strcmp(argv[1], "storm") == 0) {
        read_hex(space, sizeof(space), argv[4]);
        storm((uint32_t)atoi(argv[2]), (unsigned)atoi(argv[3]));
    } else if (argc == 3 && strcmp(argv[1], "mcfg") == 0) {
        uint8_t *bytes = malloc(strlen(argv[2]) / 2);
        struct acpi_table table = {bytes, read_hex(bytes, SIZE_MAX, argv[2])};
        struct fluid_error err;
        struct mcfg mcfg;
        if (mcfg_parse(&mcfg, &table, &err) == 0)
            printf("%llx %u %u\n", (unsigned long long)mcfg.address, mcfg.first_bus, mcfg.last_bus);
        else
            printf("%s %s\n", err.code, err.text);
        free(bytes);
    } else {
        return 2;
    }
    return 0;
}
