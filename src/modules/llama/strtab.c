/* strtab.c - hash table from text to index, open addressing with linear probing. */
#include "strtab.h"

static uint32_t hash_parts(const struct span *parts, unsigned n) {
    uint32_t h = 2166136261u; /* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
    for (unsigned p = 0; p < n; p++)
        for (size_t i = 0; i < parts[p].n; i++)
            h = (h ^ (uint8_t)parts[p].at[i]) * 16777619u;
    h ^= h >> 16; /* finalizer of MurmurHash3: spreads the low bits, which select the slot */
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

static bool equal_parts(struct span text, const struct span *parts, unsigned n) {
    for (unsigned p = 0; p < n; p++) {
        if (parts[p].n > text.n || memcmp(text.at, parts[p].at, parts[p].n) != 0)
            return false;
        text.at += parts[p].n;
        text.n -= parts[p].n;
    }
    return text.n == 0;
}

int strtab_init(struct strtab *t, struct memory *memory, uint32_t count, const void *owner,
                strtab_text_fn *text, struct fluid_error *err) {
    uint32_t slots = 16;
    while (slots / 2 < count)
        slots *= 2;
    t->slot = memory_take(memory, slots, sizeof *t->slot, "hash table", err);
    t->mask = slots - 1;
    t->owner = owner;
    t->text = text;
    return t->slot == NULL ? -1 : 0;
}

/* The slot of this text: the one that holds it, or the empty one where it belongs; NULL when there
 * is neither within STRTAB_PROBES. */
static uint32_t *seek(const struct strtab *t, const struct span *parts, unsigned n) {
    uint32_t at = hash_parts(parts, n);
    for (uint32_t probes = 0; probes < STRTAB_PROBES; probes++, at++) {
        uint32_t *slot = &t->slot[at & t->mask];
        if (*slot == 0 || equal_parts(t->text(t->owner, *slot - 1), parts, n))
            return slot;
    }
    return NULL;
}

static int crowded(struct span text, struct fluid_error *err) {
    return fluid_fail(
        err, "E-GGUF-21",
        "text %.*s: one with a place of its own in the hash table expected, %d others "
        "found there (made to collide? use another MODEL.GGUF)",
        SPAN_ARG(text), STRTAB_PROBES);
}

int strtab_put(struct strtab *t, uint32_t index, uint32_t *same, struct fluid_error *err) {
    struct span text = t->text(t->owner, index);
    uint32_t *slot = seek(t, &text, 1);
    if (slot == NULL)
        return crowded(text, err);
    *same = *slot == 0 ? STRTAB_NONE : *slot - 1;
    if (*slot == 0)
        *slot = index + 1;
    return 0;
}

int strtab_replace(struct strtab *t, uint32_t index, struct fluid_error *err) {
    struct span text = t->text(t->owner, index);
    uint32_t *slot = seek(t, &text, 1);
    if (slot == NULL)
        return crowded(text, err);
    *slot = index + 1;
    return 0;
}

uint32_t strtab_find(const struct strtab *t, const struct span *parts, unsigned n) {
    const uint32_t *slot = seek(t, parts, n);
    return slot == NULL || *slot == 0 ? STRTAB_NONE : *slot - 1;
}
