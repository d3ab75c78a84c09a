/* user_calls.c - programs that use what is theirs up to its limits, and system calls. */
#include "user_program.h"

PROGRAM(fsbase) {

    CHECK(call(ARCH_PRCTL, 0x1002, 0x8000000000000000, 0, 0) == ERROR(EPERM));
    CHECK(call(ARCH_PRCTL, 0x1002, ~0ul, 0, 0) == ERROR(EPERM));
    static u64 word = 42;
    u64 got;
    CHECK(call(ARCH_PRCTL, 0x1002, (u64)&word, 0, 0) == 0);
    for (u64 i = 0; i < 30000000; i++)
        data += i;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(got));
    leave(got);
}

PROGRAM(vector) {

    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n movdqa %%xmm0, %%xmm15" : : : "xmm0", "xmm15");
    for (u64 i = 0; i < 30000000; i++)
        data += i;
    u64 got;
    __asm__ volatile("movq %%xmm15, %0" : "=r"(got));
    leave(got == ~0ul ? 5 : 1);
}

PROGRAM(endless) {
    for (;;)
        data++;
}

PROGRAM(endlesscalls) {
    for (;;)
        call(GETPID, 0, 0, 0, 0);
}

PROGRAM(touchall) {

    u64 n = 0;
    for (;; n++) {
        u64 p = map(1 << 20, 3);
        if (p >= ERROR(4095))
            leave(n);
        for (u64 i = 0; i < 1 << 20; i += 4096)
            *(volatile char *)(p + i) = 1;
    }
}

PROGRAM(hog) {

    u64 n = 0;
    while (map(1 << 20, 3) < ERROR(4095))
        n++;
    CHECK(map(1 << 20, 3) == ERROR(ENOMEM));
    leave(n);
}

PROGRAM(sparse) {

    for (u64 i = 0;; i++) { /* tables count, too */
        u64 at = 0x500000000000 + (i << 30);
        CHECK(call(MMAP, at, 4096, 3, 0x32) == at);
        *(volatile char *)at = 1;
        CHECK(call(MUNMAP, at, 4096, 0, 0) == 0);
    }
}

PROGRAM(recursion) {

    __asm__ volatile("1: pushq $1\n jmp 1b");
}

PROGRAM(toomuch) {

    u64 p = map(1 << 20, 3);
    for (;;)
        CHECK(call(WRITE, 1, p, 1 << 20, 0) == 1 << 20);
}

PROGRAM(unknown) {

    CHECK(call(FORK, 0, 0, 0, 0) == ERROR(ENOSYS));   /* fork */
    CHECK(call(EXECVE, 0, 0, 0, 0) == ERROR(ENOSYS)); /* execve */
    CHECK(call(OPEN, 0, 0, 0, 0) == ERROR(ENOSYS));   /* open */
    CHECK(call(PTRACE, 0, 0, 0, 0) == ERROR(ENOSYS)); /* ptrace */
    CHECK(call(335, 0, 0, 0, 0) == ERROR(ENOSYS));
    CHECK(call(~0ul, 0, 0, 0, 0) == ERROR(ENOSYS));
    CHECK(call(1ul << 32 | 39, 0, 0, 0, 0) == ERROR(ENOSYS));
    CHECK(call(FORK, 0, 0, 0, 0) == ERROR(ENOSYS));
    leave(4);
}

PROGRAM(pointers) {

    static const u64 bad[] = {0,
                              1,
                              KERNEL,
                              0xfee00000,
                              0x3ffffffffff0,
                              0x7fffffffefff,
                              0x7ffffffff000,
                              0x7ffffffffff0,
                              0x800000000000,
                              ~0ul,
                              ~0ul - 7,
                              0xffff800000000000};
    for (int i = 0; i < 12; i++) {
        CHECK(call(READ, 0, bad[i], 5, 0) == ERROR(EFAULT) || i == 5);
        CHECK(call(WRITE, 1, bad[i], 64, 0) == ERROR(EFAULT));
        CHECK(call(WRITE, 2, bad[i], 64, 0) == ERROR(EFAULT));
        CHECK(call(CLOCK_GETTIME, 1, bad[i], 0, 0) == ERROR(EFAULT));
        CHECK(call(GETRANDOM, bad[i], 64, 0, 0) == ERROR(EFAULT));
        CHECK(call(SYSINFO, bad[i], 0, 0, 0) == ERROR(EFAULT));
        CHECK(call(PRLIMIT64, 0, 9, bad[i], 0) == ERROR(EFAULT) || bad[i] == 0);
        CHECK(call(PRLIMIT64, 0, 9, 0, bad[i]) == ERROR(EFAULT) || bad[i] == 0);
        CHECK(call(SIGACTION, 24, bad[i], 0, 8) == ERROR(EFAULT) || bad[i] == 0);
        CHECK(call(ARCH_PRCTL, 0x1003, bad[i], 0, 0) == ERROR(EFAULT));
        CHECK(call(NEWFSTATAT, 1, bad[i], (u64)bss, 0x1000) == ERROR(EFAULT) || i == 5);
        CHECK(call(FUTEX, bad[i], 0, 0, 0) == ERROR(EFAULT));
    }
    CHECK(call(READ, 0, (u64)leave, 5, 0) == ERROR(EFAULT)); /* its own text */
    CHECK(call(READ, 0, (u64) "constant", 5, 0) == ERROR(EFAULT));
    CHECK(call(READ, 3, (u64)bss, 5, 0) == ERROR(EBADF));
    CHECK(call(WRITE, 0, (u64)bss, 5, 0) == ERROR(EBADF));
    CHECK(call(READ, 0, (u64)bss, ~0ul, 0) == 5);
    u64 p = map(8192, 3);
    CHECK(call(MUNMAP, p + 4096, 4096, 0, 0) == 0);
    CHECK(call(WRITE, 1, p + 4000, 200, 0) == ERROR(EFAULT));
    CHECK(call(MPROTECT, p, 4096, 0, 0) == 0);
    CHECK(call(WRITE, 1, p, 10, 0) == ERROR(EFAULT));
    leave(9);
}

PROGRAM(memory) {

    u64 p = map(3 * 4096, 3);
    CHECK(p < ERROR(4095));
    volatile u64 *a = (volatile u64 *)p;
    a[0] = 1;
    a[512] = 2;
    a[1024] = 3;
    CHECK(call(MPROTECT, p + 4096, 4096, 0, 0) == 0); /* no rights and back */
    CHECK(call(MPROTECT, p + 4096, 4096, 3, 0) == 0);
    CHECK(a[512] == 2 && a[0] == 1 && a[1024] == 3);
    CHECK(call(MUNMAP, p + 4096, 4096, 0, 0) == 0);
    CHECK(call(MMAP, p + 4096, 4096, 3, 0x32) == p + 4096);
    CHECK(a[512] == 0 && a[1024] == 3);
    CHECK(call(MMAP, p, 4096, 3, 0x32) == p);
    CHECK(a[0] == 0);
    CHECK(call(MMAP, 0, 4096, 7, 0x22) == ERROR(EACCES));
    CHECK(call(MPROTECT, p, 4096, 5, 0) == ERROR(EACCES));
    CHECK(call(MPROTECT, p, 3 * 4096 + 4096, 1, 0) == ERROR(ENOMEM));
    CHECK(call(MMAP, KERNEL, 4096, 3, 0x32) == ERROR(EINVAL));
    CHECK(call(MMAP, 0, 4096, 3, 0x32) == ERROR(EINVAL));
    CHECK(call(MMAP, 0x7ffffffff000, 4096, 3, 0x32) == ERROR(EINVAL));
    CHECK(call(MMAP, 0, 0, 3, 0x22) == ERROR(EINVAL));
    CHECK(call(MMAP, 0, ~0ul, 3, 0x22) == ERROR(EINVAL));
    CHECK(call(MMAP, 0, 1ul << 45, 3, 0x22) == ERROR(ENOMEM));
    CHECK(call(MMAP, 0, 4096, 3, 0x21) == ERROR(EINVAL));
    CHECK(call(MUNMAP, KERNEL, 4096, 0, 0) == ERROR(EINVAL));
    CHECK(call(MUNMAP, p, ~0ul - 4095, 0, 0) == ERROR(EINVAL));
    CHECK(call(MUNMAP, p + 1, 4096, 0, 0) == ERROR(EINVAL));
    CHECK(call(MPROTECT, KERNEL, 4096, 3, 0) == ERROR(EINVAL));
    u64 b = call(BRK, 0, 0, 0, 0);
    CHECK(call(BRK, b + 10000, 0, 0, 0) == b + 10000);
    *(volatile char *)(b + 9999) = 1;
    CHECK(call(BRK, b, 0, 0, 0) == b);
    CHECK(call(BRK, b + 10000, 0, 0, 0) == b + 10000);
    CHECK(*(volatile char *)(b + 9999) == 0);
    CHECK(call(BRK, ~0ul, 0, 0, 0) == b + 10000);
    CHECK(call(BRK, 1, 0, 0, 0) == b + 10000);
    u64 text = (u64)leave & ~4095ul;
    CHECK(call(MPROTECT, text, 4096, 3, 0) == 0);
    CHECK(call(MPROTECT, text, 4096, 5, 0) ==
          ERROR(EACCES)); /* never again, and this page is data now: */
    leave(1);
}

PROGRAM(limits) {

    u64 as[2] = {2 << 20, 2 << 20}, got[2];
    CHECK(call(PRLIMIT64, 0, 9, (u64)as, 0) == 0);
    CHECK(map(4 << 20, 3) == ERROR(ENOMEM));
    as[0] = as[1] = 1ul << 40;
    CHECK(call(PRLIMIT64, 0, 9, (u64)as, (u64)got) == 0);
    CHECK(got[0] == 2 << 20);
    CHECK(map(4 << 20, 3) == ERROR(ENOMEM));
    CHECK(call(PRLIMIT64, 0, 0, 0, (u64)got) == 0);
    as[0] = 2;
    as[1] = 1;
    CHECK(call(PRLIMIT64, 0, 0, (u64)as, 0) == ERROR(EINVAL));
    CHECK(call(PRLIMIT64, 0, 99, 0, 0) == ERROR(EINVAL));
    CHECK(call(PRLIMIT64, 7, 0, 0, (u64)got) == ERROR(EINVAL));
    as[0] = 5;
    as[1] = 1ul << 62;
    CHECK(call(PRLIMIT64, 0, 0, (u64)as, 0) == 0);
    for (;;)
        data++; /* the kernel's limit is as it was */
}

PROGRAM(abort) {
    call(TGKILL, 1, 1, 6, 0);
    leave(1);
}

PROGRAM(auxv) {

    CHECK(stack[0] == 1 && stack[2] == 0 && stack[3] == 0 && (u64)stack % 16 == 0);
    u64 *a = stack + 4;
    u64 seen = 0;
    for (; a[0]; a += 2) {
        if (a[0] < 64)
            seen |= 1ul << a[0];
        if (a[0] == 3)
            CHECK(*(unsigned *)a[1] <= 6 || *(unsigned *)a[1] > 0x60000000);
        if (a[0] == 6)
            CHECK(a[1] == 4096);
        if (a[0] == 25)
            CHECK(*(u64 *)a[1] != 0);
    }
    CHECK((seen & 0x2000278) == 0x2000278);
    out((char *)stack[1]);
    leave(2);
}

/* Handlers of SIGXCPU: one that answers, on an aligned stack, and one that goes back. */
extern HIDDEN void answering(void), returning(void), give_back(void);
__asm__(".pushsection .text.handlers, \"ax\"\n"
        "answering: leaq 8(%rsp), %rax\n"
        "testq $15, %rax\n"
        "jnz 1f\n"
        "movl $231, %eax\n" /* the status is the signal's number */
        "syscall\n"
        "1: ud2\n"
        "returning: retq\n"
        "give_back: movl $15, %eax\n"
        "syscall\n"
        "ud2\n"
        ".popsection");

static void work_until_xcpu(void (*handler)(void), const int first) {
    u64 action[4] = {(u64)handler, 0x04000000 /* SA_RESTORER */, (u64)give_back, 0};
    u64 cpu[2] = {0, 9};
    CHECK(call(SIGACTION, 24, (u64)action, 0, 8) == 0);
    CHECK(call(PRLIMIT64, 0, 0, (u64)cpu, 0) == 0);
    for (;;)
        data++;
}

PROGRAM(xcpu) {
    work_until_xcpu(answering, first);
}

PROGRAM(xcpureturns) {
    work_until_xcpu(returning, first);
}

START
