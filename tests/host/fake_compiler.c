/* fake_compiler.c - a program in the place of JIT.ELF that does what a test wants for each entry
 * point and level: answers with bytes that were prepared, or misbehaves.
 *
 * What it is to do stands behind its own file (tier_faults.py): so its build ID is always the same.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fluid/jit.h"

#define FOOTER_MAGIC 0x454b4146u /* "FAKE" */
#define EATEN (16u << 20)        /* bytes at a time */

enum action { ANSWER, CRASH, STATUS, LOOP, EAT, SLEEP, FLOOD };

struct row {
    char entry[32];
    uint32_t level; /* 0: any */
    uint32_t action;
    uint32_t offset, size; /* of the answer, in the file */
};

struct footer {
    uint32_t magic, rows, offset;
};

static uint8_t request[JIT_REQUEST_MAX];

static void need(int condition) {
    if (!condition)
        _exit(77);
}

static void read_request(void) {
    size_t got = 0;
    ssize_t n;
    while (got < sizeof request && (n = read(0, request + got, sizeof request - got)) > 0)
        got += (size_t)n;
    need(got >= sizeof(struct jit_request));
}

static void at(int file, void *to, size_t size, off_t offset) {
    need(pread(file, to, size, offset) == (ssize_t)size);
}

static void answer(int file, const struct row *row) {
    uint8_t *bytes = malloc(row->size + 1);
    need(bytes != NULL);
    at(file, bytes, row->size, row->offset);
    for (size_t sent = 0; sent < row->size;) {
        ssize_t n = write(1, bytes + sent, row->size - sent);
        need(n > 0);
        sent += (size_t)n;
    }
}

static void eat(void) {
    for (;;) {
        volatile uint8_t *memory = malloc(EATEN);
        if (!memory)
            abort();
        for (size_t i = 0; i < EATEN; i += 4096)
            memory[i] = 1;
    }
}

static void flood(void) {
    while (write(1, request, sizeof request) > 0)
        ;
}

static void act(int file, const struct row *row) {
    switch (row->action) {
    case ANSWER:
        answer(file, row);
        return;
    case CRASH:
        raise(SIGSEGV);
        return;
    case STATUS:
        _exit(3);
    case LOOP:
        for (volatile unsigned i = 0;; i++)
            ;
    case EAT:
        eat();
        return;
    case SLEEP:
        pause();
        return;
    case FLOOD:
        flood();
    }
}

int main(void) {
    struct jit_request head;
    struct footer footer;
    struct row row;
    uint32_t name = 0;
    int file = open("/proc/self/exe", O_RDONLY);
    off_t end = lseek(file, 0, SEEK_END);
    read_request();
    memcpy(&head, request, sizeof head);
    if (head.entry_count > 0)
        memcpy(&name, request + head.entry_off, sizeof name);
    const char *entry = head.entry_count > 0 ? (const char *)request + head.string_off + name : "";
    at(file, &footer, sizeof footer, end - (off_t)sizeof footer);
    need(footer.magic == FOOTER_MAGIC);
    for (uint32_t i = 0; i < footer.rows; i++) {
        at(file, &row, sizeof row, footer.offset + (off_t)(i * sizeof row));
        if (strcmp(row.entry, entry) != 0 || (row.level != 0 && row.level != head.level))
            continue;
        act(file, &row);
        return 0;
    }
    return 78; /* nothing is wanted of it */
}
