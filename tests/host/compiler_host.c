/* compiler_host.c - a program as the child of fluid-host (arch/hosted/compiler_process.c), asked
 * once: compiler_host PROGRAM. Prints what came of it, and how often others could run.
 *
 * The clock goes twenty times as fast: a minute and a half of patience is four and a half seconds.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/x86/clock.h"
#include "console/event.h"
#include "fluid/jit.h"
#include "fs/partition.h"
#include "jit/compiler.h"
#include "mm/heap.h"
#include "task/task.h"

#define FASTER 20u
#define NAP_NS 200000 /* really */

static const char *program;
static unsigned turns;
static struct fluid_error warned;

uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return FASTER * ((uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec);
}

void task_sleep_until(uint64_t ns) {
    const struct timespec nap = {0, NAP_NS};
    (void)ns;
    turns++;
    nanosleep(&nap, NULL);
}

void cpus_release_process(int pid) {
    (void)pid;
}

struct fat16 *partition_files(struct fluid_error *err) {
    static struct fat16 files;
    (void)err;
    return &files;
}

static size_t size_of(const char *path) {
    int file = open(path, O_RDONLY);
    off_t size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
    close(file);
    return size < 0 ? 0 : (size_t)size;
}

int fat16_lookup(struct fat16 *files, const char *path, struct fat16_entry *entry,
                 struct fluid_error *err) {
    (void)files;
    if (strcmp(path, COMPILER_FILE) != 0 || size_of(program) == 0)
        return fluid_fail(err, "E-FAT-18", "no file");
    entry->size = (uint32_t)size_of(program);
    return 0;
}

int fat16_read(struct fat16 *files, const struct fat16_entry *entry, void *to, size_t size,
               void (*progress)(uint64_t done, uint64_t total), struct fluid_error *err) {
    int file = open(program, O_RDONLY);
    (void)files, (void)progress, (void)err;
    bool all = entry->size <= size && read(file, to, entry->size) == (ssize_t)entry->size;
    close(file);
    return all ? 0 : -1;
}

void *kmalloc(size_t size) {
    return malloc(size);
}

void *krealloc(void *memory, size_t size) {
    return realloc(memory, size);
}

void kfree(void *memory) {
    free(memory);
}

void report_warn(const struct fluid_error *err) {
    warned = *err;
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}

int main(int count, char **a) {
    static uint8_t request[1u << 20]; /* more than a pipe takes at once */
    struct jit_request head = {.magic = JIT_REQUEST_MAGIC, .string_off = sizeof head + 8};
    struct fluid_error err = {0};
    uint8_t *answer = NULL;
    size_t got = 0;
    if (count != 2)
        return 2;
    program = a[1];
    head.entry_count = 1;
    head.entry_off = sizeof head;
    memcpy(request, &head, sizeof head);
    memcpy(request + head.string_off, "add", sizeof "add");
    compiler_process_init();
    const struct compiler *compiler = compiler_current();
    if (!compiler) {
        printf("no compiler: %s %s\n", warned.code, warned.text);
        return 0;
    }
    int asked = compiler->compile(request, sizeof request, &answer, &got, &err);
    bool none_left = waitpid(-1, NULL, WNOHANG) < 0;
    if (asked == 0)
        printf("%zu bytes: %.*s\n", got, (int)got, (const char *)answer);
    else
        printf("%s %s\n", err.code, err.text);
    printf("%s; others ran: %s\n", none_left ? "no child" : "a child", turns > 2 ? "yes" : "no");
    free(answer);
    return 0;
}
