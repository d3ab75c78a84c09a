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

static struct record kept; /* as the cache has it */
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

static void look(void) {
    uint8_t key[CACHE_KEY_SIZE];
    if (looked)
        return;
    looked = true;
    key_of(key);
    if (!entry_get_bytes(ENTRY_TOOLCHAIN, key, &kept, sizeof kept) ||
        kept.toolchain[sizeof kept.toolchain - 1] != '\0')
        kept = (struct record){0};
}

const char *toolchain_current(void) {
    const struct compiler *compiler = compiler_current();
    if (compiler)
        return compiler->toolchain;
    look();
    return kept.toolchain[0] != '\0' ? kept.toolchain : NULL;
}

void toolchain_keep(void) {
    const struct compiler *compiler = compiler_current();
    uint8_t key[CACHE_KEY_SIZE];
    look();
    if (!compiler || strcmp(kept.toolchain, compiler->toolchain) == 0)
        return;
    memcpy(kept.toolchain, compiler->toolchain, sizeof kept.toolchain);
    key_of(key);
    entry_put_bytes(ENTRY_TOOLCHAIN, key, &kept, sizeof kept, UINT64_MAX);
}
