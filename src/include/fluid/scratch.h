/* scratch.h - the first sector of a disk that /selftest disk may overwrite. Whoever makes the disk
 * puts it there; the kernel never writes it. Other owner: site_scons/fluid/scratch.py. */
#ifndef FLUID_SCRATCH_H
#define FLUID_SCRATCH_H

#include <stdint.h>

#define SCRATCH_MAGIC "FLUID-SCRATCH-1" /* NUL-terminated */
#define SCRATCH_HIGH 1u                 /* flags: a buffer above 4 GiB */
#define SCRATCH_COUNT_MAX 3000u         /* sectors of one operation */

struct scratch {
    char magic[16];
    uint64_t sectors; /* of the whole disk, which must have this size */
    uint32_t seed;
    uint32_t operations;
    uint32_t flags;
    uint8_t zero[476]; /* neither boot code nor 0x55AA */
};

#endif
