/* fat16_name.c - names of directory entries: long names from UTF-16 to UTF-8, short names from 8.3.
 * fatgen103, "Long Directory Entries" and "Short Directory Entries". */
#include "fs/fat16_internal.h"
#include "lib/string.h"

#define LONG_ORDINAL 0
#define LONG_TYPE 12
#define LONG_CHECKSUM 13
#define LONG_CLUSTER 26
#define LONG_LAST 0x40 /* in the ordinal of the name's last part, which comes first on the disk */

#define SHORT_CASE 12        /* set by Windows NT and Linux for names such as "readme.txt" */
#define SHORT_CASE_NAME 0x08 /* show the name in lower case */
#define SHORT_CASE_EXT 0x10  /* show the extension in lower case */
#define SHORT_KANJI_E5 0x05  /* stands for 0xE5, which in this place would mean deleted */
#define SHORT_BASE 8

/* Where the 13 code units of a part lie. */
static const uint8_t unit_offsets[FAT16_LONG_UNITS] = {1,  3,  5,  7,  9,  14, 16,
                                                       18, 20, 22, 24, 28, 30};

void fat16_long_name_add(struct fat16_long_name *l, const uint8_t *raw) {
    uint8_t ordinal = raw[LONG_ORDINAL] & ~LONG_LAST;
    if (raw[LONG_ORDINAL] & LONG_LAST) {
        l->parts = l->next = ordinal;
        l->checksum = raw[LONG_CHECKSUM];
    }
    if (ordinal == 0 || ordinal > FAT16_LONG_PARTS || l->parts == 0 || ordinal != l->next ||
        raw[LONG_CHECKSUM] != l->checksum || raw[LONG_TYPE] != 0 ||
        fat16_u16(raw + LONG_CLUSTER) != 0) {
        l->parts = 0;
        return;
    }
    uint16_t *to = l->units + (ordinal - 1) * FAT16_LONG_UNITS;
    for (unsigned i = 0; i < FAT16_LONG_UNITS; i++)
        to[i] = fat16_u16(raw + unit_offsets[i]);
    l->next--;
}

static uint8_t short_checksum(const uint8_t *raw) {
    uint8_t sum = 0;
    for (unsigned i = 0; i < FAT16_SHORT_NAME; i++)
        sum = (uint8_t)((sum << 7 | sum >> 1) + raw[i]);
    return sum;
}

/* Writes the code point at to; returns its length in UTF-8. */
static unsigned put_utf8(char to[4], uint32_t c) {
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t leads[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (unsigned i = n; i-- > 1; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(leads[n] | c);
    return n;
}

/* The characters that no name may contain; '/' and controls would confuse paths and terminals. */
static bool forbidden(uint32_t c) {
    return c < 0x20 || c == 0x7f || c == '"' || c == '*' || c == '/' || c == ':' || c == '<' ||
           c == '>' || c == '?' || c == '\\' || c == '|';
}

/* false: not a well-formed name, or longer than FAT16_NAME_MAX - 1 bytes in UTF-8. */
static bool long_to_utf8(struct fat16_long_name *l, char to[FAT16_NAME_MAX]) {
    unsigned count = l->parts * FAT16_LONG_UNITS, used = 0, i = 0;
    while (i < count && l->units[i] != 0) {
        uint32_t c = l->units[i++];
        if (c >= 0xdc00 && c < 0xe000)
            return false; /* second half of a pair without the first */
        if (c >= 0xd800 && c < 0xdc00) {
            if (i == count || l->units[i] < 0xdc00 || l->units[i] >= 0xe000)
                return false;
            c = 0x10000 + ((c - 0xd800) << 10) + (l->units[i++] - 0xdc00u);
        }
        char bytes[4];
        unsigned n = put_utf8(bytes, c);
        if (forbidden(c) || used + n >= FAT16_NAME_MAX)
            return false;
        memcpy(to + used, bytes, n);
        used += n;
    }
    to[used] = 0;
    return used > 0;
}

/* Copies up to n bytes of a space-padded field. The code page of bytes from 0x80 on is not recorded
 * anywhere, so these become '_', and so do characters that a name may not contain. */
static unsigned put_short(char *to, const uint8_t *from, unsigned n, bool lower) {
    while (n > 0 && from[n - 1] == ' ')
        n--;
    for (unsigned i = 0; i < n; i++) {
        uint8_t c = from[i];
        if (lower && c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
        to[i] = (char)(c >= 0x80 || forbidden(c) ? '_' : c);
    }
    return n;
}

static void short_name(const uint8_t *raw, uint8_t flags, char *to) {
    uint8_t base[SHORT_BASE];
    memcpy(base, raw, SHORT_BASE);
    if (base[0] == SHORT_KANJI_E5)
        base[0] = 0xe5;
    unsigned n = put_short(to, base, SHORT_BASE, flags & SHORT_CASE_NAME);
    to[n] = '.';
    unsigned extension = put_short(to + n + 1, raw + SHORT_BASE, FAT16_SHORT_NAME - SHORT_BASE,
                                   flags & SHORT_CASE_EXT);
    to[extension ? n + 1 + extension : n] = 0;
}

void fat16_take_names(struct fat16_long_name *l, const uint8_t *raw, struct fat16_entry *entry) {
    short_name(raw, 0, entry->short_name);
    bool complete = l->parts > 0 && l->next == 0 && l->checksum == short_checksum(raw);
    if (!complete || !long_to_utf8(l, entry->name))
        short_name(raw, raw[SHORT_CASE], entry->name);
    l->parts = 0;
}
