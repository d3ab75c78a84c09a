/* libc_host_string.c - memory and text: random calls, both libraries must agree in results and in
 * what they write. Offsets are odd and bytes few, so that edges of words and matches are hit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc_host.h"

#define SIZE 700
#define ROOM 16 /* before and behind: nothing may be written there */

void *libc_memchr(const void *memory, int byte, size_t n);
int libc_memcmp(const void *a, const void *b, size_t n);
void *libc_memcpy(void *to, const void *from, size_t n);
void *libc_memmem(const void *memory, size_t n, const void *wanted, size_t wanted_n);
void *libc_memmove(void *to, const void *from, size_t n);
void *libc_memrchr(const void *memory, int byte, size_t n);
void *libc_memset(void *to, int byte, size_t n);
char *libc_strchr(const char *text, int c);
int libc_strcmp(const char *a, const char *b);
size_t libc_strcspn(const char *text, const char *unwanted);
size_t libc_strlen(const char *text);
int libc_strncmp(const char *a, const char *b, size_t n);
size_t libc_strnlen(const char *text, size_t n);
char *libc_strpbrk(const char *text, const char *wanted);
char *libc_strrchr(const char *text, int c);
size_t libc_strspn(const char *text, const char *wanted);
char *libc_strstr(const char *text, const char *wanted);

static int sign(int value) {
    return (value > 0) - (value < 0);
}

static void check(const char *function, int same) {
    if (!same)
        differs(function, "another result");
}

static size_t some_length(void) {
    return random_below(4) == 0 ? random_below(SIZE) : random_below(80);
}

void differ_memory(void) {
    unsigned char ours[SIZE + 2 * ROOM], theirs[SIZE + 2 * ROOM], from[SIZE + ROOM];
    size_t shift = random_below(ROOM), n = some_length();
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (unsigned char)random_below(256);
    for (size_t i = 0; i < sizeof ours; i++)
        ours[i] = theirs[i] = (unsigned char)random_below(256);

    unsigned char *to = ours + ROOM + random_below(ROOM) / 2;
    unsigned char *expected = theirs + (to - ours);
    n = n < (size_t)(ours + sizeof ours - ROOM / 2 - to) ? n : SIZE - ROOM;
    check("memcpy", libc_memcpy(to, from + shift, n) == to);
    memcpy(expected, from + shift, n);
    check("memcpy's bytes", memcmp(ours, theirs, sizeof ours) == 0);

    size_t a = random_below(SIZE / 2), b = random_below(SIZE / 2), overlap = random_below(SIZE / 2);
    check("memmove", libc_memmove(ours + a, ours + b, overlap) == ours + a);
    memmove(theirs + a, theirs + b, overlap);
    check("memmove's bytes", memcmp(ours, theirs, sizeof ours) == 0);

    int byte = (int)random_below(1024) - 512;
    check("memset", libc_memset(to, byte, n) == to);
    memset(expected, byte, n);
    check("memset's bytes", memcmp(ours, theirs, sizeof ours) == 0);

    memcpy(ours + ROOM, from + shift, SIZE);
    if (random_below(2) != 0)
        ours[ROOM + random_below(SIZE)] ^= (unsigned char)(1u << random_below(8));
    int result = libc_memcmp(ours + ROOM, from + shift, n);
    check("memcmp", sign(result) == sign(memcmp(ours + ROOM, from + shift, n)));
    check("memchr", libc_memchr(from, byte, n) == memchr(from, byte, n));
    check("memrchr", libc_memrchr(from, byte, n) == memrchr(from, byte, n));
    size_t wanted = random_below(4);
    check("memmem", libc_memmem(from, n, ours + a, wanted) == memmem(from, n, ours + a, wanted));
}

/* Text of few different bytes, some above 127. */
static char *some_text(char *buffer, size_t length) {
    char *text = buffer + random_below(ROOM);
    for (size_t i = 0; i < length; i++)
        text[i] = "abc\x80\xff\x01"[random_below(6)];
    text[length] = '\0';
    return text;
}

void differ_text(void) {
    char one[SIZE + ROOM + 1], other[SIZE + ROOM + 1], few[ROOM + 5];
    char *a = some_text(one, some_length()), *b = some_text(other, some_length());
    if (random_below(2) != 0)
        b = strcpy(other, a), b[random_below((uint32_t)strlen(a) + 1)] = "a\xff\0"[random_below(3)];
    char *set = some_text(few, random_below(4));
    int c = "abc\x80\xff\x01\0"[random_below(7)];
    size_t n = some_length();

    check("strlen", libc_strlen(a) == strlen(a));
    check("strnlen", libc_strnlen(a, n) == strnlen(a, n));
    check("strcmp", sign(libc_strcmp(a, b)) == sign(strcmp(a, b)));
    check("strncmp", sign(libc_strncmp(a, b, n)) == sign(strncmp(a, b, n)));
    check("strchr", libc_strchr(a, c) == strchr(a, c));
    check("strrchr", libc_strrchr(a, c) == strrchr(a, c));
    check("strstr", libc_strstr(a, set) == strstr(a, set));
    check("strspn", libc_strspn(a, set) == strspn(a, set));
    check("strcspn", libc_strcspn(a, set) == strcspn(a, set));
    check("strpbrk", libc_strpbrk(a, set) == strpbrk(a, set));
}
