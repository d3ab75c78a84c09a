/* ata.c - the IDENTIFY DEVICE data (ATA8-ACS section 7.12.7; word numbers as there). */
#include "dev/ata.h"

#define WORD_MULTIPLE_MAX 47
#define WORD_CAPABILITIES 49
#define WORD_SECTORS_28 60
#define WORD_MULTIWORD_DMA 63
#define WORD_COMMAND_SETS_1 82
#define WORD_COMMAND_SETS 83
#define WORD_ENABLED_1 85
#define WORD_ULTRA_DMA 88
#define WORD_SECTORS_48 100
#define WORD_SECTOR_SIZE 106

#define WRITE_CACHE (1u << 5) /* of words 82 (has) and 85 (is on) */
#define FLUSH_EXT (1u << 13)  /* of word 83 */

/* A drive that says nothing valid about its cache is flushed all the same: since ATA-5 the command
 * is mandatory. */
static uint8_t flush_command(const uint16_t words[256]) {
    uint16_t sets = words[WORD_COMMAND_SETS];
    bool valid = (sets & 0xc000) == 0x4000;
    if (valid && !(words[WORD_COMMAND_SETS_1] & WRITE_CACHE && words[WORD_ENABLED_1] & WRITE_CACHE))
        return 0;
    return valid && sets & FLUSH_EXT ? ATA_FLUSH_CACHE_EXT : ATA_FLUSH_CACHE;
}

bool ata_parse_identity(const uint16_t words[256], struct ata_identity *id) {
    if (words[0] & 0x8000) /* not an ATA device */
        return false;
    if (!(words[WORD_CAPABILITIES] & 1u << 9)) /* no LBA: older than any machine with SSE2 */
        return false;
    uint16_t size = words[WORD_SECTOR_SIZE];
    if ((size & 0xc000) == 0x4000 && size & 1u << 12) /* logical sectors longer than 512 bytes */
        return false;

    uint16_t sets = words[WORD_COMMAND_SETS];
    id->lba48 = (sets & 0xc000) == 0x4000 && sets & 1u << 10;
    id->sectors = words[WORD_SECTORS_28] | (uint32_t)words[WORD_SECTORS_28 + 1] << 16;
    if (id->lba48) {
        uint64_t sectors = 0;
        for (unsigned i = 4; i-- > 0;)
            sectors = sectors << 16 | words[WORD_SECTORS_48 + i];
        if (sectors > id->sectors) /* the 28-bit field saturates */
            id->sectors = sectors;
    }
    if (!id->lba48 && id->sectors > ATA_LBA28_LIMIT)
        id->sectors = ATA_LBA28_LIMIT;
    if (id->sectors > 1ull << 48)
        id->sectors = 1ull << 48;

    id->multiple = words[WORD_MULTIPLE_MAX] & 0xff;
    if (id->multiple & (id->multiple - 1)) /* the standard has powers of two only */
        id->multiple = 0;
    bool mode = words[WORD_MULTIWORD_DMA] & 0x0700 || words[WORD_ULTRA_DMA] & 0x7f00;
    id->dma = words[WORD_CAPABILITIES] & 1u << 8 && mode;
    id->flush_command = flush_command(words);
    return id->sectors != 0;
}
