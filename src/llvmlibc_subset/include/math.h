/* math.h - elementary functions, for modules: the kernel has no floating point (docs/libc.md says
 * how exact each is). */
#ifndef LLVMLIBC_SUBSET_MATH_H
#define LLVMLIBC_SUBSET_MATH_H

double ceil(double x);
double cos(double x);
double exp(double x);
double fabs(double x);
double floor(double x);
double fmod(double x, double y);
double log(double x);
double pow(double x, double y);
double round(double x);
double sin(double x);
void sincos(double x, double *sine, double *cosine);
double sqrt(double x);
double tanh(double x);

float ceilf(float x);
float cosf(float x);
float erff(float x);
float exp2f(float x);
float expf(float x);
float fabsf(float x);
float floorf(float x);
float fmodf(float x, float y);
float log2f(float x);
float logf(float x);
float powf(float x, float y);
float roundf(float x);
float sinf(float x);
float sqrtf(float x);
float tanf(float x);
float tanhf(float x);

#endif
