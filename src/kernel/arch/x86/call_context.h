/* call_context.h - where a call was made, so that an exception in it can end it (call_context.S).
 */
#ifndef KERNEL_ARCH_X86_CALL_CONTEXT_H
#define KERNEL_ARCH_X86_CALL_CONTEXT_H

#include <stdint.h>

struct call_context { /* the registers that a function keeps (System V ABI), by call_context.S */
#ifdef __x86_64__
    uintptr_t kept[6]; /* rbx rbp r12 r13 r14 r15 */
#else
    uintptr_t kept[4]; /* ebx ebp esi edi */
#endif
    uintptr_t stack; /* of the caller of call_save */
    uintptr_t ip;
};

/* Returns 0, and once more, with 1, when the call that follows is given up. The caller must not
 * have returned meanwhile, and not rely on locals that it changed. */
int call_save(struct call_context *context) __attribute__((returns_twice));
/* Where an exception handler goes to for that, with the context's address in EAX or RAX. */
void call_resume(void);
/* The same from C. */
_Noreturn void call_leave(const struct call_context *context);

#endif
