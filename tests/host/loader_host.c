/* loader_host.c - drives the module loader in a Linux process, one mode per behaviour. Linked at a
 * low address (-no-pie), so that modules below 2 GiB reach its functions like the kernel's.
 * module.c and module_list.c are included to empty the list of modules between rounds. */
#include "loader_host.h"

#include "fail_host.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../src/kernel/load/module.c"
#include "../../src/kernel/load/module_list.c"
#include "mm/pages.h"
#include "load/ksyms.h"
#include "load/registry.h"
#include "load/sha256.h"

static void forget_modules(void) {
    while (modules) {
        struct loaded_module *next = modules->next;
        discard(modules);
        modules = next;
    }
}

static struct loaded_module *load(const char *path, uint32_t usable) {
    size_t size;
    uint8_t *file = host_read(path, &size);
    struct fluid_error err = {0};
    struct loaded_module *m = module_load(file, size, usable, &err);
    if (!m)
        printf("%s %s\n", err.code, err.text);
    memset(file, 0xee, size); /* the file is not needed afterwards */
    free(file);
    return m;
}

static void *entry(const struct loaded_module *m, const char *name) {
    void *at = module_export(m, name);
    if (!at || at != module_find_export(name))
        abort();
    return at;
}

static void print_symbol(const char *what, uintptr_t address) {
    char text[80];
    ksyms_format(address, text, sizeof text);
    printf("%s %s\n", what, text);
}

/* Prints what every function of the sample module returns. */
static int mode_call(const char *path) {
    struct loaded_module *m = load(path, HOST_FEATURES);
    if (!m)
        return 1;
    struct fluid_error err = {0};
    printf("module %s %s\n", module_name(m), module_target(m));
    printf("initialised %d\n", ((int (*)(void))entry(m, "sample_initialised"))());
    int (*bss)(int) = (int (*)(int))entry(m, "sample_bss");
    printf("bss %d %d\n", bss(0), bss(1));
    int (*data)(int) = (int (*)(int))entry(m, "sample_data");
    printf("data %d %d\n", data(1), data(1));
    const char *(*name)(unsigned) = (const char *(*)(unsigned))entry(m, "sample_name");
    printf("name %s %s\n", name(1), name(2));
    printf("square %d\n", ((int (*)(unsigned))entry(m, "sample_square"))(5));
    printf("cold %d\n", ((int (*)(int))entry(m, "sample_cold"))(8));
    int (*other)(int) = (int (*)(int))entry(m, "sample_other");
    printf("other %d %d\n", other(2), other(3));
    const char *page = ((const char *(*)(void))entry(m, "sample_page"))();
    printf("page %s %d\n", page, (int)((uintptr_t)page % 4096));
    int failed = ((int (*)(struct fluid_error *))entry(m, "sample_import"))(&err);
    printf("import %d %s %s\n", failed, err.code, err.text);
    typedef uint64_t divide_fn(uint64_t, uint64_t);
    divide_fn *divide = (divide_fn *)entry(m, "sample_divide");
    printf("divide %llx\n", (unsigned long long)divide(0x123456789abcdef0, 0x10));
    print_symbol("symbol", (uintptr_t)entry(m, "sample_square") + 2);
    print_symbol("outside", (uintptr_t)m->region[MODULE_DATA].base + m->region[MODULE_DATA].size);
    printf("again %s\n", load(path, HOST_FEATURES) ? "loaded" : "refused");
    struct fluid_slot *slot = fluid_slot_get("sample_square", 3, 4);
    printf("slot %d %d %d\n", slot && slot->code == entry(m, "sample_square"),
           slot == fluid_slot_get("sample_square", 3, 4), fluid_slot_get("nothing", 0, 0) == NULL);
    forget_modules();
    printf("pages left %zu\n", host_pages_in_use());
    return 0;
}

static int mode_load(const char *path, const char *usable) {
    struct loaded_module *m = load(path, (uint32_t)strtoul(usable, NULL, 0));
    if (m)
        printf("ok %s %s\n", module_name(m), module_target(m));
    forget_modules();
    return host_pages_in_use() != 0;
}

/* True when an access of this kind to address ends a child process. */
static int faults(uint8_t *address, char kind) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        if (kind == 'x')
            ((void (*)(void))(uintptr_t)address)();
        else if (kind == 'w')
            *(volatile uint8_t *)address = *(volatile uint8_t *)address;
        else
            (void)*(volatile uint8_t *)address;
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

/* Prints which accesses fault, per group of pages. */
static int mode_protect(const char *path) {
    struct loaded_module *m = load(path, HOST_FEATURES);
    if (!m)
        return 1;
    const struct module_region *data = &m->region[MODULE_DATA];
    for (unsigned group = 0; group <= MODULE_GROUPS; group++) {
        uint8_t *guard = data->base + data->size - PAGE_SIZE;
        uint8_t *at = group < MODULE_GROUPS ? m->region[group].base : guard;
        printf("%u %d%d%d\n", group, faults(at, 'r'), faults(at, 'w'),
               group == MODULE_CODE ? 0 : faults(at, 'x'));
    }
    forget_modules();
    return 0;
}

static uint32_t random_next(uint64_t *state) { /* xorshift64, Marsaglia 2003 */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}

static void set_hash(uint8_t *file, size_t size) {
    struct sha256 s;
    const size_t at = offsetof(struct mod_header, sha256);
    if (size < sizeof(struct mod_header))
        return;
    memset(file + at, 0, SHA256_SIZE);
    sha256_init(&s);
    sha256_update(&s, file, size);
    sha256_final(&s, file + at);
}

/* Damages one copy: cut off, or one byte changed; with valid hash: up to four bytes, mostly in the
 * tables, half of them set to extremes. */
static size_t damage(uint8_t *file, size_t size, int valid_hash, uint64_t *state) {
    static const uint8_t extremes[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    if (!valid_hash && random_next(state) % 4 == 0)
        return random_next(state) % size;
    unsigned changes = valid_hash ? 1 + random_next(state) % 4 : 1;
    size_t tables = sizeof(struct mod_header) + 2000;
    for (unsigned i = 0; i < changes; i++) {
        size_t limit = valid_hash && size > tables && random_next(state) % 8 ? tables : size;
        if (valid_hash && random_next(state) % 4 == 0)
            limit = sizeof(struct mod_header);
        uint8_t *byte = &file[random_next(state) % limit];
        if (valid_hash && random_next(state) % 2)
            *byte = extremes[random_next(state) % sizeof extremes];
        else
            *byte ^= (uint8_t)(1 + random_next(state) % 255);
    }
    if (valid_hash) {
        uint32_t length = (uint32_t)size; /* let most of them come past the first checks */
        memcpy(file + offsetof(struct mod_header, file_size), &length, sizeof length);
        set_hash(file, size);
    }
    return size;
}

/* Loads damaged copies; prints "<code> <rounds>" per outcome, "loaded" for those that passed. The
 * copy has exactly its size, so that AddressSanitizer sees any read behind it. */
static int mode_fuzz(const char *path, const char *rounds, const char *valid_hash) {
    size_t size;
    uint8_t *file = host_read(path, &size);
    uint64_t state = 0x9e3779b97f4a7c15;
    unsigned counts[100] = {0}, loaded = 0;
    for (long left = atol(rounds); left > 0; left--) {
        struct fluid_error err = {0};
        uint8_t *whole = malloc(size);
        memcpy(whole, file, size);
        size_t damaged_size = damage(whole, size, atoi(valid_hash), &state);
        uint8_t *copy_of_part = malloc(damaged_size);
        memcpy(copy_of_part, whole, damaged_size);
        free(whole);
        if (module_load(copy_of_part, damaged_size, HOST_FEATURES, &err))
            loaded++;
        else
            counts[atoi(err.code + 6)]++;
        free(copy_of_part);
        forget_modules();
    }
    for (unsigned code = 0; code < 100; code++)
        if (counts[code])
            printf("E-MOD-%02u %u\n", code, counts[code]);
    printf("loaded %u\n", loaded);
    free(file);
    return host_pages_in_use() != 0;
}

static void print_module(const struct loaded_module *m, void *context) {
    (void)context;
    printf("module %s %s %d\n", module_name(m), module_target(m), module_memory(m) > 0);
}

static int mode_registry(const char *path, const char *features) {
    size_t size;
    uint8_t *file = host_read(path, &size);
    host_set_features((uint32_t)strtoul(features, NULL, 0));
    printf("count %u\n", registry_load_all(file, size));
    free(file);
    module_for_each(print_module, NULL);
    forget_modules();
    return host_pages_in_use() != 0;
}

static struct loaded_module * override(const char *path) {
    size_t size;
    uint8_t *file = host_read(path, &size);
    struct fluid_error err = {0};
    struct loaded_module *m = module_override(file, size, HOST_FEATURES, &err);
    printf("override %s\n", m ? "done" : err.code);
    free(file);
    return m;
}

/* The first module's slot, called: whose code it has. */
static void print_value(const struct fluid_slot *slot) {
    printf("value %d\n", ((int (*)(void))slot->code)());
}

/* Puts a second module into the place of the first of its name, and tries to where that must not
 * be. `more`: an entry point of the first one that the second lacks is in use. */
static int mode_override(const char *first, const char *second, bool more) {
    struct fluid_error err = {0};
    struct loaded_module *old = override(first);
    struct fluid_slot *slot = fluid_slot_get("swap_value", 0, 0);
    if (!old || !slot || (more && !fluid_slot_get("swap_more", 0, 0)))
        return 1;
    module_hold(old);
    override(second);
    print_value(slot);
    module_release(old);
    struct loaded_module *new = override(second);
    print_value(slot);
    printf("loaded %d\n", module_list() == (new ? new : old) && module_list()->next == NULL);
    printf("unload %s\n", module_unload(new ? new : old, &err) == 0 ? "done" : err.code);
    forget_modules();
    return host_pages_in_use() != 0;
}

/* Loads the module once for each allocation that this takes, which fails, and looks that nothing is
 * left of it; then a slot of it. */
static int mode_starve(const char *path) {
    size_t size;
    uint8_t *file = host_read(path, &size);
    for (long number = 0;; number++) {
        struct fluid_error err = {0};
        host_fail_allocation(number);
        struct loaded_module *m = module_load(file, size, HOST_FEATURES, &err);
        bool failed = host_allocation_failed();
        host_fail_allocation(-1);
        if (!failed) {
            printf("loaded %d behind %s refusals\n", m != NULL, number > 10 ? "many" : "few");
            break;
        }
        if (m)
            forget_modules(); /* a pool does with fewer pages */
        else if (strcmp(err.code, "E-MOD-10") != 0)
            abort();
        if (host_pages_in_use() != 0 || module_list())
            abort();
    }
    printf("slot");
    for (long number = 0; number < 2; number++) { /* itself, and the record of its calls */
        host_fail_allocation(number);
        printf(" %d", fluid_slot_get("sample_square", 0, 0) != NULL);
    }
    host_fail_allocation(-1);
    printf(" %d\n", fluid_slot_get("sample_square", 0, 0) != NULL);
    free(file);
    forget_modules();
    return host_pages_in_use() != 0;
}

static int mode_unload(const char *path) {
    struct fluid_error err = {0};
    struct loaded_module *m = override(path);
    printf("unload %s\n", m && module_unload(m, &err) == 0 ? "done" : err.code);
    return module_list() != NULL || host_pages_in_use() != 0;
}

/* Calls the functions of sample/objects.cpp that return. */
static int mode_objects(const char *path) {
    static const char *const names[] = {"objects_virtual", "objects_local", "objects_local",
                                        "objects_arrays", "objects_refused"};
    struct fluid_error err = {0};
    struct loaded_module *m = load(path, HOST_FEATURES);
    for (size_t i = 0; m && i < sizeof names / sizeof names[0]; i++)
        printf("%s %d\n", names[i], ((int (*)(void))entry(m, names[i]))());
    printf("unload %s\n", m && module_unload(m, &err) == 0 ? "done" : err.code);
    return host_pages_in_use() != 0;
}

static int mode_sha(const char *path, const char *chunk) {
    size_t size, step = strtoul(chunk, NULL, 0);
    uint8_t *file = host_read(path, &size), digest[SHA256_SIZE];
    struct sha256 s;
    sha256_init(&s);
    for (size_t at = 0; at < size; at += step)
        sha256_update(&s, file + at, size - at < step ? size - at : step);
    sha256_final(&s, digest);
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        printf("%02x", digest[i]);
    printf("\n");
    free(file);
    return 0;
}

static int mode_ksyms(const char *path, char **addresses) {
    size_t size;
    uint8_t *file = host_read(path, &size), *exact = malloc(size + !size);
    memcpy(exact, file, size);
    ksyms_init(exact, size);
    for (; *addresses; addresses++)
        print_symbol(*addresses, strtoul(*addresses, NULL, 0));
    ksyms_init(NULL, 0);
    free(exact);
    free(file);
    return 0;
}

int main(int count, char **arguments) {
    const char *mode = count > 2 ? arguments[1] : "";
    if (strcmp(mode, "call") == 0)
        return mode_call(arguments[2]);
    if (strcmp(mode, "protect") == 0)
        return mode_protect(arguments[2]);
    if (strcmp(mode, "ksyms") == 0)
        return mode_ksyms(arguments[2], arguments + 3);
    if (strcmp(mode, "load") == 0 && count == 4)
        return mode_load(arguments[2], arguments[3]);
    if (strcmp(mode, "registry") == 0 && count == 4)
        return mode_registry(arguments[2], arguments[3]);
    if (strcmp(mode, "override") == 0 && count == 5)
        return mode_override(arguments[2], arguments[3], atoi(arguments[4]));
    if (strcmp(mode, "objects") == 0)
        return mode_objects(arguments[2]);
    if (strcmp(mode, "starve") == 0)
        return mode_starve(arguments[2]);
    if (strcmp(mode, "unload") == 0)
        return mode_unload(arguments[2]);
    if (strcmp(mode, "sha") == 0 && count == 4)
        return mode_sha(arguments[2], arguments[3]);
    if (strcmp(mode, "fuzz") == 0 && count == 5)
        return mode_fuzz(arguments[2], arguments[3], arguments[4]);
    fprintf(stderr,
            "usage: loader_host call|protect|ksyms|load|registry|override|objects|unload|sha|fuzz "
            "FILE ...\n");
    return 2;
}
