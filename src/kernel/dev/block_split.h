/* block_split.h - a transfer of any size as commands that a controller can carry out. */
#ifndef KERNEL_DEV_BLOCK_SPLIT_H
#define KERNEL_DEV_BLOCK_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCK_BOUNCE_BYTES (128u << 10)

/* What one command can do. */
struct block_reach {
    uint32_t most;   /* sectors */
    uint64_t end;    /* addresses from here on are out of reach; 0: all are within */
    uint8_t *bounce; /* BLOCK_BOUNCE_BYTES within reach, NULL: not needed */
};

/* One command: count <= most, buffer within reach; a BLOCK_ result. */
typedef int block_command_fn(void *driver, bool write, uint64_t lba, uint32_t count, void *buffer);

/* Runs commands until all is moved, or the result of the first that failed. */
int block_split(const struct block_reach *reach, block_command_fn *command, void *driver,
                bool write, uint64_t lba, uint32_t count, void *buffer);
#endif
