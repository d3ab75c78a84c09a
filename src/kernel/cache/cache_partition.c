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

/* It is written to: nothing else may be where it is, nor may it stand before all others, where the
 * boot area is. mbr_read has seen to it that entries end on the disk. */
static bool stands_alone(const struct partition partitions[4], const struct partition *p) {
    bool behind = false;
    for (unsigned i = 0; i < 4; i++) {
        const struct partition *o = &partitions[i];
        if (o == p || o->type == 0)
            continue;
        if (p->lba < o->lba + o->sectors && o->lba < p->lba + p->sectors)
            return false;
        behind |= o->lba < p->lba;
    }
    return behind;
}

static void mount_if_alone(struct block_device *disk, const struct partition partitions[4],
                           const struct partition *p) {
    if (stands_alone(partitions, p)) {
        mount(disk, p);
        return;
    }
    fluid_fail(&reason, "E-CACHE-13",
               "disk %s: a cache partition behind another one and over none expected, found it at "
               "sectors %llu to %llu; write the image again",
               disk->name, (unsigned long long)p->lba,
               (unsigned long long)(p->lba + p->sectors - 1));
    report_warn(&reason);
}

void cache_partition_mount(void) {
    struct fat16 *files = partition_files(NULL);
    struct partition partitions[4];

    fluid_fail(&reason, "E-CACHE-01",
               "a partition of type %02x expected beside the model's, found none; build the image "
               "with cache=16",
               CACHE_PARTITION);
    if (!files)
        return;
    if (mbr_read(files->device, partitions, &reason)) {
        report_warn(&reason);
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (partitions[i].type == CACHE_PARTITION) {
            mount_if_alone(files->device, partitions, &partitions[i]);
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
