/* main.c (hosted) - fluid-host: command line, a thread that is the boot processor, and then what
 * stage2 and entry.S do on the bare machine. */
#include "arch/hosted/hosted.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "arch/x86/time.h"
#include "console/event.h"
#include "fluid/exit.h"
#include "mm/alloc_failure.h"

#define MEM_DEFAULT 1024u
#define MEM_MIN 32u
#define MEM_MAX 65536u

uint64_t kernel_entry_tsc;

static struct bootinfo bootinfo;

static _Noreturn void usage(const char *found) {
    fprintf(
        stderr,
        "E-HOST-01 fluid-host [--mem MIB] [--cores N] [--cpu N] [--no-reboot] [--fail-alloc N] "
        "[--simulated] [--writable] IMAGE expected with %u to %u MiB and 1 to %u cores, found %s; "
        "build/<target>/fluid.img is an image\n",
        MEM_MIN, MEM_MAX, CORES_MAX, found);
    exit(HOSTED_USAGE_STATUS);
}

static unsigned number(const char *option, const char *text, unsigned low, unsigned high) {
    char *end;
    errno = 0;
    unsigned long value = text ? strtoul(text, &end, 10) : 0;
    if (!text || errno != 0 || *text < '0' || *text > '9' || *end || value < low || value > high)
        usage(text ? text : option);
    return (unsigned)value;
}

static struct hosted_options parse(char **argv) {
    struct hosted_options o = {.mem = MEM_DEFAULT, .cpu = -1, .cores = 1, .reboot = true};
    for (char **at = argv + 1; *at; at++) {
        if (strcmp(*at, "--mem") == 0) {
            o.mem = number("--mem without a number", at[1], MEM_MIN, MEM_MAX);
            at++;
        } else if (strcmp(*at, "--cores") == 0) {
            o.cores = number("--cores without a number", at[1], 1, CORES_MAX);
            at++;
        } else if (strcmp(*at, "--cpu") == 0) {
            o.cpu = (int)number("--cpu without a number", at[1], 0, CPU_SETSIZE - 1);
            at++;
        } else if (strcmp(*at, "--no-reboot") == 0) {
            o.reboot = false;
        } else if (strcmp(*at, "--simulated") == 0) {
            o.simulated = true;
        } else if (strcmp(*at, "--writable") == 0) {
            o.writable = true;
        } else if (strcmp(*at, "--fail-alloc") == 0) {
            alloc_failure_set(number("--fail-alloc without a number", at[1], 1, UINT_MAX));
            at++;
        } else if (**at == '-' || o.image) {
            usage(*at);
        } else {
            o.image = *at;
        }
    }
    if (!o.image)
        usage("no image");
    return o;
}

static void *processor(void *unused) {
    (void)unused;
    kernel_main(&bootinfo);
}

/* Returns while the other thread picks a canary. */
__attribute__((no_stack_protector)) static int run(pthread_t *thread, struct fluid_error *err) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error == 0)
        error = pthread_attr_setstack(&attributes, kernel_stack_bottom,
                                      (size_t)(kernel_stack_top - kernel_stack_bottom));
    if (error == 0)
        error = pthread_create(thread, &attributes, processor, NULL);
    if (error == 0)
        return 0;
    return fluid_fail(err, "E-HOST-07",
                      "a thread expected to start, found: %s; the limits of "
                      "this session are too tight",
                      strerror(error));
}

int main(int argc, char **argv) {
    kernel_entry_tsc = time_cycles();
    (void)argc;
    struct hosted_options options = parse(argv);
    struct fluid_error err;
    pthread_t thread;
    power_on_reset(options.reboot ? argv : NULL);
    if (options.simulated)
        arena_shared();
    cpu_init(); /* what boot_load holds the image against */
    if (cpus_choose(options.cpu, options.cores, &err) == 0 &&
        arena_create(options.mem, &err) == 0 &&
        disk_open(options.image, options.writable, &err) == 0 && boot_load(&bootinfo, &err) == 0 &&
        run(&thread, &err) == 0) {
        pthread_join(thread, NULL); /* kernel_main ends the process */
        return EXIT_FAILURE;
    }
    report_error(&err);
    cpu_power_off(FLUID_EXIT_FAIL);
}
