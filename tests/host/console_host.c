/* console_host.c - runs the console's parsers in a Linux process: standard input is what arrives at
 * the serial port. usage: console_host lines|events|base64|micro|utf8|stop PIECE TEXT... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/base64.h"
#include "console/console.h"
#include "console/event.h"
#include "console/input.h"
#include "console/line.h"
#include "console/number.h"
#include "console/stop.h"
#include "console/utf8.h"
#include "dev/serial.h"

int input_read(void) {
    int byte = getchar();
    return byte == EOF ? -1 : byte;
}

void input_wait(void) { /* called when there is no more input: the test is over */
    exit(0);
}

void serial_write(const char *bytes, size_t n) {
    fwrite(bytes, 1, n, stdout);
}

void console_write(const char *bytes, size_t n) {
    fwrite(bytes, 1, n, stderr);
}

void console_control(const char *bytes, size_t n) {
    fwrite(bytes, 1, n, stderr);
}

static void print_lines(void) {
    static struct line line;

    for (;;) {
        line_read(&line);
        printf("%d ", line.too_long);
        for (size_t i = 0; i < line.length; i++)
            printf("%02x", (unsigned char)line.text[i]);
        printf("\n");
    }
}

static size_t read_all(char *to, size_t size) {
    return fread(to, 1, size, stdin);
}

static void print_event(void) {
    static char text[1 << 20];
    size_t n = read_all(text, sizeof(text) - 1);

    event_begin("test");
    event_bytes("text", "b64", text, n);
    event_string("string", text);
    event_string("null", NULL);
    event_i64("negative", INT64_MIN);
    event_u64("large", UINT64_MAX);
    event_array_begin("array");
    event_array_begin(NULL);
    event_array_end();
    event_array_begin(NULL);
    event_micro(NULL, -1500000);
    event_micro(NULL, 1);
    event_array_end();
    event_array_end();
    event_null("none");
    event_end();
    event_enabled = false;
    event_begin("silent");
    event_u64("x", 1);
    event_end();
}

static void print_base64(void) {
    static char text[1 << 20];
    int64_t n = base64_decode(text, read_all(text, sizeof(text)));

    printf("%lld ", (long long)n);
    for (int64_t i = 0; i < n; i++)
        printf("%02x", (unsigned char)text[i]);
}

static void print_micro(void) {
    char text[256];
    int64_t micro = -1;
    bool ok = number_micro(text, read_all(text, sizeof(text)), 5000000, &micro);

    printf("%d %lld", ok, ok ? (long long)micro : -1);
}

static void print_utf8(void) {
    static char text[1 << 16];
    size_t n = read_all(text, sizeof(text));
    char *exact =
        malloc(n ? n : 1); /* exactly sized, so that the sanitizer sees a read past the end */

    memcpy(exact, text, n);
    printf("%d", utf8_valid(exact, n));
    free(exact);
}

static void print_bytes(void *context, const char *bytes, size_t n) {
    (void)context;
    fwrite(bytes, 1, n, stdout);
}

/* Input in pieces of so many bytes through a filter for the given stop strings. */
static void print_until_stop(size_t piece, int count, char **texts) {
    static char text[1 << 16];
    static struct stop_strings stop;
    struct stop_filter filter = {.stop = &stop};
    size_t n = read_all(text, sizeof(text));

    for (int i = 0; i < count; i++)
        if (!stop_add(&stop, texts[i], strlen(texts[i])))
            printf("refused %d\n", i);
    for (size_t at = 0; at < n; at += piece) {
        if (stop_feed(&filter, text + at, n - at < piece ? n - at : piece, print_bytes, NULL)) {
            printf("<stop>");
            return;
        }
    }
    if (stop_flush(&filter, print_bytes, NULL))
        printf("<stop>");
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";

    if (strcmp(mode, "lines") == 0)
        print_lines();
    else if (strcmp(mode, "events") == 0)
        print_event();
    else if (strcmp(mode, "base64") == 0)
        print_base64();
    else if (strcmp(mode, "micro") == 0)
        print_micro();
    else if (strcmp(mode, "utf8") == 0)
        print_utf8();
    else if (strcmp(mode, "stop") == 0 && argc > 2)
        print_until_stop((size_t)atoi(argv[2]), argc - 3, argv + 3);
    else
        return 2;
    return 0;
}
