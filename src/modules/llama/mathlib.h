/* mathlib.h - double-precision elementary functions; there is no libm on the bare machine.
 *
 * Largest errors measured against glibc (tests/host/test_mathlib.py holds them to these): exp and
 * log 2 ulp, pow 1e-13 relative for 0 < x, |y log x| < 700; sin and cos 1e-15 absolute for |x| <
 * 2^20. No infinities or NaN expected as arguments, except that exp(-inf) is 0. */
#ifndef LLAMA_MATHLIB_H
#define LLAMA_MATHLIB_H

double math_exp(double x);
double math_log(double x); /* x > 0, normal */
double math_pow(double x, double y);
void math_sincos(double x, double *sine, double *cosine);

#endif
