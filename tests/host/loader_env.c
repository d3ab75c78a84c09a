/* loader_env.c - pages, heap, reports and CPU of the kernel, replaced by a Linux process. */
#include "loader_host.h"

#include "fail_host.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "arch/x86/trap.h"
#include "console/event.h"
#include "fluid/cpu.h"
#include "lib/panic.h"
#include "load/kapi.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "prof/counters.h"
#include "prof/sample.h"
#include "no_time_limit.h"

#define HOST_PAGES_MAX 8192u /* 32 MiB: larger modules find no memory */

static size_t pages_in_use;
static struct cpu_info info = {.features = HOST_FEATURES};

void host_set_features(uint32_t features) {
    info.features = features;
}

size_t host_pages_in_use(void) {
    return pages_in_use;
}

uint8_t *host_read(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        abort();
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        abort();
    fclose(file);
    return bytes;
}

enum page_use pages_use_at(const void *address) {
    (void)address;
    abort(); /* for pool_check only */
}

void *pages_alloc_for(enum page_use use, size_t count, size_t align, uint64_t below) {
    (void)use;
    if (host_allocation_fails() || count > HOST_PAGES_MAX || align != PAGE_SIZE ||
        below != 1u << 31)
        return NULL;
    void *at = mmap(NULL, count * PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    memset(at, 0xa5, count * PAGE_SIZE); /* content is undefined in the kernel */
    pages_in_use += count;
    return at;
}

void pages_free(void *first, size_t count) {
    if (munmap(first, count * PAGE_SIZE) != 0)
        abort();
    pages_in_use -= count;
}

void paging_protect(const void *start, size_t size, unsigned flags) {
    if (((uintptr_t)start | size) % PAGE_SIZE || (flags & PAGE_W && flags & PAGE_X))
        abort();
    int protection = PROT_READ;
    if (flags & PAGE_W)
        protection |= PROT_WRITE;
    if (flags & PAGE_X)
        protection |= PROT_EXEC;
    if (flags & PAGE_NONE)
        protection = PROT_NONE;
    if (mprotect((void *)(uintptr_t)start, size, protection) != 0)
        abort();
}

void *kmalloc(size_t size) {
    return host_allocation_fails() ? NULL : malloc(size);
}

void *kzalloc(size_t size) {
    return host_allocation_fails() ? NULL : calloc(1, size);
}

void kfree(void *memory) {
    free(memory);
}

struct core *core_current(void) {
    static struct core only = {.self = &only, .guards = &only.own_guards};
    return &only;
}

bool cpu_fetches_streams(void) {
    return false;
}

const struct cpu_info *cpu_info(void) {
    return &info;
}

size_t cpu_feature_names(uint64_t features, char *to, size_t size) {
#define NAME(name, text, bit, leaf, sub, reg, pos, xcr0) [bit] = text,
    static const char *const names[32] = {FLUID_CPU_FEATURES(NAME)};
    size_t used = 0;
    to[0] = 0;
    for (unsigned bit = 0; bit < 32; bit++)
        if (features >> bit & 1 && names[bit] && used < size)
            used += (size_t)snprintf(to + used, size - used, "%s%s", used ? " " : "", names[bit]);
    return used;
}

void report_warn(const struct fluid_error *e) {
    printf("warn %s %s\n", e->code, e->text);
}

void report_error(const struct fluid_error *e) {
    printf("error %s %s\n", e->code, e->text);
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}

/* Nothing handles exceptions here: a fault ends the process. */
void trap_print_fault(const struct trap_fault *fault) {
    (void)fault;
    abort();
}

const char *trap_name(unsigned vector) {
    (void)vector;
    abort();
}

void panic(const char *format, ...) {
    fprintf(stderr, "%s\n", format);
    abort();
}

void counters_forget(uintptr_t start, size_t size) {
    (void)start;
    (void)size;
}

void sample_forget(uintptr_t start, size_t size) {
    (void)start;
    (void)size;
}

void *fluid_alloc(size_t size, size_t align) {
    if (size > HOST_PAGES_MAX * PAGE_SIZE)
        return NULL;
    void *memory = aligned_alloc(align, (size + align - 1) / align * align);
    return memory ? memset(memory, 0, size) : NULL;
}

void fluid_free(void *memory) {
    free(memory);
}

/* For tests of what is called when: no part of the kernel API. */
static void host_note(const char *what, int version) {
    printf("%s %d\n", what, version);
}

void *kapi_resolve(const char *name) {
    static const struct {
        const char *name;
        void *address;
    } table[] = {
        {"fluid_fail", (void *)fluid_fail}, {"fluid_alloc", (void *)fluid_alloc},
        {"fluid_free", (void *)fluid_free}, {"memset", (void *)memset},
        {"host_note", (void *)host_note},   {"memcpy", (void *)memcpy},
        {"memmove", (void *)memmove},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].address;
    return NULL;
}
