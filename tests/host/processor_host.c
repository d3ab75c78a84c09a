/* processor_host.c - prints XCR0, or 0 where the processor or Linux has none, and the processor's
 * model as keys of the cache have it (src/kernel/jit/entry.c). */
#include <cpuid.h>
#include <immintrin.h>
#include <stdio.h>
#include <string.h>

#define ECX_OSXSAVE (1u << 27)

int main(void) {
    unsigned a, b, c = 0, d;
    char vendor[13] = "";
    __get_cpuid(0, &a, &b, &c, &d);
    memcpy(vendor, (unsigned[]){b, d, c}, 12);
    __get_cpuid(1, &a, &b, &c, &d);
    unsigned family = a >> 8 & 15, model = a >> 4 & 15;
    if (family == 6 || family == 15)
        model |= (a >> 16 & 15) << 4;
    if (family == 15)
        family += a >> 20 & 255;
    printf("%llu %s-%u-%u-%u\n", c & ECX_OSXSAVE ? _xgetbv(0) : 0ull, vendor, family, model,
           a & 15);
    return 0;
}
