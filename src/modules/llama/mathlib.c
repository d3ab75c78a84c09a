/* mathlib.c - elementary functions: argument reduction in two or three parts (Cody and Waite), then
 * the minimax polynomials of fdlibm (Sun Microsystems 1993, e_log.c, k_sin.c, k_cos.c, e_exp.c). */
#include "mathlib.h"

#include "bytes.h"

#define LN2_HI 6.93147180369123816490e-01 /* ln 2, 32 bits: k * LN2_HI is exact for |k| < 2^20 */
#define LN2_LO 1.90821492927058770002e-10
#define INV_LN2 1.44269504088896338700e+00
#define PIO2_1 1.57079632673412561417e+00 /* pi / 2, 33 bits each; fdlibm e_rem_pio2.c */
#define PIO2_2 6.07710050630396597660e-11
#define PIO2_3 2.02226624879595063154e-21
#define INV_PIO2 6.36619772367581382433e-01

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Nearest integer, |x| < 2^31. */
static int32_t nearest(double x) {
    return (int32_t)(x < 0 ? x - 0.5 : x + 0.5);
}

double math_exp(double x) {
    if (!(x > -708.0))
        return 0;
    if (x > 709.0)
        x = 709.0;
    int32_t k = nearest(x * INV_LN2);
    double hi = x - k * LN2_HI;
    double lo = k * LN2_LO;
    double r = hi - lo;
    double t = r * r;
    double c =
        r - t * (1.66666666666666019037e-01 +
                 t * (-2.77777777770155933842e-03 +
                      t * (6.61375632143793436117e-05 +
                           t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    double y = 1 - ((lo - (r * c) / (2 - c)) - hi);
    return y * from_bits((uint64_t)(k + 1023) << 52);
}

double math_log(double x) {
    uint64_t bits = to_bits(x);
    int32_t k = (int32_t)(bits >> 52) - 1023;
    double m = from_bits((bits & 0xfffffffffffffu) | 0x3ff0000000000000u); /* 1 <= m < 2 */
    if (m > 1.41421356237309504880) {
        m *= 0.5;
        k++;
    }
    double f = m - 1;
    double s = f / (2 + f);
    double z = s * s;
    double r =
        z * (6.666666666666735130e-01 +
             z * (3.999999999940941908e-01 +
                  z * (2.857142874366239149e-01 +
                       z * (2.222219843214978396e-01 +
                            z * (1.818357216161805012e-01 +
                                 z * (1.531383769920937332e-01 + z * 1.479819860511658591e-01))))));
    double half = 0.5 * f * f;
    return k * LN2_HI - ((half - (s * (half + r) + k * LN2_LO)) - f);
}

double math_pow(double x, double y) {
    return math_exp(y * math_log(x));
}

static double sin_kernel(double x) {
    double z = x * x;
    double r = 8.33333333332248946124e-03 +
               z * (-1.98412698298579493134e-04 +
                    z * (2.75573137070700676789e-06 +
                         z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)));
    return x + z * x * (-1.66666666666666324348e-01 + z * r);
}

static double cos_kernel(double x) {
    double z = x * x;
    double r =
        z * (4.16666666666666019037e-02 +
             z * (-1.38888888888741095749e-03 +
                  z * (2.48015872894767294178e-05 +
                       z * (-2.75573143513906633035e-07 +
                            z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
    return 1 - (0.5 * z - z * r);
}

void math_sincos(double x, double *sine, double *cosine) {
    int32_t k = nearest(x * INV_PIO2);
    double r = ((x - k * PIO2_1) - k * PIO2_2) - k * PIO2_3;
    double s = sin_kernel(r);
    double c = cos_kernel(r);
    switch (k & 3) {
    case 0:
        *sine = s, *cosine = c;
        break;
    case 1:
        *sine = c, *cosine = -s;
        break;
    case 2:
        *sine = -s, *cosine = -c;
        break;
    default:
        *sine = -c, *cosine = s;
        break;
    }
}
