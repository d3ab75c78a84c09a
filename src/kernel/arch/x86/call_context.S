/* call_context.S - leaving a call that will not return by itself: like setjmp and longjmp, but the
 * way back begins in an exception handler (trap_recover.c). Struct call_context is in
 * call_context.h. */
#include "arch/x86/control.h"

    .text
    .p2align 4
    .globl call_save
    .type call_save, @function
#ifdef __x86_64__
call_save:
    movq %rbx, (%rdi)
    movq %rbp, 8(%rdi)
    movq %r12, 16(%rdi)
    movq %r13, 24(%rdi)
    movq %r14, 32(%rdi)
    movq %r15, 40(%rdi)
    leaq 8(%rsp), %rax /* as it is behind the return */
    movq %rax, 48(%rdi)
    movq (%rsp), %rax
    movq %rax, 56(%rdi)
    xorl %eax, %eax
    retq
#else
call_save:
    movl 4(%esp), %ecx
    movl %ebx, (%ecx)
    movl %ebp, 4(%ecx)
    movl %esi, 8(%ecx)
    movl %edi, 12(%ecx)
    leal 4(%esp), %eax /* as it is behind the return */
    movl %eax, 16(%ecx)
    movl (%esp), %eax
    movl %eax, 20(%ecx)
    xorl %eax, %eax
    retl
#endif
    .size call_save, . - call_save

    .p2align 4
    .globl call_leave
    .type call_leave, @function
call_leave:
#ifdef __x86_64__
    movq %rdi, %rax
#else
    movl 4(%esp), %eax
#endif
    jmp call_resume
    .size call_leave, . - call_leave

/* Entered by the return from the exception, the context in the accumulator. What was left may have
 * changed how floating-point code rounds and faults, and an x87 exception may be pending. */
    .p2align 4
    .globl call_resume
    .type call_resume, @function
call_resume:
    fninit
    ldmxcsr mxcsr_default
#ifdef __x86_64__
    movq (%rax), %rbx
    movq 8(%rax), %rbp
    movq 16(%rax), %r12
    movq 24(%rax), %r13
    movq 32(%rax), %r14
    movq 40(%rax), %r15
    movq 48(%rax), %rsp
    movq 56(%rax), %rdx
    movl $1, %eax
    jmpq *%rdx
#else
    movl (%eax), %ebx
    movl 4(%eax), %ebp
    movl 8(%eax), %esi
    movl 12(%eax), %edi
    movl 16(%eax), %esp
    movl 20(%eax), %edx
    movl $1, %eax
    jmpl *%edx
#endif
    .size call_resume, . - call_resume

    .section .rodata
    .p2align 2
mxcsr_default:
    .long MXCSR_DEFAULT

    .section .note.GNU-stack, "", @progbits
