/* libc_host_number.c - numbers from text, sorting and searching. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc_host.h"

#define TEXT 48
#define ITEMS 300

int *libc___llvm_libc_errno(void);
long libc_strtol(const char *text, char **end, int base);
long long libc_strtoll(const char *text, char **end, int base);
unsigned long libc_strtoul(const char *text, char **end, int base);
unsigned long long libc_strtoull(const char *text, char **end, int base);
int libc_abs(int value);
long libc_labs(long value);
long long libc_llabs(long long value);
void libc_qsort(void *array, size_t count, size_t size, int (*compare)(const void *, const void *));
void *libc_bsearch(const void *key, const void *array, size_t count, size_t size,
                   int (*compare)(const void *, const void *));
#ifndef KERNEL_UNIT
double libc_strtod(const char *text, char **end);
float libc_strtof(const char *text, char **end);
#endif

static void make_number(char *text) {
    static const char *const starts[] = {"", " ", "\t-", "+", "-", "0x", "-0x", "0", "--"};
    const char *digits = random_below(2) != 0 ? "0123456789" : "0123456789abcdefXYZ.eE+-";
    size_t n = (size_t)sprintf(text, "%s", starts[random_below(sizeof starts / sizeof *starts)]);
    for (size_t left = random_below(24); left > 0; left--)
        text[n++] = digits[random_below((uint32_t)strlen(digits))];
    text[n] = '\0';
}

/* Both results, where they ended and their errno; base is 0, 2 .. 36. */
#define COMPARE(type, function, ...)                                                               \
    do {                                                                                           \
        char *our_end = NULL, *their_end = NULL;                                                   \
        *libc___llvm_libc_errno() = errno = 0;                                                     \
        type theirs = function(text, &their_end __VA_ARGS__);                                      \
        int their_errno = errno;                                                                   \
        type ours = libc_##function(text, &our_end __VA_ARGS__);                                   \
        if (memcmp(&ours, &theirs, sizeof ours) != 0 || our_end != their_end ||                    \
            *libc___llvm_libc_errno() != their_errno)                                              \
            differs(#function, text);                                                              \
    } while (0)

void differ_numbers(void) {
    char text[TEXT];
    make_number(text);
    int base = (int)random_below(36);
    base += base != 0;
    COMPARE(long, strtol, , base);
    COMPARE(long long, strtoll, , base);
    COMPARE(unsigned long, strtoul, , base);
    COMPARE(unsigned long long, strtoull, , base);
#ifndef KERNEL_UNIT
    COMPARE(double, strtod);
    COMPARE(float, strtof);
#endif
    int value = (int)(random_below(UINT32_MAX) / 2);
    if (libc_abs(-value) != value || libc_labs(-value) != value || libc_llabs(-value) != value)
        differs("abs", text);
}

struct item {
    unsigned char key;
    unsigned char rest[6];
};

static int compare_items(const void *a, const void *b) {
    return ((const struct item *)a)->key - ((const struct item *)b)->key;
}

void differ_sorting(void) {
    struct item items[ITEMS];
    unsigned count[256] = {0}, seen = 0;
    size_t n = random_below(ITEMS);
    for (size_t i = 0; i < n; i++) {
        items[i].key = (unsigned char)random_below(200);
        memset(items[i].rest, items[i].key, sizeof items[i].rest);
        count[items[i].key]++;
    }
    libc_qsort(items, n, sizeof *items, compare_items);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && items[i - 1].key > items[i].key)
            differs("qsort", "not in order");
        for (size_t k = 0; k < sizeof items[i].rest; k++)
            if (items[i].rest[k] != items[i].key)
                differs("qsort", "an item is torn");
        count[items[i].key]--;
    }
    for (size_t i = 0; i < 256; i++)
        seen |= count[i];
    if (seen != 0)
        differs("qsort", "other items");
    struct item wanted = {.key = (unsigned char)random_below(256)};
    struct item *found = libc_bsearch(&wanted, items, n, sizeof *items, compare_items);
    if ((found == NULL) != (bsearch(&wanted, items, n, sizeof *items, compare_items) == NULL) ||
        (found != NULL && found->key != wanted.key))
        differs("bsearch", "another answer");
}
