/* user_faults.c - programs that do what only the kernel may do, or nobody. */
#include "user_program.h"

PROGRAM(exit) {
    out("good");
    leave(7);
}

PROGRAM(input) {

    char bytes[16];
    u64 n = call(READ, 0, (u64)bytes, 16, 0);
    CHECK(call(READ, 0, (u64)bytes, 16, 0) == 0);
    call(WRITE, 1, (u64)bytes, n, 0);
    leave(n);
}

PROGRAM(stderr) {
    call(WRITE, 2, (u64) "what\x1bis said", 12, 0);
    leave(0);
}

PROGRAM(null) {
    *(volatile int *)0 = 1;
}

PROGRAM(readkernel) {
    data = *(volatile u64 *)KERNEL;
    leave(1);
}

PROGRAM(writekernel) {
    *(volatile u64 *)KERNEL = 1;
    leave(1);
}

PROGRAM(jumpkernel) {
    ((void (*)(void))KERNEL)();
    leave(1);
}

PROGRAM(highhalf) {
    data = *(volatile u64 *)0xffffffff80000000;
    leave(1);
}

PROGRAM(text) {
    *(volatile char *)(u64)leave = 1;
    leave(1);
}

PROGRAM(nx) {
    bss[0] = 0xc3;
    ((void (*)(void))(u64)bss)();
    leave(1);
}

PROGRAM(ud) {
    __asm__ volatile("ud2");
}

PROGRAM(hlt) {
    __asm__ volatile("hlt");
}

PROGRAM(cli) {
    __asm__ volatile("cli");
}

PROGRAM(port) {
    __asm__ volatile("outb %al, $0x80");
}

PROGRAM(cr3) {
    __asm__ volatile("mov %%cr3, %%rax" : : : "rax");
}

PROGRAM(rdmsr) {
    __asm__ volatile("rdmsr" : : "c"(0xc0000080) : "rax", "rdx");
}

PROGRAM(swapgs) {
    __asm__ volatile("swapgs");
}

PROGRAM(iopl) {

    u64 f;
    __asm__ volatile("pushfq\n orq $0x7200, (%%rsp)\n popfq\n pushfq\n pop %0" : "=r"(f));
    CHECK((f & 0x3000) == 0);
    leave(call(GETPID, 0, 0, 0, 0));
}

PROGRAM(int3) {
    __asm__ volatile("int3");
}

PROGRAM(int80) {
    __asm__ volatile("int $0x80");
}

PROGRAM(int48) {
    __asm__ volatile("int $48");
}

PROGRAM(divide) {
    __asm__ volatile("divl %0" : : "r"(0) : "rax", "rdx");
}

PROGRAM(step) {
    __asm__ volatile("pushfq\n orq $0x100, (%rsp)\n popfq\n nop\n");
}

PROGRAM(stepcall) {
    __asm__ volatile("pushfq\n orq $0x100, (%rsp)\n movl $39, %eax\n popfq\n syscall\n");
}

PROGRAM(badstack) {
    __asm__ volatile("movq $0x8000000000000000, %rsp\n pushq $1");
}

PROGRAM(kernelstack) {
    __asm__ volatile("movl $39, %eax\n movq $0x100000, %rsp\n syscall\n movl $3, %edi\n movl $231, "
                     "%eax\n syscall");
}

PROGRAM(nocanon) {
    __asm__ volatile("movq $0x8000000000000000, %rax\n jmp *%rax");
}

PROGRAM(gs) {

    __asm__ volatile("movw %w0, %%gs\n movw %w0, %%fs\n movw %w0, %%ds\n movw %w0, %%es"
                     :
                     : "r"(0));
    for (u64 i = 0; i < 30000000; i++)
        data += i;
    CHECK(call(GETPID, 0, 0, 0, 0) == 1);
    __asm__ volatile("movw %w0, %%gs\n movw %w0, %%ds" : : "r"(0x2b));
    for (u64 i = 0; i < 1000000; i++)
        data += i;
    CHECK(call(ARCH_PRCTL, 0x1001, (u64)&data, 0, 0) == ERROR(EINVAL)); /* ARCH_SET_GS */
    __asm__ volatile("movw %w0, %%gs" : : "r"(0x10));                   /* the kernel's */
}

START
