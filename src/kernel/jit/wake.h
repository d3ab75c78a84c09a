/* wake.h - modules that came as bitcode alone: they have no entry points until somebody looks for
 * one, and are compiled then, quickly (O0). Their operations get better as all others do. */
#ifndef KERNEL_JIT_WAKE_H
#define KERNEL_JIT_WAKE_H

/* From now on. */
void wake_init(void);
#endif
