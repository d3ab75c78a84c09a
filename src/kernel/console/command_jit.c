/* command_jit.c - /jit: who compiles, and what comes of compiling an operation now. */
#include "console/command.h"

#include "arch/x86/cpu.h"
#include "console/event.h"
#include "console/number.h"
#include "jit/compiler.h"
#include "jit/request.h"
#include "jit/tier.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"
#include "mm/heap.h"

#define COMPILE "compile "
#define NAME_SIZE 64u
#define NS_PER_US 1000u
#define NS_PER_MS 1000000u

static void usage(const char *argument, size_t length) {
    struct fluid_error err;
    fluid_fail(&err, "E-CON-03",
               "/jit expects nothing, on, off, or compile OPERATION LEVEL with a level of 0 to %u, "
               "found \"%.*s\"",
               JIT_LEVEL_MAX, (int)(length < 60 ? length : 60), argument);
    report_error(&err);
}

/* "matmul_q4_1 2" or "matmul_q4_1 O2" */
static bool parse(const char *text, size_t length, char name[NAME_SIZE], struct jit_job *job) {
    size_t blank = 0;
    uint64_t level;
    while (blank < length && text[blank] != ' ')
        blank++;
    size_t digits = blank + 1;
    if (digits < length && text[digits] == 'O')
        digits++;
    if (blank == 0 || blank >= NAME_SIZE || blank == length ||
        !number_u64(text + digits, length - digits, JIT_LEVEL_MAX, &level))
        return false;
    memcpy(name, text, blank);
    name[blank] = '\0';
    *job = (struct jit_job){.entry = name, .level = (unsigned)level};
    return true;
}

static void print_result(const struct jit_job *job, const struct jit_result *result) {
    struct mod_header head;
    memcpy(&head, result->mod, sizeof head);
    kprintf("%s of %s at O%u: %zu bytes, %llu us to parse, %llu to optimise, %llu to generate\n",
            job->entry, module_name(job->module), job->level, result->mod_size,
            (unsigned long long)(result->parse_ns / NS_PER_US),
            (unsigned long long)(result->optimise_ns / NS_PER_US),
            (unsigned long long)(result->generate_ns / NS_PER_US));
    kprintf("sha256 ");
    for (size_t i = 0; i < sizeof head.sha256; i++)
        kprintf("%02x", head.sha256[i]);
    kprintf("\n");
}

/* Compiles it and lets the loader judge it; nobody calls it. */
static int try(const struct jit_job *job, struct fluid_error *err) {
    struct jit_result result;
    uint8_t *response;
    if (jit_compile(job, &response, &result, err) != 0)
        return -1;
    struct loaded_module *m =
        module_load_aside(result.mod, result.mod_size, cpu_info()->features, err);
    if (m)
        print_result(job, &result);
    int gone = m ? module_unload(m, err) : -1;
    kfree(response);
    return gone;
}

static void compile(const char *text, size_t length) {
    char name[NAME_SIZE];
    struct jit_job job;
    struct fluid_error err;
    if (!parse(text, length, name, &job)) {
        usage(text, length);
        return;
    }
    job.module = module_of_export(name);
    if (!job.module)
        fluid_fail(&err, "E-JIT-37",
                   "an operation of a loaded module expected, found \"%s\"; /jit lists them", name);
    else if (try(&job, &err) == 0)
        return;
    report_error(&err);
}

static void print_tier(const struct tier *t, void *context) {
    unsigned *count = context;
    char shape[24], cycles[48] = "-";
    ksnprintf(shape, sizeof shape, "%ux%u", t->slot->rows, t->slot->cols);
    if (t->cycles != t->cycles_t0)
        ksnprintf(cycles, sizeof cycles, "%llu -> %llu", (unsigned long long)t->cycles_t0,
                  (unsigned long long)t->cycles);
    else if (t->cycles != 0)
        ksnprintf(cycles, sizeof cycles, "%llu", (unsigned long long)t->cycles);
    kprintf("  %-14s %-12s %s%s %5s %-22s %8llu ms  %u of %u%s%s\n", t->slot->name, shape,
            tier_code_name(t), t->from_cache && !tier_paused() ? " cached" : "       ",
            tier_level_name(t->tried), cycles, (unsigned long long)(t->compile_ns / NS_PER_MS),
            t->published, t->published + t->rejected, t->reason[0] ? ", last " : "", t->reason);
    ++*count;
}

static void print_attempt(const struct tier *t, const char *step, void *context) {
    (void)context;
    kprintf("now it %s %s %ux%u\n", step, t->slot->name, t->slot->rows, t->slot->cols);
}

static void show(void) {
    const struct compiler *compiler = compiler_current();
    unsigned count = 0;
    if (compiler)
        kprintf("%s compiles, build %s\n", compiler->name, compiler->toolchain);
    else
        kprintf("No compiler: build the image with jit=1, or attach with chat compile=1.\n");
    if (tier_paused())
        kprintf("Off: all operations have the image's code; /jit on gives them their own again.\n");
    kprintf("  %-14s %-12s %-9s %5s %-22s %11s  %s\n", "operation", "shape", "code", "tried",
            "cycles of a call", "compiled", "published");
    tier_for_each(print_tier, &count);
    kprintf("%u slots\n", count);
    attempt_for_each(print_attempt, NULL);
}

static bool is(const char *argument, size_t length, const char *word) {
    return length == strlen(word) && memcmp(argument, word, length) == 0;
}

static void turn(bool off) {
    tier_pause(off);
    kprintf(off ? "All operations have the image's code; /jit on gives them their own again.\n"
                : "Operations have their own code.\n");
}

void command_jit(char *argument, size_t length) {
    size_t word = strlen(COMPILE);
    if (length > word && memcmp(argument, COMPILE, word) == 0)
        compile(argument + word, length - word);
    else if (is(argument, length, "off") || is(argument, length, "on"))
        turn(is(argument, length, "off"));
    else if (length > 0)
        usage(argument, length);
    else
        show();
}
