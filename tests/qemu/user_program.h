/* user_program.h - small programs for Linux on x86-64 without a C library. Each does one thing,
 * and most end badly; PROGRAM_NAME says which of them this is. An exit status of 100 and more is
 * where in the program a CHECK failed, in lines. */
#ifndef USER_PROGRAM_H
#define USER_PROGRAM_H

typedef unsigned long u64;

enum {
    READ = 0,
    WRITE = 1,
    OPEN = 2,
    FSTAT = 5,
    MMAP = 9,
    MPROTECT = 10,
    MUNMAP = 11,
    BRK = 12,
    SIGACTION = 13,
    GETPID = 39,
    FORK = 57,
    EXECVE = 59,
    SYSINFO = 99,
    PTRACE = 101,
    ARCH_PRCTL = 158,
    FUTEX = 202,
    CLOCK_GETTIME = 228,
    EXIT_GROUP = 231,
    TGKILL = 234,
    NEWFSTATAT = 262,
    PRLIMIT64 = 302,
    GETRANDOM = 318,
};
enum {
    EPERM = 1,
    EBADF = 9,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EINVAL = 22,
    ENOSYS = 38,
};

/* System call n; the fifth argument is -1, the sixth 0: those of mmap for memory. */
static u64 call(u64 n, u64 a, u64 b, u64 c, u64 d) {
    u64 r;
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = ~0ul;
    register u64 r9 __asm__("r9") = 0;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return r;
}
static void out(const char *text) {
    u64 n = 0;
    while (text[n])
        n++;
    call(WRITE, 1, (u64)text, n, 0);
}
static void leave(u64 status) {
    for (;;)
        call(EXIT_GROUP, status, 0, 0, 0);
}
static u64 map(u64 size, u64 prot) {
    return call(MMAP, 0, size, prot, 0x22);
}
static void check(int line, int good) {
    if (!good)
        leave(line);
}
#define ERROR(e) ((u64) - (e))
#define KERNEL 0x100000ul
#ifndef BSS
#define BSS 0 /* bytes more */
#endif
static volatile u64 data = 1, bss[4096 + BSS / sizeof(u64)];
#define HIDDEN __attribute__((visibility("hidden")))
#define FAILED 100
#define CHECK(x) check(FAILED + __LINE__ - first, (x))
#define PROGRAM(name)                                                                              \
    static const int first_##name = __LINE__;                                                      \
    static void program_##name(u64 *stack, const int first)

/* Behind all programs of a file. */
#define JOIN(a, b) a##b
#define NAME(prefix, name) JOIN(prefix, name)
#define START                                                                                      \
    __asm__(".globl _start\n"                                                                      \
            "_start: movq %rsp, %rdi\n"                                                            \
            "andq $-16, %rsp\n"                                                                    \
            "call start\n");                                                                       \
    void start(u64 *stack);                                                                        \
    void start(u64 *stack) {                                                                       \
        NAME(program_, PROGRAM_NAME)(stack, NAME(first_, PROGRAM_NAME));                           \
        leave(1);                                                                                  \
    }
#endif
