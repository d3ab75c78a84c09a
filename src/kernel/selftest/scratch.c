/* scratch.c - which disks may be overwritten, and a sequence of operations with their data. */
#include "selftest/scratch.h"

#include "dev/block.h"
#include "lib/string.h"

#define SECTORS_MIN 2u
#define SECTORS_MAX (1u << 20)
#define WORDS (BLOCK_SECTOR / sizeof(uint32_t))
#define WORD_STEP 0x9e3779b1u

/* Of 64 operations, one is large enough to be split by every driver. */
#define COUNT_MEDIUM 300u
#define COUNT_SMALL 16u

_Static_assert(sizeof(struct scratch) == BLOCK_SECTOR, "one sector");

bool scratch_check(const struct scratch *sector, uint64_t sectors) {
    if (memcmp(sector->magic, SCRATCH_MAGIC, sizeof(SCRATCH_MAGIC)) != 0)
        return false;
    for (unsigned i = 0; i < sizeof(sector->zero); i++)
        if (sector->zero[i] != 0)
            return false;
    return sector->sectors == sectors && sectors >= SECTORS_MIN && sectors <= SECTORS_MAX &&
           !(sector->flags & ~SCRATCH_HIGH);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

struct scratch_operation scratch_next(uint32_t *random, uint32_t sectors) {
    struct scratch_operation operation = {0};
    uint32_t kind = next_random(random) % 16, size = next_random(random) % 64;
    uint32_t limit = size == 0 ? SCRATCH_COUNT_MAX : size < 9 ? COUNT_MEDIUM : COUNT_SMALL;
    if (kind == 0)
        return operation;
    operation.kind = kind < 8 ? SCRATCH_READ : SCRATCH_WRITE;
    operation.count = 1 + next_random(random) % limit;
    operation.lba = 1 + next_random(random) % (sectors - 1);
    operation.offset = next_random(random) % 2048 * 2;
    if (operation.count > sectors - operation.lba)
        operation.count = sectors - operation.lba;
    return operation;
}

static uint32_t first_word(uint32_t lba, uint32_t version, uint32_t seed) {
    return (lba * 2654435761u) ^ (version * 2246822519u) ^ seed;
}

void scratch_fill(uint32_t *words, uint32_t lba, uint32_t version, uint32_t seed) {
    uint32_t word = first_word(lba, version, seed);
    for (unsigned i = 0; i < WORDS; i++, word += WORD_STEP)
        words[i] = word;
}

bool scratch_equal(const uint32_t *words, uint32_t lba, uint32_t version, uint32_t seed) {
    uint32_t word = first_word(lba, version, seed), difference = 0;
    for (unsigned i = 0; i < WORDS; i++, word += WORD_STEP)
        difference |= words[i] ^ word;
    return difference == 0;
}
