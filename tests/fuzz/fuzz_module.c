/* fuzz_module.c - any bytes as a .mod file or as a registry: refused with a code, or placed,
 * relocated and protected; all pages are given back. The first byte of an input says which, and
 * whether the checksums are made right, which a fuzzer cannot do. Pages, heap and reports are those
 * of the loader's host harness. */
#define main loader_host_main
#include "../host/loader_host.c"
#undef main

#include "fluid/registry.h"
#include "fuzz.h"
#include "mm/paging.h"

enum { REGISTRY = 1, RIGHT_SUMS = 2 };

#define RETURN 0xc3 /* the instruction */

void __real_paging_protect(const void *start, size_t size, unsigned flags);
void __wrap_paging_protect(const void *start, size_t size, unsigned flags);

/* Code of an input is never run: where initialisers point, there is nothing but returns. */
void __wrap_paging_protect(const void *start, size_t size, unsigned flags) {
    if (flags & PAGE_X)
        memset((void *)(uintptr_t)start, RETURN, size);
    __real_paging_protect(start, size, flags);
}

static void set_module_sums(uint8_t *file, size_t size) {
    uint32_t length = (uint32_t)size;
    if (size < sizeof(struct mod_header))
        return;
    memcpy(file + offsetof(struct mod_header, file_size), &length, sizeof length);
    /* Seeds of an older kernel ABI stay useful; higher numbers are wrong ones. */
    uint8_t *at = file + offsetof(struct mod_header, kernel_abi);
    uint32_t abi;
    memcpy(&abi, at, sizeof abi);
    abi = abi < FLUID_KERNEL_ABI ? FLUID_KERNEL_ABI : abi;
    memcpy(at, &abi, sizeof abi);
    set_hash(file, size);
}

static void set_registry_sums(uint8_t *file, size_t size) {
    struct registry_header h;
    struct registry_entry e;
    if (size < sizeof h)
        return;
    memcpy(&h, file, sizeof h);
    h.total_size = (uint32_t)size;
    h.count %= (size - sizeof h) / sizeof e + 1;
    for (uint32_t i = 0; i < h.count; i++) {
        memcpy(&e, file + sizeof h + i * sizeof e, sizeof e);
        /* Modules that overlap the index would change it. */
        if (e.offset >= sizeof h + h.count * sizeof e && e.offset <= size &&
            e.size <= size - e.offset)
            set_module_sums(file + e.offset, e.size);
    }
    struct sha256 s;
    sha256_init(&s);
    sha256_update(&s, file + sizeof h, h.count * sizeof e);
    sha256_final(&s, h.sha256);
    memcpy(file, &h, sizeof h);
}

static void check_symbols(const struct loaded_module *m, void *context) {
    (void)context;
    const char *module, *symbol;
    uintptr_t offset;
    for (unsigned group = 0; group < MODULE_GROUPS; group++)
        for (size_t at = 0; at < m->region[group].size; at += 61)
            if (module_symbolise((uintptr_t)m->region[group].base + at, &module, &symbol, &offset))
                REQUIRE(strcmp(module, m->name) == 0 && offset <= at);
    for (uint32_t i = 0; i < m->export_count; i++)
        REQUIRE(module_find_export(m->strings + m->exports[i].name) != NULL);
}

static void load_one(const uint8_t *file, size_t size) {
    struct fluid_error err = {0};
    const struct loaded_module *m = module_load(file, size, HOST_FEATURES, &err);
    REQUIRE((m != NULL) == (modules == m && m != NULL));
    if (m == NULL)
        fuzz_check_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return -1;
    uint8_t how = data[0];
    size_t n = size - 1;
    uint8_t *file = fuzz_copy(data + 1, n, 1);
    if (how & RIGHT_SUMS && how & REGISTRY)
        set_registry_sums(file, n);
    else if (how & RIGHT_SUMS)
        set_module_sums(file, n);
    if (how & REGISTRY) {
        unsigned loaded = registry_load_all(file, n), listed = 0;
        for (const struct loaded_module *m = modules; m; m = m->next)
            listed++;
        REQUIRE(listed == loaded);
    } else {
        load_one(file, n);
    }
    free(file);
    module_for_each(check_symbols, NULL);
    forget_modules();
    REQUIRE(host_pages_in_use() == 0);
    return 0;
}
