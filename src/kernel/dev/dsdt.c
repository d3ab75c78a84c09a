/* dsdt.c - one object out of the firmware's byte code (ACPI 6.5, chapter 20: AML), without running
 * it. Name (_S5_, Package () {a, b, ...}) is what every firmware has at the top level; it is found
 * by its bytes, and each of them is checked. */
#include "dev/fadt.h"

#include "lib/string.h"

#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_WORD 0x0b
#define AML_DWORD 0x0c
#define AML_PACKAGE 0x12
#define AML_ROOT '\\'
#define SLEEP_TYPE_MAX 7u /* three bits of the PM1 control register */

struct aml {
    const uint8_t *at, *end;
};

static bool next_byte(struct aml *aml, uint8_t *byte) {
    if (aml->at == aml->end)
        return false;
    *byte = *aml->at++;
    return true;
}

/* PkgLength (20.2.4) counts itself; what follows of the package is left. */
static bool enter_package(struct aml *aml) {
    const uint8_t *begin = aml->at;
    uint8_t lead, byte;
    if (!next_byte(aml, &lead))
        return false;
    uint32_t more = lead >> 6, length = more == 0 ? lead & 0x3f : lead & 0x0f;
    for (uint32_t i = 0; i < more; i++) {
        if (!next_byte(aml, &byte))
            return false;
        length |= (uint32_t)byte << (4 + 8 * i);
    }
    if (length < (size_t)(aml->at - begin) || length > (size_t)(aml->end - begin))
        return false;
    aml->end = begin + length;
    return true;
}

/* An integer (20.2.3) that is a sleep type. */
static bool next_type(struct aml *aml, uint8_t *type) {
    uint8_t prefix, byte;
    uint32_t value = 0, bytes;
    if (!next_byte(aml, &prefix))
        return false;
    switch (prefix) {
    case AML_ZERO:
    case AML_ONE:
        *type = prefix;
        return true;
    case AML_BYTE:
        bytes = 1;
        break;
    case AML_WORD:
        bytes = 2;
        break;
    case AML_DWORD:
        bytes = 4;
        break;
    default:
        return false;
    }
    for (uint32_t i = 0; i < bytes; i++) {
        if (!next_byte(aml, &byte))
            return false;
        value |= (uint32_t)byte << 8 * i;
    }
    *type = (uint8_t)value;
    return value <= SLEEP_TYPE_MAX;
}

/* The package behind a name. One element is enough for machines without PM1b. */
static bool read_package(struct aml aml, uint8_t types[2]) {
    uint8_t op, count;
    if (!next_byte(&aml, &op) || op != AML_PACKAGE || !enter_package(&aml) ||
        !next_byte(&aml, &count) || count == 0 || !next_type(&aml, &types[0]))
        return false;
    types[1] = types[0];
    return count == 1 || next_type(&aml, &types[1]);
}

int dsdt_find_s5(uint8_t types[2], const struct acpi_table *dsdt, struct fluid_error *err) {
    static const uint8_t plain[] = {AML_NAME, '_', 'S', '5', '_'};
    static const uint8_t rooted[] = {AML_NAME, AML_ROOT, '_', 'S', '5', '_'};
    const uint8_t *end = dsdt->bytes + dsdt->size;
    const char *found = "none";
    for (const uint8_t *at = dsdt->bytes + sizeof(struct acpi_header); at < end; at++) {
        size_t left = (size_t)(end - at);
        size_t name = left >= sizeof(plain) && memcmp(at, plain, sizeof(plain)) == 0 ? sizeof(plain)
                      : left >= sizeof(rooted) && memcmp(at, rooted, sizeof(rooted)) == 0
                          ? sizeof(rooted)
                          : 0;
        if (name == 0)
            continue;
        if (read_package((struct aml){at + name, end}, types))
            return 0;
        found = "one that is no package of sleep types";
    }
    return fluid_fail(err, "E-ACPI-07",
                      "ACPI: an object _S5_ expected in the DSDT, found %s; /off tries other ways "
                      "(update the BIOS)",
                      found);
}
