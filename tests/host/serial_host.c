/* serial_host.c - asks a compile server from a Linux process: events go to standard output, records
 * come from standard input. usage: serial_host live|scripted REQUEST...
 *
 * Each file is asked for once. Prints a line on standard error for each: "answer" and its bytes in
 * hex, or the error's code and text; and at the end who compiles. scripted: the clock goes by
 * itself and one line of standard input comes at each look. Of typed bytes "o" switches events off,
 * "s" stops the request. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arch/x86/clock.h"
#include "console/console.h"
#include "console/event.h"
#include "console/line.h"
#include "console/record.h"
#include "dev/serial.h"
#include "jit/compiler.h"
#include "mm/heap.h"
#include "task/task.h"

#define LOOK_MS 1
#define MEMORY (1u << 20) /* bytes that may be had at once */
#define REQUEST_MAX (17u << 20)

static bool live;
static uint64_t scripted_ns;
static struct task task;

/* ---- what the kernel has */

void serial_write(const char *bytes, size_t n) {
    fwrite(bytes, 1, n, stdout);
}

void console_aside_begin(void) {
}

void console_aside_end(void) {
}

bool console_poll(void) {
    return false;
}

void *kmalloc(size_t size) {
    return size < MEMORY ? malloc(size) : NULL;
}

void kfree(void *memory) {
    free(memory);
}

struct task *task_current(void) {
    return &task;
}

bool task_is_console(void) {
    return false;
}

uint64_t clock_ns(void) {
    struct timespec now;
    if (!live)
        return scripted_ns;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* ---- the line */

static void type(int byte) {
    if (byte == 'o')
        event_enabled = false;
    if (byte == 's')
        task.stop = true;
}

static void feed(const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        record_feed((uint8_t)bytes[i]);
        for (int byte; (byte = record_typed()) >= 0;)
            type(byte);
    }
}

/* Takes in what there is. */
static void look(int timeout_ms) {
    static char bytes[65536];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    fflush(stdout);
    if (!live) {
        if (fgets(bytes, sizeof bytes, stdin))
            feed(bytes, strlen(bytes));
        return;
    }
    if (poll(&input, 1, timeout_ms) <= 0)
        return;
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n <= 0)
        exit(3); /* nobody is there */
    feed(bytes, (size_t)n);
}

/* The console waits for something else: nobody takes in what comes, but for who waits for it. */
void line_poll_aside(void) {
    look(LOOK_MS);
}

void task_yield(void) {
}

void task_sleep_until(uint64_t ns) {
    if (ns > scripted_ns)
        scripted_ns = ns;
}

/* ---- the test */

static size_t read_file(const char *path, uint8_t *to) {
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(2);
    size_t n = fread(to, 1, REQUEST_MAX, file);
    fclose(file);
    return n;
}

static void ask(const char *path) {
    static uint8_t request[REQUEST_MAX];
    uint8_t *response;
    size_t size = read_file(path, request), got;
    struct fluid_error err;
    const struct compiler *compiler;

    if (!live)
        look(0);
    compiler = compiler_current();
    if (!compiler) {
        fprintf(stderr, "nobody\n");
    } else if (compiler->compile(request, size, &response, &got, &err) != 0) {
        fprintf(stderr, "%s %s\n", err.code, err.text);
    } else {
        fprintf(stderr, "answer ");
        for (size_t i = 0; i < got; i++)
            fprintf(stderr, "%02x", response[i]);
        fprintf(stderr, "\n");
        kfree(response);
    }
    task.stop = false;
    event_enabled = true;
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    live = strcmp(argv[1], "live") == 0;
    if (live)
        while (!compiler_current())
            look(-1);
    for (int i = 2; i < argc; i++)
        ask(argv[i]);
    fprintf(stderr, "%s\n", compiler_current() ? compiler_current()->toolchain : "nobody");
    return 0;
}
