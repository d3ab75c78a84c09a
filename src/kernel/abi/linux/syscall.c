/* syscall.c - the system calls that there are, by their numbers (arch/x86/entry/syscalls/
 * syscall_64.tbl of Linux). Number in RAX, arguments in RDI, RSI, RDX, R10, R8, R9. */
#include "abi/linux/process_internal.h"

#include "lib/printf.h"

#define CALLS 335u
#define ONE 1 /* the process's number, and its thread's */

static int64_t zero(struct process *p, const uint64_t a[6]) {
    (void)p;
    (void)a;
    return 0;
}

static int64_t own_number(struct process *p, const uint64_t a[6]) {
    (void)p;
    (void)a;
    return ONE;
}

/* The C library does without. */
static int64_t absent(struct process *p, const uint64_t a[6]) {
    (void)p;
    (void)a;
    return -LINUX_ENOSYS;
}

static process_call *const calls[CALLS] = {
    [0] = call_read,
    [1] = call_write,
    [5] = call_fstat,
    [8] = call_lseek,
    [9] = call_mmap,
    [10] = call_mprotect,
    [11] = call_munmap,
    [12] = call_brk,
    [13] = call_rt_sigaction,
    [14] = zero, /* rt_sigprocmask: no signal comes but SIGXCPU */
    [15] = call_rt_sigreturn,
    [39] = own_number, /* getpid */
    [60] = call_exit,
    [89] = call_readlink,
    [99] = call_sysinfo,
    [158] = call_arch_prctl,
    [186] = own_number, /* gettid */
    [202] = call_futex,
    [218] = own_number, /* set_tid_address */
    [228] = call_clock_gettime,
    [231] = call_exit, /* exit_group */
    [234] = call_tgkill,
    [262] = call_newfstatat,
    [273] = zero, /* set_robust_list: no thread outlives another */
    [302] = call_prlimit64,
    [318] = call_getrandom,
    [334] = absent, /* rseq */
};

/* Each is named once. */
static void note_unknown(struct process *p, uint64_t number) {
    static uint8_t named[CALLS];
    p->result->unknown_calls++;
    if (number >= CALLS || named[number])
        return;
    named[number] = 1;
    kprintf("%s: system call %u is not one of this system's\n", p->name, (unsigned)number);
}

void process_system_call(struct trap_frame *f) {
    struct process *p = process_current();
    const uint64_t arguments[6] = {f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9};
    uint64_t number = f->rax;
    if (number < CALLS && calls[number] != NULL) {
        f->rax = (uint64_t)calls[number](p, arguments);
        return;
    }
    note_unknown(p, number);
    f->rax = (uint64_t)-LINUX_ENOSYS;
}

static int copied(struct process *p, enum space_result result) {
    if (result == SPACE_NO_MEMORY)
        process_end(p, LINUX_OUT_OF_MEMORY, 0);
    return result == SPACE_OK ? 0 : -LINUX_EFAULT;
}

int process_get(struct process *p, void *to, uint64_t from, size_t size) {
    return copied(p, space_read(&p->space, to, from, size));
}

int process_put(struct process *p, uint64_t to, const void *from, size_t size) {
    return copied(p, space_write(&p->space, to, from, size));
}
