/* command_cache.c - /cache: what the cache partition holds; /cache verify and /cache clear. */
#include "console/command.h"

#include "cache/cache_partition.h"
#include "console/event.h"
#include "jit/entry.h"
#include "lib/printf.h"
#include "lib/string.h"

#define KEY_SHOWN 8u /* bytes of a key: enough to tell entries apart */
#define BENEFIT_SIZE 24u

static void print_key(const uint8_t *key) {
    for (unsigned i = 0; i < KEY_SHOWN; i++)
        kprintf("%02x", key[i]);
}

static const char *benefit_of(const struct cache_row *row, char text[BENEFIT_SIZE]) {
    ksnprintf(text, BENEFIT_SIZE, "%llu", (unsigned long long)row->benefit);
    return row->benefit == UINT64_MAX ? "most" : text;
}

static void print_row(const struct cache_row *row) {
    char text[BENEFIT_SIZE];
    kprintf("  %-9s ", entry_kind_name(row->kind));
    print_key(row->key);
    if (row->quarantined)
        kprintf("  in quarantine\n");
    else
        kprintf("  %8u bytes  benefit %s, last used in boot %llu\n", row->size,
                benefit_of(row, text), (unsigned long long)row->last_use);
}

static const char *state(const struct cache *c) {
    return c->read_only == CACHE_WRITABLE ? "writable" : "read-only";
}

static void list(const struct cache *c) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        print_row(&c->rows[i]);
        bytes += c->rows[i].size;
    }
    kprintf("%u entries, %llu bytes; room for %u KiB; boot %llu, %s\n", c->count,
            (unsigned long long)bytes, c->arena_sectors / 2, (unsigned long long)c->clock,
            state(c));
    kprintf("%u hits, %u misses, %u damaged, %u left behind; %llu bytes written since the start\n",
            c->hits, c->misses, c->rejected, c->evicted, (unsigned long long)c->written);
}

static void verify(struct cache *c) {
    struct cache_findings f = cache_verify(c);
    kprintf("%u records, %u of them damaged; %u of 2 superblocks damaged; the end is %s\n",
            f.records, f.bad_records, f.bad_superblocks, f.damaged_end ? "damaged" : "sound");
}

static bool is(const char *word, const char *argument, size_t length) {
    return strlen(word) == length && memcmp(word, argument, length) == 0;
}

void command_cache(char *argument, size_t length) {
    struct fluid_error err;
    struct cache *c = cache_partition(&err);

    if (!c) {
        report_error(&err);
    } else if (length == 0) {
        list(c);
    } else if (is("verify", argument, length)) {
        verify(c);
    } else if (!is("clear", argument, length)) {
        fluid_fail(&err, "E-CACHE-12",
                   "/cache expects clear, verify or nothing, found %zu bytes of something else; "
                   "say one of these",
                   length);
        report_error(&err);
    } else if (cache_clear(c, &err)) {
        report_error(&err);
    } else {
        kprintf("The cache is empty.\n");
    }
}
