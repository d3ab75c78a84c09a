/* test_lib.c - C library, printf, 64-bit division, SHA-256, time and clock. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/clock.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"
#include "lib/printf.h"
#include "load/sha256.h"
#include "selftest/selftest.h"

#define CLOCK_TEST_NS 50000000u

/* Hides a value from the optimiser: tests must run the code, not its result. */
static uint64_t opaque(uint64_t value) {
    __asm__ volatile("" : "+m"(value));
    return value;
}

/* What if source and target overlap, are misaligned, or the length is no whole word? */
static bool test_string(char *why, size_t size) {
    unsigned char from[96], to[96];
    for (size_t length = 0; length <= 40; length++) {
        for (size_t shift = 0; shift <= 40; shift += 5) {
            for (size_t i = 0; i < sizeof(from); i++) {
                from[i] = (unsigned char)(i * 7 + 1);
                to[i] = 0xee;
            }
            memcpy(to + shift, from + 3, length);
            EXPECT(memcmp(to + shift, from + 3, length) == 0);
            EXPECT(to[shift + length] == 0xee && (shift == 0 || to[shift - 1] == 0xee));
            memcpy(to, from, sizeof(to));
            memmove(to + shift, to + 8, length);
            EXPECT(memcmp(to + shift, from + 8, length) == 0);
            EXPECT(to[shift + length] == from[shift + length]);
            memset(to + shift, 0x1a5, length);
            for (size_t i = 0; i < length; i++)
                EXPECT(to[shift + i] == 0xa5);
            EXPECT(to[shift + length] == from[shift + length]);
        }
    }
    EXPECT(strlen("") == 0 && strlen("tensor") == 6 && strnlen("tensor", 3) == 3);
    EXPECT(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && strcmp("ab", "ab") == 0);
    EXPECT(strcmp("\x80", "a") > 0 && memcmp("\x80", "a", 1) > 0); /* bytes are unsigned */
    EXPECT(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
    return true;
}

static int compare_bytes(const void *a, const void *b) {
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* What if nothing is found, a number does not end where it should, or is too large? */
static bool test_libc(char *why, size_t size) {
    const char text[] = "tensor kernel";
    EXPECT(strchr(text, 'e') == text + 1 && strrchr(text, 'e') == text + 11);
    EXPECT(strchr(text, 'x') == NULL && strrchr(text, 0) == text + 13);
    EXPECT(memchr(text, 'k', 13) == text + 7 && memchr(text, 'k', 7) == NULL);
    EXPECT(memrchr(text, 'n', 13) == text + 10 && memmem(text, 13, "or", 2) == text + 4);
    EXPECT(strstr(text, "ker") == text + 7 && strstr(text, "kers") == NULL);
    EXPECT(strspn(text, "nest") == 4 && strcspn(text, " ") == 6);
    EXPECT(strpbrk(text, "kr") == text + 5);

    char *end;
    EXPECT(strtol(" -0x7f!", &end, 0) == -127 && *end == '!');
    EXPECT(strtoul("755", NULL, 8) == 0755 && strtoll("-9223372036854775808", NULL, 10) < 0);
    errno = 0;
    EXPECT(strtoull("18446744073709551615", &end, 10) == UINT64_MAX && errno == 0 && *end == 0);
    EXPECT(strtoull("18446744073709551616", &end, 10) == UINT64_MAX && errno == ERANGE);
    EXPECT(abs(-3) == 3 && labs(-3l) == 3 && llabs(-3ll) == 3);

    unsigned char sorted[200], key = 199;
    for (unsigned i = 0; i < sizeof(sorted); i++)
        sorted[i] = (unsigned char)(i * 77 % sizeof(sorted)); /* 77 and 200 share no factor */
    qsort(sorted, sizeof(sorted), 1, compare_bytes);
    for (unsigned i = 0; i < sizeof(sorted); i++)
        EXPECT(sorted[i] == i);
    EXPECT(bsearch(&key, sorted, sizeof(sorted), 1, compare_bytes) == sorted + 199);
    key = 200;
    EXPECT(bsearch(&key, sorted, sizeof(sorted), 1, compare_bytes) == NULL);
    return true;
}

static bool formats_to(const char *expected, const char *format, ...) {
    char text[80];
    va_list args;
    va_start(args, format);
    int length = kvsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return strcmp(text, expected) == 0 && (size_t)length == strlen(expected);
}

static bool test_printf(char *why, size_t size) {
    char small[4];
    EXPECT(formats_to("a 5% (null)", "%s %d%% %s", "a", 5, (const char *)NULL));
    EXPECT(formats_to("-2147483648 4294967295", "%d %u", INT32_MIN, UINT32_MAX));
    EXPECT(formats_to("-9223372036854775808", "%lld", (long long)INT64_MIN));
    EXPECT(formats_to("18446744073709551615", "%llu", (unsigned long long)UINT64_MAX));
    EXPECT(formats_to("deadbeef DEADBEEF 0x10", "%x %X %p", 0xdeadbeefu, 0xdeadbeefu, (void *)16));
    EXPECT(formats_to("[   7|7   |0007|-007]", "[%4d|%-4d|%04d|%04d]", 7, 7, 7, -7));
    EXPECT(formats_to("[  ab|ab  |a|ab]", "[%4s|%-4s|%.*s|%.9s]", "ab", "ab", 1, "ab", "ab"));
    EXPECT(formats_to("x7 9", "%c%zu %lu", 'x', (size_t)7, 9ul));
    EXPECT(formats_to("[0x2a|  +5|-   |052]", "[%#x|%+4d|%-4s|%#o]", 42, 5, "-", 42));
    const char cut[2] = {'a', 'b'}; /* and no NUL: nothing behind the precision may be read */
    EXPECT(formats_to("ab|  a|", "%.*s|%3.1s|%.0s", 2, cut, cut, cut));
    EXPECT(ksnprintf(small, sizeof(small), "12345") == 5 && strcmp(small, "123") == 0);
    return true;
}

static bool test_div64(char *why, size_t size) {
    static const struct {
        uint64_t a, b, quotient, rest;
    } cases[] = {
        {1000000000000ull, 7, 142857142857ull, 1},
        {UINT64_MAX, 10, 1844674407370955161ull, 5},
        {UINT64_MAX, UINT64_MAX, 1, 0},
        {0x123456789abcdef0ull, 0x100000000ull, 0x12345678, 0x9abcdef0},
        {5, 0x100000001ull, 0, 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t a = opaque(cases[i].a), b = opaque(cases[i].b);
        EXPECT(a / b == cases[i].quotient && a % b == cases[i].rest);
    }
    int64_t negative = (int64_t)opaque((uint64_t)-1000000000001ll);
    EXPECT(negative / 1000 == -1000000000 && negative % 1000 == -1);
    EXPECT(opaque(0xf000000000000001ull) >> opaque(60) == 15 &&
           opaque(1) << opaque(40) == 1ull << 40);
    return true;
}

/* FIPS 180-4, the examples "abc" and 448 bits, by NIST. */
static bool test_sha256(char *why, size_t size) {
    static const uint8_t abc[4] = {0xba, 0x78, 0x16, 0xbf};
    static const uint8_t longer[4] = {0x24, 0x8d, 0x6a, 0x61};
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t digest[SHA256_SIZE];
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, "ab", 2);
    sha256_update(&state, "c", 1);
    sha256_final(&state, digest);
    EXPECT(memcmp(digest, abc, sizeof(abc)) == 0 && digest[31] == 0xad);
    sha256_init(&state);
    sha256_update(&state, text, sizeof(text) - 1);
    sha256_final(&state, digest);
    EXPECT(memcmp(digest, longer, sizeof(longer)) == 0 && digest[31] == 0xc1);
    return true;
}

static bool test_time(char *why, size_t size) {
    uint64_t cycles = time_cycles(), ms = time_ms();
    EXPECT(time_hz() >= 10000000);
    for (int i = 0; i < 1000; i++) {
        uint64_t next = time_cycles();
        EXPECT(next >= cycles);
        cycles = next;
    }
    time_delay_us(3000);
    EXPECT(time_ms() - ms >= 2);
    EXPECT(time_cycles() - cycles >= time_hz() / 1000 * 2);
    return true;
}

/* The clock and the time-stamp counter, calibrated apart, agree to 1 %. The counter is read before
 * and after the clock: what passes in between is neither's fault. */
static bool test_clock(char *why, size_t size) {
    uint64_t before = time_cycles(), first = clock_ns(), after = time_cycles();
    timer_sleep_until(first + CLOCK_TEST_NS);
    uint64_t least = time_cycles() - after, last = clock_ns(), most = time_cycles() - before;
    uint64_t percent_ns = (last - first) / 100, khz = time_hz() / 1000;
    EXPECT(last - first >= CLOCK_TEST_NS);
    EXPECT(last - first + percent_ns >= least * 1000000 / khz);
    EXPECT(last - first - percent_ns <= most * 1000000 / khz);
    return true;
}

const struct selftest selftests_lib[] = {
    {"string", test_string}, {"libc", test_libc}, {"printf", test_printf}, {"div64", test_div64},
    {"sha256", test_sha256}, {"time", test_time}, {"clock", test_clock},   {NULL, NULL},
};
