/* block_split.c - splitting by size, and the detour over memory that a controller reaches. */
#include "dev/block_split.h"

#include "dev/block.h"
#include "lib/string.h"

int block_split(const struct block_reach *reach, block_command_fn *command, void *driver,
                bool write, uint64_t lba, uint32_t count, void *buffer) {
    uint8_t *at = buffer;
    uint64_t end = (uint64_t)(uintptr_t)at + (uint64_t)count * BLOCK_SECTOR;
    bool bounce = reach->end != 0 && end > reach->end;
    uint32_t most = reach->most;
    if (bounce && !reach->bounce)
        return BLOCK_FAILED;
    if (bounce && most > BLOCK_BOUNCE_BYTES / BLOCK_SECTOR)
        most = BLOCK_BOUNCE_BYTES / BLOCK_SECTOR;
    while (count > 0) {
        uint32_t n = count < most ? count : most;
        uint32_t bytes = n * BLOCK_SECTOR;
        if (bounce && write)
            memcpy(reach->bounce, at, bytes);
        int result = command(driver, write, lba, n, bounce ? reach->bounce : at);
        if (result != BLOCK_DONE)
            return result;
        if (bounce && !write)
            memcpy(at, reach->bounce, bytes);
        at += bytes;
        lba += n;
        count -= n;
    }
    return BLOCK_DONE;
}
