/* power_host.c - the firmware's tables about power, the way out that they lead to, and the
 * battery-backed clock, on ports that are played here.
 *
 *     power_host off|reset FADT DSDT   the ports that are written; tables in hexadecimal, - for
 * none power_host s5 SEED COUNT DSDT    damages bytes of the DSDT COUNT times power_host rtc
 * REGISTERS CENTURY BUSY the date; BUSY: how often an update is in progress
 *
 * A table is a block of its very size, so that AddressSanitizer notices each byte read beyond it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/port.h"
static void played_out(uint16_t port, uint16_t value);
static uint16_t played_in(uint16_t port);
#define outb(port, value) played_out(port, value)
#define outw(port, value) played_out(port, value)
#define inb(port) ((uint8_t)played_in(port))
#define inw(port) played_in(port)

#include "arch/x86/power.c"
#include "dev/rtc.c"

static struct acpi_table facp, dsdt;
static uint16_t pm1a_value, smi_port;
static uint8_t cmos[128], cmos_index, reset_byte;
static unsigned busy;

static void played_out(uint16_t port, uint16_t value) {
    if (port == PORT_INDEX) {
        cmos_index = value & 0x7f;
        return;
    }
    printf("%x=%x ", port, value);
    if (smi_port != 0 && port == smi_port)
        pm1a_value |= PM1_ACPI_ON;
}

static uint16_t played_in(uint16_t port) {
    if (port != PORT_DATA)
        return pm1a_value;
    if (cmos_index == REG_A && busy > 0) {
        busy--;
        return A_UPDATING;
    }
    if (busy > 0)
        cmos[REG_SECOND]++; /* it runs while it is read */
    return cmos[cmos_index];
}

void time_delay_us(uint32_t us) {
    (void)us;
}

void *paging_map_device(uint64_t physical, size_t size) {
    return physical < 1ull << 40 && size == 1 ? &reset_byte : NULL;
}

void report_warn(const struct fluid_error *err) {
    printf("%s %s\n", err->code, err->text);
}

void kprintf(const char *format, ...) {
    (void)format;
}

int acpi_table(const char signature[4], struct acpi_table *found) {
    *found = facp;
    return memcmp(signature, "FACP", 4) == 0 && facp.bytes ? 0 : -1;
}

int acpi_table_at(uint64_t address, const char signature[4], struct acpi_table *found) {
    *found = dsdt;
    return address == 0x7fe0000 && memcmp(signature, "DSDT", 4) == 0 && dsdt.bytes ? 0 : -1;
}

static struct acpi_table bytes_of(const char *hex) {
    size_t size = strlen(hex) / 2;
    if (hex[0] == '-')
        return (struct acpi_table){0};
    uint8_t *bytes = malloc(size);
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
    return (struct acpi_table){bytes, size};
}

static void storm(uint32_t seed, unsigned count) {
    unsigned refused = 0;
    for (unsigned n = 0; n < count; n++) {
        struct acpi_table copy = {malloc(dsdt.size), dsdt.size};
        uint8_t types[2] = {9, 9}, *bytes = (uint8_t *)(uintptr_t)copy.bytes;
        struct fluid_error err;
        memcpy(bytes, dsdt.bytes, dsdt.size);
        for (unsigned i = 0; i < 2; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[36 + (seed >> 8) % (dsdt.size - 36)] = (uint8_t)(seed >> 24);
        }
        if (dsdt_find_s5(types, &copy, &err) != 0)
            refused++;
        else if (types[0] > 7 || types[1] > 7)
            abort();
        free(bytes);
    }
    printf("%u refused\n", refused);
}

int main(int argc, char **argv) {
    const char *command = argc == 4 || argc == 5 ? argv[1] : "";
    struct rtc_date d;
    if (strcmp(command, "rtc") == 0) {
        struct acpi_table registers = bytes_of(argv[2]);
        memcpy(cmos, registers.bytes, registers.size < 128 ? registers.size : 128);
        free((void *)(uintptr_t)registers.bytes);
        busy = (unsigned)atoi(argv[4]);
        if (rtc_read(&d, (uint8_t)strtoul(argv[3], NULL, 0)))
            printf("%04u-%02u-%02u %02u:%02u:%02u\n", d.year, d.month, d.day, d.hour, d.minute,
                   d.second);
        else
            printf("no date\n");
    } else if (strcmp(command, "s5") == 0) {
        dsdt = bytes_of(argv[4]);
        storm((uint32_t)atoi(argv[2]), (unsigned)atoi(argv[3]));
    } else if (command[0] != '\0') {
        facp = bytes_of(argv[2]);
        dsdt = bytes_of(argv[3]);
        smi_port = 0xb2;
        pm1a_value = 0x1c00; /* a type that nobody asked for */
        power_init();
        if (strcmp(command, "off") == 0)
            power_acpi_off();
        else
            power_acpi_reset();
        printf("%s%x\n", reset_byte ? "memory=" : "", reset_byte);
    } else {
        return 2;
    }
    free((void *)(uintptr_t)facp.bytes);
    free((void *)(uintptr_t)dsdt.bytes);
    return 0;
}
