/* test_programs.c - the programs that a test has put into the folder PROGRAMS of the model's
 * partition, one after the other: how each of them ends. By name only. */
#include "selftest/selftest.h"

#include "abi/linux/compiler_process.h"
#include "abi/linux/program_file.h"
#include "arch/x86/clock.h"
#include "console/event.h"
#include "fluid/jit.h"
#include "fs/partition.h"
#include "jit/compiler.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/sha256.h"
#include "mm/heap.h"
#include "task/task.h"

#define FOLDER "PROGRAMS"
#define REQUEST "REQUEST.BIN"
#define INPUT "input"
#define NS_PER_MS 1000000u
#define SHOWN 64 /* bytes of the output */

static const struct linux_limits limits = {
    .memory = 16u << 20, .cpu_ns = CLOCK_NS_PER_S / 2, .output = 1u << 20};

static void print_end(const char *name, const struct linux_result *result, const uint8_t *output,
                      size_t size) {
    char how[96];
    linux_end_format(result, how, sizeof(how));
    kprintf("program %s: %s; output %zu '%.*s' said '%s' unknown calls %u; %llu KiB, %llu ms\n",
            name, how, size, (int)(size < SHOWN ? size : SHOWN),
            output != NULL ? (const char *)output : "", result->said, result->unknown_calls,
            (unsigned long long)result->memory / 1024,
            (unsigned long long)result->cpu_ns / NS_PER_MS);
}

static bool run_one(const struct fat16_entry *entry, void *context) {
    struct fluid_error err;
    struct linux_result result;
    struct program_file file = {0};
    uint8_t *output = NULL;
    size_t size;
    if (entry->directory)
        return true;
    if (program_file_read(&file, context, entry, &err) < 0 ||
        linux_run(entry->name, file.bytes, file.size, INPUT, sizeof(INPUT) - 1, &output, &size,
                  &limits, &result, &err) < 0)
        kprintf("program %s: %s\n", entry->name, err.code);
    else
        print_end(entry->name, &result, output, size);
    kfree(output);
    program_file_free(&file);
    return true;
}

static int run_all(struct fluid_error *err) {
    struct fat16 *files = partition_files(err);
    return files == NULL ? -1 : fat16_list(files, FOLDER, run_one, files, err);
}

static bool programs(char *why, size_t size) {
    struct fluid_error err;
    if (run_all(&err) == 0)
        return true;
    ksnprintf(why, size, "%s %.120s", err.code, err.text);
    return false;
}

static void in_background(void *argument) {
    struct fluid_error err;
    (void)argument;
    if (run_all(&err) < 0)
        report_error(&err);
    kprintf("programs: all have ended\n");
}

static bool background(char *why, size_t size) {
    struct fluid_error err;
    if (task_create("programs", TASK_BACKGROUND_PRIORITY, in_background, NULL, &err) != NULL)
        return true;
    ksnprintf(why, size, "%s", err.code);
    return false;
}

/* What identifies the answer, which is all of it but the times; and what it has taken. */
static void print_answer(const struct compiler *compiler, const uint8_t *answer, size_t size) {
    struct jit_response response;
    struct sha256 state;
    uint8_t digest[SHA256_SIZE];
    const struct linux_result *taken = compiler_process_last();
    memcpy(&response, answer, sizeof(response));
    if (response.mod_off > size || response.mod_size > size - response.mod_off)
        return;
    sha256_init(&state);
    sha256_update(&state, answer + response.mod_off, response.mod_size);
    sha256_final(&state, digest);
    kprintf("%s %s status %u mod %u sha256 ", compiler->name, compiler->toolchain, response.status,
            response.mod_size);
    for (unsigned i = 0; i < sizeof(digest); i++)
        kprintf("%02x", digest[i]);
    kprintf("\n  parse %llu, optimise %llu, generate %llu, all %llu ms; %llu KiB of its own\n",
            (unsigned long long)response.parse_ns / NS_PER_MS,
            (unsigned long long)response.optimise_ns / NS_PER_MS,
            (unsigned long long)response.generate_ns / NS_PER_MS,
            (unsigned long long)taken->cpu_ns / NS_PER_MS,
            (unsigned long long)taken->memory / 1024);
}

static int compile_file(struct fluid_error *err) {
    struct fat16_entry entry;
    struct program_file request = {0};
    struct fat16 *files = partition_files(err);
    const struct compiler *compiler = compiler_current();
    uint8_t *answer = NULL;
    size_t got = 0;
    if (files == NULL || fat16_lookup(files, REQUEST, &entry, err) < 0)
        return -1;
    if (compiler == NULL)
        return fluid_fail(err, "E-JIT-36", "a compiler expected, found none");
    int status = program_file_read(&request, files, &entry, err);
    if (status == 0)
        status = compiler->compile(request.bytes, request.size, &answer, &got, err);
    if (status == 0 && got >= sizeof(struct jit_response))
        print_answer(compiler, answer, got);
    kfree(answer);
    program_file_free(&request);
    return status;
}

static bool compile(char *why, size_t size) {
    struct fluid_error err;
    if (compile_file(&err) == 0)
        return true;
    ksnprintf(why, size, "%s %.140s", err.code, err.text);
    return false;
}

const struct selftest selftests_programs[] = {
    {"programs", programs},
    {"programs-background", background},
    {"compile", compile},
    {.name = NULL},
};
