/* task_switch.S - from one stack to another: what the System V ABI lets a function change is lost,
 * the rest is on the stack that is left. */
    .text
    .p2align 4
    .globl task_switch
    .type task_switch, @function
#ifdef __x86_64__
/* RDI: where the stack pointer goes; RSI: the one to go on with */
task_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    retq
#else
task_switch:
    movl 4(%esp), %eax
    movl 8(%esp), %edx
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    movl %edx, %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    retl
#endif
    .size task_switch, . - task_switch

/* The return address of a stack that was never left. */
    .p2align 4
    .globl task_entry
    .type task_entry, @function
task_entry:
    call task_arch_begin
    ud2
    .size task_entry, . - task_entry

    .section .note.GNU-stack, "", @progbits
