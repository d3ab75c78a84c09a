/* process_internal.h - one program, between the files that run it. */
#ifndef KERNEL_ABI_LINUX_PROCESS_INTERNAL_H
#define KERNEL_ABI_LINUX_PROCESS_INTERNAL_H

#include <stdbool.h>

#include "abi/linux/elf.h"
#include "abi/linux/process.h"
#include "abi/linux/space.h"
#include "arch/x86/call_context.h"
#include "arch/x86/trap.h"
#include "task/task.h"

#define LINUX_UNLIMITED UINT64_MAX
#define LINUX_SIGKILL 9
#define LINUX_SIGXCPU 24

struct process {
    const char *name;
    struct space space;
    struct linux_limits limits;
    struct linux_result *result;
    struct trap_frame begin;
    struct call_context context; /* where its task goes on when it has ended */
    uintptr_t kernel_stack;
    uint64_t fs_base;
    uint64_t heap_start, heap_end; /* brk: bytes; heap_start is a page's */
    uint64_t cpu_soft_ns;          /* SIGXCPU; LINUX_UNLIMITED: at no time */
    uint64_t cpu_hard_ns;
    uint64_t memory_limit; /* RLIMIT_AS */
    struct {
        uint64_t handler, restorer; /* 0: none */
    } on_xcpu;
    const uint8_t *input;
    size_t input_size, input_at;
    uint8_t *output;
    size_t output_size, output_room;
    size_t said;
    bool over;
    struct wait_queue ended;
};

/* process.c. In the process's task, from a system call: it is over. */
_Noreturn void process_end(struct process *process, enum linux_end end, unsigned number);
struct process *process_current(void);
uint64_t process_cpu_ns(void);

/* load.c: the program's pages and the stack it begins with. Fills process->begin. */
int process_load(struct process *process, const void *elf, size_t size, struct fluid_error *err);

/* syscall.c: struct ring3's. */
void process_system_call(struct trap_frame *frame);

/* calls_memory.c, calls_files.c, calls_process.c: what a call returns, -errno for an error; a, b,
 * .. are its arguments. */
typedef int64_t process_call(struct process *process, const uint64_t a[6]);
process_call call_mmap, call_munmap, call_mprotect, call_brk;
process_call call_read, call_write, call_lseek, call_newfstatat, call_fstat, call_readlink;
process_call call_arch_prctl, call_clock_gettime, call_exit, call_futex, call_getrandom,
    call_prlimit64, call_rt_sigaction, call_rt_sigreturn, call_sysinfo, call_tgkill;

/* errno of Linux (asm-generic/errno-base.h, errno.h). */
enum {
    LINUX_ENOENT = 2,
    LINUX_EBADF = 9,
    LINUX_EAGAIN = 11,
    LINUX_ENOMEM = 12,
    LINUX_EACCES = 13,
    LINUX_EFAULT = 14,
    LINUX_EINVAL = 22,
    LINUX_ESPIPE = 29,
    LINUX_EPERM = 1,
    LINUX_EDEADLK = 35,
    LINUX_ENOSYS = 38,
};
/* Copies to or from the program; a bad address is -EFAULT, no memory the end of it. */
int process_get(struct process *process, void *to, uint64_t from, size_t size);
int process_put(struct process *process, uint64_t to, const void *from, size_t size);
#endif
