/* scratch.h - which disks /selftest disk may overwrite, what it does to them and with which data.
 * The same in site_scons/fluid/scratch.py, which makes the disks. */
#ifndef KERNEL_SELFTEST_SCRATCH_H
#define KERNEL_SELFTEST_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "fluid/scratch.h"

/* May this disk be overwritten, as its first sector says? */
bool scratch_check(const struct scratch *sector, uint64_t sectors);

/* What the disk test does, one operation at a time. */
enum scratch_kind { SCRATCH_FLUSH, SCRATCH_READ, SCRATCH_WRITE };
struct scratch_operation {
    enum scratch_kind kind;
    uint32_t lba, count; /* within sectors 1 .. sectors - 1; none of a flush */
    uint32_t offset;     /* of the buffer behind a page boundary: even, below 4096 */
};
struct scratch_operation scratch_next(uint32_t *random, uint32_t sectors);

/* The content that operation `version` (from 1 on; 0: what the disk was made with) writes. */
void scratch_fill(uint32_t *words, uint32_t lba, uint32_t version, uint32_t seed);
bool scratch_equal(const uint32_t *words, uint32_t lba, uint32_t version, uint32_t seed);
#endif
