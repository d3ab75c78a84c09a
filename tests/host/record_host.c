/* record_host.c - the records of a compile server, and what is typed between them, in a Linux
 * process. usage: record_host own|none GAP
 *
 * Standard input has cases: uint32_t size and so many bytes that come from the serial line, while
 * request 7 waits for its answer. Silence is told behind every GAP bytes (0: never). Each case
 * begins anew, and prints one line: what was typed (hex), warnings, outcome, the answer or the
 * refusal (hex), the compiler's toolchain. own: the machine has a compiler already. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "console/record.c"
#include "jit/serial_records.c"

#define ID 7u
#define SESSION "00c0ffee" /* of the host that was asked */
#define INPUT_MAX (1u << 20)

static unsigned warnings;
static struct compiler own = {.name = "jit.elf", .toolchain = "own"};

void console_aside_begin(void) {
}

void console_aside_end(void) {
}

void report_warn(const struct fluid_error *e) {
    (void)e;
    warnings++;
}

void *kmalloc(size_t size) {
    return size > 1u << 20 ? NULL : malloc(size); /* sized exactly: the sanitizer sees one more */
}

int serial_compile(const void *request, size_t size, uint8_t **response, size_t *got,
                   struct fluid_error *err) {
    (void)request, (void)size, (void)response, (void)got, (void)err;
    abort();
}

static void print_hex(const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        printf("%02x", ((const uint8_t *)bytes)[i]);
    printf(" ");
}

static void empty(uint8_t *all, size_t *n) {
    for (int byte; (byte = record_typed()) >= 0;)
        all[(*n)++] = (uint8_t)byte;
}

static void run(const uint8_t *input, size_t n, size_t gap) {
    uint8_t *all = malloc(n + 1);
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        empty(all, &count);
        record_feed(input[i]);
        if (gap > 0 && i % gap == gap - 1)
            record_silence(RECORD_SILENCE_NS / 2);
        if (serial_asked.got > serial_asked.size ||
            (serial_asked.bytes && serial_asked.size > 1u << 20))
            abort();
    }
    empty(all, &count);
    print_hex(all, count);
    printf("|%u %d ", warnings, (int)serial_asked.outcome);
    if (serial_asked.outcome == WHOLE)
        print_hex(serial_asked.bytes, serial_asked.size);
    else
        print_hex(serial_asked.text, strlen(serial_asked.text));
    printf("|%s\n", compiler_current() ? compiler_current()->toolchain : "");
    free(all);
}

int main(int argc, char **argv) {
    static uint8_t input[INPUT_MAX];
    uint32_t n;

    if (argc != 3)
        return 2;
    while (fread(&n, sizeof(n), 1, stdin) == 1 && n <= INPUT_MAX &&
           fread(input, 1, n, stdin) == n) {
        state = OUTSIDE;
        typed_at = typed_count = 0;
        dropped = 0;
        warnings = 0;
        free(serial_asked.bytes);
        serial_asked = (struct exchange){.open = true, .id = ID};
        memcpy(session, SESSION, SESSION_SIZE);
        compiler_set(strcmp(argv[1], "own") == 0 ? &own : NULL);
        run(input, n, (size_t)atoi(argv[2]));
    }
    free(serial_asked.bytes);
    return 0;
}
