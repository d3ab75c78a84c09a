/* toolchain.c - one small entry of the cache, which is worth more than any other. */
#include "jit/toolchain.h"

#include "cache/cache_key.h"
#include "jit/compiler.h"
#include "jit/entry.h"
#include "lib/string.h"

/* NUL behind it. */
struct record {
    char toolchain[COMPILER_TOOLCHAIN_SIZE];
};

/* As the cache had it when it was looked at first, or written. */
static struct record kept;
static bool looked;

static void key_of(uint8_t key[CACHE_KEY_SIZE]) {
    const struct cache_key_fields f = {
        .kernel_abi = FLUID_KERNEL_ABI,
        .toolchain = "",
        .flags = "",
        .plan = "toolchain",
        .quant = "",
    };
    cache_key(&f, key);
}

/* As the cache has it now; "" when it has none. */
static struct record read(void) {
    struct record r;
    uint8_t key[CACHE_KEY_SIZE];
    key_of(key);
    if (!entry_get_bytes(ENTRY_TOOLCHAIN, key, &r, sizeof r) ||
        r.toolchain[sizeof r.toolchain - 1] != '\0')
        return (struct record){0};
    return r;
}

const char *toolchain_current(void) {
    const struct compiler *compiler = compiler_current();
    if (compiler)
        return compiler->toolchain;
    if (!looked)
        kept = read();
    looked = true;
    return kept.toolchain[0] != '\0' ? kept.toolchain : NULL;
}

void toolchain_keep(void) {
    const struct compiler *compiler = compiler_current();
    uint8_t key[CACHE_KEY_SIZE];
    if (!compiler)
        return;
    kept = read();
    looked = true;
    if (strcmp(kept.toolchain, compiler->toolchain) == 0)
        return;
    memcpy(kept.toolchain, compiler->toolchain, sizeof kept.toolchain);
    key_of(key);
    entry_put_bytes(ENTRY_TOOLCHAIN, key, &kept, sizeof kept, UINT64_MAX);
}
