/* xcr0_host.c - prints XCR0, or 0 where the processor or Linux has none. */
#include <cpuid.h>
#include <immintrin.h>
#include <stdio.h>

#define ECX_OSXSAVE (1u << 27)

int main(void) {
    unsigned a, b, c = 0, d;
    __get_cpuid(1, &a, &b, &c, &d);
    printf("%llu\n", c & ECX_OSXSAVE ? _xgetbv(0) : 0ull);
    return 0;
}
