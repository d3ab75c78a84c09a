/* cache_partition.c - finds the cache partition and mounts it. */
#include "cache/cache_partition.h"

#include "arch/x86/random.h"
#include "console/event.h"
#include "fs/partition.h"

static struct cache cache;
static bool mounted;
static struct fluid_error reason; /* why not */

static const char *why(void) {
    static const char *const empty[] = {
        [CACHE_IN_USE] = NULL,
        [CACHE_BLANK] = "blank",
        [CACHE_DAMAGED] = "damaged",
        [CACHE_OTHER_VERSION] = "version",
    };
    if (cache.read_only == CACHE_READ_ERROR)
        return "read-error";
    if (empty[cache.empty])
        return empty[cache.empty];
    return cache.read_only ? "read-only" : NULL;
}

static void warn(void) {
    struct fluid_error e;
    if (cache.empty == CACHE_DAMAGED)
        fluid_fail(&e, "E-CACHE-03",
                   "disk %s, cache partition: a sound superblock expected, found none; it starts "
                   "anew, what was in it is made again",
                   cache.device->name);
    else if (cache.empty == CACHE_OTHER_VERSION)
        fluid_fail(&e, "E-CACHE-04",
                   "disk %s, cache partition: version %u expected, found another one; it starts "
                   "anew with what is first put into it",
                   cache.device->name, CACHE_VERSION_MAJOR);
    else
        return;
    report_warn(&e);
}

static void tell(void) {
    event_begin("cache");
    event_string("op", "mount");
    event_null("key");
    event_string("reason", why());
    event_u64("entries", cache.count);
    event_end();
}

static void mount(struct block_device *disk, const struct partition *p) {
    if (cache_mount(&cache, disk, p->lba, p->sectors, cpu_random, CACHE_WRITE_LIMIT, &reason)) {
        report_warn(&reason);
        return;
    }
    mounted = true;
    warn();
    tell();
}

void cache_partition_mount(void) {
    struct fat16 *files = partition_files(NULL);
    struct partition partitions[4];

    fluid_fail(&reason, "E-CACHE-01",
               "a partition of type %02x expected beside the model's, found none; build the image "
               "with cache=16",
               CACHE_PARTITION);
    if (!files || mbr_read(files->device, partitions, &reason))
        return;
    for (unsigned i = 0; i < 4; i++) {
        if (partitions[i].type == CACHE_PARTITION) {
            mount(files->device, &partitions[i]);
            return;
        }
    }
}

struct cache *cache_partition(struct fluid_error *err) {
    if (!mounted && err)
        *err = reason;
    return mounted ? &cache : NULL;
}

void cache_partition_sync(void) {
    struct fluid_error err;
    if (mounted && cache_sync(&cache, &err))
        report_warn(&err);
}
