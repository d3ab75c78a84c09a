/* cache_key.c - each field as its length, 32 bits, then its bytes: no two different lists of fields
 * give the same bytes. */
#include "cache/cache_key.h"

#include "lib/string.h"

static void field(struct sha256 *s, const void *bytes, size_t size) {
    uint32_t length = (uint32_t)size;
    sha256_update(s, &length, sizeof length);
    sha256_update(s, bytes, size);
}

static void text(struct sha256 *s, const char *string) {
    field(s, string, strlen(string));
}

void cache_key(const struct cache_key_fields *f, uint8_t key[CACHE_KEY_SIZE]) {
    const uint32_t format = CACHE_KEY_FORMAT, shape[2] = {f->rows, f->cols};
    struct sha256 s;
    sha256_init(&s);
    field(&s, &format, sizeof format);
    field(&s, &f->kernel_abi, sizeof f->kernel_abi);
    field(&s, &f->cpu_mask, sizeof f->cpu_mask);
    field(&s, &f->xcr0, sizeof f->xcr0);
    text(&s, f->toolchain);
    text(&s, f->flags);
    field(&s, f->bitcode, sizeof f->bitcode);
    text(&s, f->plan);
    field(&s, shape, sizeof shape);
    text(&s, f->quant);
    sha256_final(&s, key);
}
