/* double_double.h - numbers as unevaluated sums of two doubles, about 106 bits: what pow and tanh
 * need to round once at the end. T. J. Dekker, "A floating-point technique for extending the
 * available precision", Numer. Math. 18 (1971); products without FMA, so that every target gives
 * the same. */
#ifndef LLVMLIBC_SUBSET_SUPPLY_DOUBLE_DOUBLE_H
#define LLVMLIBC_SUBSET_SUPPLY_DOUBLE_DOUBLE_H

#include <stdint.h>

struct dd {
    double hi, lo; /* |lo| is at most half an ulp of hi */
};

static inline double dd_from_bits(uint64_t bits) {
    union {
        uint64_t bits;
        double value;
    } u = {.bits = bits};
    return u.value;
}

static inline uint64_t dd_bits(double x) {
    union {
        double value;
        uint64_t bits;
    } u = {.value = x};
    return u.bits;
}

/* 2^k for a normal result. */
static inline double dd_power_of_two(int k) {
    return dd_from_bits((uint64_t)(k + 1023) << 52);
}

/* Exact a + b for |a| >= |b|. */
static inline struct dd dd_quick_sum(double a, double b) {
    double s = a + b;
    return (struct dd){s, b - (s - a)};
}

/* Exact a + b (Knuth). */
static inline struct dd dd_sum(double a, double b) {
    double s = a + b, t = s - a;
    return (struct dd){s, (a - (s - t)) + (b - t)};
}

/* Exact a * b for factors below 2^996. */
static inline struct dd dd_product(double a, double b) {
    const double split = 134217729.0; /* 2^27 + 1 */
    double p = a * b, t = split * a, u = split * b;
    double ah = t - (t - a), al = a - ah, bh = u - (u - b), bl = b - bh;
    return (struct dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static inline struct dd dd_add(struct dd a, struct dd b) {
    struct dd s = dd_sum(a.hi, b.hi), t = dd_sum(a.lo, b.lo);
    s = dd_quick_sum(s.hi, s.lo + t.hi);
    return dd_quick_sum(s.hi, s.lo + t.lo);
}

static inline struct dd dd_mul(struct dd a, struct dd b) {
    struct dd p = dd_product(a.hi, b.hi);
    return dd_quick_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline struct dd dd_scale(struct dd a, double power_of_two) {
    return (struct dd){a.hi * power_of_two, a.lo * power_of_two};
}

/* Two steps of long division. */
static inline struct dd dd_div(struct dd a, struct dd b) {
    double q = a.hi / b.hi;
    struct dd r = dd_mul(b, (struct dd){q, 0});
    r = dd_add(a, (struct dd){-r.hi, -r.lo});
    double q2 = r.hi / b.hi;
    struct dd s = dd_mul(b, (struct dd){q2, 0});
    r = dd_add(r, (struct dd){-s.hi, -s.lo});
    struct dd sum = dd_quick_sum(q, q2);
    return dd_quick_sum(sum.hi, sum.lo + r.hi / b.hi);
}

/* k ln 2 for |k| < 2^11: the first part has 42 bits, so that its product is exact. */
static inline struct dd dd_ln2_times(int k) {
    const double high = 0x1.62e42fefa38p-1, middle = 0x1.ef35793c7673p-45,
                 low = 0x1.f97b57a079a19p-103; /* 159 bits of ln 2 */
    struct dd rest = dd_add(dd_product(middle, k), (struct dd){low * k, 0});
    return dd_add((struct dd){high * k, 0}, rest);
}

/* e^x - 1 = 2^*k (1 + result) - 1 with |result| < 0.42, for |x| < 1024: about 2^-100 relative. */
struct dd dd_expm1_reduced(struct dd x, int *k);

#endif
