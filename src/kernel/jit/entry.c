/* entry.c - entries of tiers in the cache partition, and an event for each thing that happens to
 * one. */
#include "jit/entry.h"

#include "arch/x86/cpu.h"
#include "cache/cache_key.h"
#include "cache/cache_partition.h"
#include "console/event.h"
#include "jit/tier_internal.h"
#include "jit/toolchain.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"
#include "mm/heap.h"

#define PLAN_SIZE 224u
#define FLAGS "no-red-zone frame-pointer" /* as request.c asks for */

size_t entry_plan_machine(const struct loaded_module *m, char *text, size_t size) {
    const struct cpu_info *cpu = cpu_info();
    return (size_t)ksnprintf(text, size, " on %s-%u-%u-%u for %s", cpu->vendor, cpu->family,
                             cpu->model, cpu->stepping, module_target(m));
}

/* "attention O3 on GenuineIntel-6-106-6 for x86-64 0.52.4=64": entry point, level, processor, T0's
 * variant, and each value that is known: argument, offset, size. */
static void plan_text(const struct jit_job *job, char plan[PLAN_SIZE]) {
    size_t at = (size_t)ksnprintf(plan, PLAN_SIZE, "%s O%u", job->entry, job->level);
    at += entry_plan_machine(job->module, plan + at, PLAN_SIZE - at);
    for (uint32_t i = 0; i < job->constant_count && at < PLAN_SIZE; i++) {
        const struct jit_constant *c = &job->constants[i];
        at += (size_t)ksnprintf(plan + at, PLAN_SIZE - at, " %u.%u.%u=%llu", c->argument,
                                c->field_off, c->size, (unsigned long long)c->value);
    }
}

const char *entry_quant(const char *operation) {
    const char *quant = strchr(operation, '_');
    return quant ? quant + 1 : "";
}

/* Of the last one that was asked for: a slot's levels have the same. */
static const uint8_t *digest_of(const void *bitcode, size_t size) {
    static const void *known;
    static uint8_t digest[SHA256_SIZE];
    struct sha256 s;
    if (bitcode == known)
        return digest;
    sha256_init(&s);
    sha256_update(&s, bitcode, size);
    sha256_final(&s, digest);
    known = bitcode;
    return digest;
}

bool entry_key(const struct jit_job *job, uint32_t rows, uint32_t cols,
               uint8_t key[CACHE_KEY_SIZE]) {
    const char *toolchain = toolchain_current();
    char plan[PLAN_SIZE];
    size_t size;
    const void *bitcode = module_bitcode(job->module, &size);
    if (!toolchain || !bitcode)
        return false;
    plan_text(job, plan);
    struct cache_key_fields f = {
        .kernel_abi = FLUID_KERNEL_ABI,
        .cpu_mask = cpu_info()->features,
        .xcr0 = cpu_info()->xcr0,
        .toolchain = toolchain,
        .flags = FLAGS,
        .plan = plan,
        .rows = rows,
        .cols = cols,
        .quant = entry_quant(job->entry),
    };
    memcpy(f.bitcode, digest_of(bitcode, size), sizeof f.bitcode);
    cache_key(&f, key);
    return true;
}

static void tell(const char *op, const uint8_t *key, const char *reason) {
    char hex[2 * CACHE_KEY_SIZE + 1];
    for (unsigned i = 0; i < CACHE_KEY_SIZE; i++)
        ksnprintf(hex + 2 * i, 3, "%02x", key[i]);
    event_begin("cache");
    event_string("op", op);
    event_string("key", hex);
    event_string("reason", reason);
    event_u64("entries", cache_partition(NULL)->count);
    event_end();
}

/* The payload (kfree); NULL, and *err, when it cannot be read. */
static uint8_t *read(struct cache *c, const struct cache_row *row, uint32_t *size,
                     struct fluid_error *err) {
    uint8_t *bytes = kmalloc(row->size);
    if (!bytes) {
        fluid_fail(err, "E-JIT-33",
                   "%u bytes of memory for an entry of the cache expected, found less", row->size);
        return NULL;
    }
    if (cache_read(c, ENTRY_CODE, row->key, bytes, row->size, size, err) == 0)
        return bytes;
    kfree(bytes);
    return NULL;
}

static bool is_sound(const struct entry *entry, uint32_t size) {
    return entry->version == ENTRY_VERSION && entry->mod_size == size - sizeof *entry;
}

enum entry_state entry_read(const uint8_t key[CACHE_KEY_SIZE], struct entry *entry, uint8_t **mod) {
    struct cache *c = cache_partition(NULL);
    struct fluid_error err = {0};
    uint32_t size = 0;
    *mod = NULL;
    if (!c)
        return ENTRY_ABSENT;
    if (cache_quarantined(c, ENTRY_CODE, key))
        return ENTRY_QUARANTINED;
    const struct cache_row *row = cache_find(c, ENTRY_CODE, key);
    if (!row || row->size < sizeof *entry) {
        c->misses += row == NULL;
        return ENTRY_ABSENT;
    }
    uint8_t *bytes = read(c, row, &size, &err);
    if (bytes)
        memcpy(entry, bytes, sizeof *entry);
    if (!bytes || !is_sound(entry, size)) {
        tell("reject", key, bytes ? "version" : err.code);
        kfree(bytes);
        return ENTRY_ABSENT;
    }
    tell("hit", key, NULL);
    if (entry->mod_size > 0) {
        memmove(bytes, bytes + sizeof *entry, entry->mod_size);
        *mod = bytes;
    } else {
        kfree(bytes);
    }
    return ENTRY_FOUND;
}

void entry_missed(const uint8_t key[CACHE_KEY_SIZE]) {
    if (cache_partition(NULL))
        tell("miss", key, NULL);
}

/* False: nothing was written, which is warned of unless nothing can be. */
static bool put(uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], const void *bytes, size_t size,
                uint64_t benefit) {
    struct cache *c = cache_partition(NULL);
    struct fluid_error err;
    if (!c || c->read_only != CACHE_WRITABLE)
        return false; /* nothing to keep it in: it is made again the next time */
    if (cache_put(c, kind, key, bytes, size, benefit, &err) == 0)
        return true;
    jit_warn(&err);
    return false;
}

const char *entry_kind_name(uint16_t kind) {
    static const char *const names[] = {
        [ENTRY_CODE] = "code",
        [ENTRY_KNOBS] = "knobs",
        [ENTRY_TOOLCHAIN] = "toolchain",
    };
    return kind < sizeof names / sizeof *names && names[kind] ? names[kind] : "other";
}

void entry_put_bytes(uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], const void *bytes,
                     size_t size, uint64_t benefit) {
    put(kind, key, bytes, size, benefit);
}

bool entry_get_bytes(uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], void *bytes, size_t size) {
    struct cache *c = cache_partition(NULL);
    struct fluid_error err;
    uint32_t found;
    const struct cache_row *row = c ? cache_find(c, kind, key) : NULL;
    return row && row->size == size && cache_read(c, kind, key, bytes, size, &found, &err) == 0;
}

void entry_put(const uint8_t key[CACHE_KEY_SIZE], const struct entry *entry, const void *mod,
               uint64_t benefit) {
    const struct cache *c = cache_partition(NULL);
    size_t size = sizeof *entry + entry->mod_size;
    uint8_t *bytes = c ? kmalloc(size) : NULL;
    if (!bytes)
        return; /* it is made again the next time */
    memcpy(bytes, entry, sizeof *entry);
    if (mod)
        memcpy(bytes + sizeof *entry, mod, entry->mod_size);
    uint32_t evicted = c->evicted;
    if (put(ENTRY_CODE, key, bytes, size, benefit)) {
        tell("put", key, NULL);
        toolchain_keep();
    }
    if (c->evicted != evicted)
        tell("evict", key, "full");
    kfree(bytes);
}

void entry_quarantine(const uint8_t key[CACHE_KEY_SIZE]) {
    struct cache *c = cache_partition(NULL);
    struct fluid_error err;
    if (!c)
        return;
    bool written = cache_quarantine(c, ENTRY_CODE, key, &err) == 0;
    tell("reject", key, "quarantine");
    if (!written && c->read_only == CACHE_WRITABLE)
        jit_warn(&err);
}
