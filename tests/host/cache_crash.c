/* cache_crash.c - power cuts for the kernel's cache, as cache_crash.py has them for the model. Of
 * the writes since the last flush any subset may be on the medium, and any of them torn. What was
 * acknowledged must be there, as it was put; of the operation under way the state before or behind
 * it; nothing else.
 *     cache_crash SEED IMAGES     "ok ..." and status 0, or "violation ..." and status 1 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"
#include "cache_device.h"

#define SECTORS 96u
#define NAMES 14u
#define OPERATIONS_MAX 40u
#define SESSIONS 6u /* of one machine, each begun on what a cut has left */
#define IMAGES_EACH 60u
#define PAYLOAD_MAX 5000u
#define FIELDS 160u /* bytes of a header sector in which something stands */

enum { ABSENT = 0, QUARANTINED = 1 }; /* else the number of a payload */

struct state {
    uint64_t value[NAMES];
    size_t events; /* so many by then */
    bool switched; /* arenas changed just before */
};

static struct memory_disk disk;
static struct cache cache;
static struct state states[OPERATIONS_MAX + 1];
static unsigned state_count;
static uint8_t base[SECTORS * BLOCK_SECTOR];
static uint64_t seed, payloads = QUARANTINED;
static unsigned long changes;

static uint64_t random_number(void) {
    return splitmix(&seed);
}

static uint32_t below(uint32_t n) {
    return (uint32_t)(random_number() % n);
}

static _Noreturn void violation(const char *what, size_t where) {
    printf("violation: %s (%zu)\n", what, where);
    exit(1);
}

static uint16_t kind_of(unsigned name) {
    return (uint16_t)(1 + name % 2);
}

static const uint8_t *key_of(unsigned name) {
    static uint8_t key[CACHE_KEY_SIZE];
    memset(key, (int)(name / 2 + 1), sizeof key);
    return key;
}

/* The bytes of a payload follow from its number. */
static uint32_t fill(uint64_t number, uint8_t *to) {
    static const uint16_t sizes[] = {1, 40, 511, 512, 513, 1024, 2300, PAYLOAD_MAX};
    uint64_t state = number;
    uint32_t size = sizes[splitmix(&state) % 8];
    for (uint32_t i = 0; i < size; i++)
        to[i] = (uint8_t)(splitmix(&state) >> 40);
    return size;
}

static bool is(uint64_t value, const uint8_t *found, uint32_t size) {
    uint8_t expected[PAYLOAD_MAX];
    return value > QUARANTINED && fill(value, expected) == size && !memcmp(expected, found, size);
}

static bool quarantined(unsigned name) {
    for (uint32_t i = 0; i < cache.count; i++)
        if (cache.rows[i].quarantined && cache.rows[i].kind == kind_of(name) &&
            !memcmp(cache.rows[i].key, key_of(name), CACHE_KEY_SIZE))
            return true;
    return false;
}

/* Whether the cache has this name as one of two values; says if it has it at all. */
static bool has_either(unsigned name, uint64_t one, uint64_t other, bool *there) {
    uint8_t found[PAYLOAD_MAX];
    uint32_t size = 0;
    struct fluid_error err;
    *there = true;
    if (quarantined(name))
        return one == QUARANTINED || other == QUARANTINED;
    *there = cache_find(&cache, kind_of(name), key_of(name)) != NULL;
    if (!*there)
        return one == ABSENT || other == ABSENT;
    if (cache_read(&cache, kind_of(name), key_of(name), found, sizeof found, &size, &err))
        return false;
    return is(one, found, size) || is(other, found, size);
}

static void compare(const struct state *before, const struct state *behind, size_t where) {
    unsigned count = 0;
    for (unsigned name = 0; name < NAMES; name++) {
        uint64_t one = before->value[name], other = behind->value[name];
        bool there;
        bool fine = has_either(name, one, other, &there);
        /* What is replaced may be left behind when arenas change. */
        if (!fine && !(behind->switched && one != other && !there))
            violation("neither old nor new", where);
        count += there;
    }
    if (count != cache.count)
        violation("an entry that nobody put", where);
}

static void mount(void) {
    struct fluid_error err;
    if (cache_mount(&cache, &disk.block, 0, SECTORS, random_number, UINT64_MAX, &err))
        violation(err.text, 0);
}

/* One operation, followed by `value`. */
static void operate(uint64_t value[NAMES]) {
    struct fluid_error err;
    unsigned name = below(NAMES);
    uint32_t roll = below(100);
    uint8_t data[PAYLOAD_MAX];
    int result = 0;
    if (roll < 62) {
        uint32_t size = fill(++payloads, data);
        result = cache_put(&cache, kind_of(name), key_of(name), data, size, below(1000), &err);
        if (result && value[name] == QUARANTINED)
            return;
        value[name] = payloads;
    } else if (roll < 72) {
        result = cache_remove(&cache, kind_of(name), key_of(name), &err);
        if (value[name] != QUARANTINED)
            value[name] = ABSENT;
    } else if (roll < 75) {
        result = cache_quarantine(&cache, kind_of(name), key_of(name), &err);
        value[name] = QUARANTINED;
    } else if (roll < 77) {
        result = cache_clear(&cache, &err);
        memset(value, 0, NAMES * sizeof *value);
    } else {
        cache_note(&cache, kind_of(name), key_of(name), below(1000));
        result = cache_sync(&cache, &err);
    }
    if (result)
        violation(err.text, 0);
}

/* What changing arenas has left behind is no more. */
static void forget_evicted(uint64_t value[NAMES]) {
    for (unsigned name = 0; name < NAMES; name++)
        if (!quarantined(name) && !cache_find(&cache, kind_of(name), key_of(name)))
            value[name] = ABSENT;
}

static void operate_all(unsigned operations) {
    state_count = 1;
    for (unsigned i = 0; i < operations; i++) {
        struct state *s = &states[state_count++];
        uint32_t so_far = cache.compactions;
        *s = states[i];
        operate(s->value);
        s->events = disk.event_count;
        s->switched = cache.compactions != so_far;
        changes += s->switched;
        if (s->switched)
            forget_evicted(s->value);
        compare(s, s, i);
    }
}

/* What may be on the medium when the power goes behind `cut` events. */
static void crash(size_t cut) {
    static const uint8_t likelihoods[] = {10, 50, 90, 100};
    static const uint16_t torn_within[] = {FIELDS / 4, FIELDS, BLOCK_SECTOR};
    uint32_t likely = likelihoods[below(4)];
    size_t flushed = 0; /* events before this are there */
    for (size_t i = 0; i < cut; i++)
        if (disk.events[i].lba == DISK_FLUSH)
            flushed = i;
    memcpy(disk.image, base, sizeof base);
    for (size_t i = 0; i < cut; i++) {
        const struct disk_event *event = &disk.events[i];
        if (event->lba == DISK_FLUSH || (i >= flushed && below(100) >= likely))
            continue;
        uint8_t *at = disk.image + (size_t)event->lba * BLOCK_SECTOR;
        uint32_t from = 0, to = BLOCK_SECTOR;
        if (i >= flushed && below(10) < 3) {
            uint32_t torn = below(torn_within[below(3)]);
            if (below(2))
                from = torn;
            else
                to = torn;
        }
        memcpy(at + from, event->data + from, to - from);
    }
}

/* Anywhere; often before a flush, where most is under way. */
static size_t some_cut(void) {
    size_t cut = below((uint32_t)disk.event_count + 1);
    bool forward = below(2);
    while (forward && cut < disk.event_count && disk.events[cut].lba != DISK_FLUSH)
        cut++;
    return cut;
}

static void cut_power(void) {
    size_t cut = some_cut();
    unsigned before = 0;
    for (unsigned i = 0; i < state_count; i++)
        if (states[i].events <= cut)
            before = i;
    unsigned behind = states[before].events == cut ? before : before + 1;
    size_t events = disk.event_count;
    crash(cut);
    mount();
    if (cache.rejected > 1)
        violation("more than the last record is damaged", cut);
    compare(&states[before], &states[behind], cut);
    if (disk.event_count != events)
        violation("mounting has written", cut);
}

static void session(void) {
    static const uint8_t most[] = {6, 14, OPERATIONS_MAX};
    memcpy(disk.image, base, sizeof base);
    disk.event_count = 0;
    mount();
    states[0].events = 0;
    states[0].switched = false;
    operate_all(1 + below(most[below(3)]));
    for (unsigned i = 0; i < IMAGES_EACH; i++)
        cut_power();
    /* The next session begins with the last image, and with what is in it. */
    uint64_t value[NAMES];
    for (unsigned name = 0; name < NAMES; name++) {
        bool there;
        value[name] = ABSENT;
        for (unsigned i = 0; i < state_count; i++)
            if (has_either(name, states[i].value[name], states[i].value[name], &there))
                value[name] = states[i].value[name];
    }
    memcpy(states[0].value, value, sizeof value);
    memcpy(base, disk.image, sizeof base);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    seed = strtoull(argv[1], NULL, 10);
    unsigned long wanted = strtoul(argv[2], NULL, 10), images = 0;
    disk_make(&disk, SECTORS);
    while (images < wanted) {
        memset(base, 0, sizeof base);
        memset(&states[0], 0, sizeof states[0]);
        for (unsigned i = 0; i < SESSIONS; i++, images += IMAGES_EACH)
            session();
    }
    printf("ok %lu images, %lu changes of arenas\n", images, changes);
    disk_free(&disk);
    return 0;
}
