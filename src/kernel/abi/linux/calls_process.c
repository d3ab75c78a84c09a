/* calls_process.c - system calls about the process itself: limits, time, signals, its end. */
#include "abi/linux/process_internal.h"

#include "arch/x86/clock.h"
#include "arch/x86/control.h"
#include "arch/x86/random.h"
#include "lib/string.h"
#include "mm/pages.h"

#define ARCH_SET_FS 0x1002u
#define ARCH_GET_FS 0x1003u
#define CLOCK_MONOTONIC 1u
#define CLOCK_PROCESS_CPUTIME_ID 2u
#define CLOCK_THREAD_CPUTIME_ID 3u
#define FUTEX_WAIT 0u
#define FUTEX_WAKE 1u
#define FUTEX_PRIVATE 128u
#define RANDOM_MAX 256u
#define RLIMIT_CPU 0u
#define RLIMIT_CORE 4u
#define RLIMIT_AS 9u
#define RLIMITS 16u
#define SIGNALS 64u
#define SIGACTION_SIZE 8u /* of a set of signals */
#define STATUS_MASK 0xffu

struct rlimit {
    uint64_t soft, hard;
};
struct sigaction {
    uint64_t handler, flags, restorer, mask;
};
struct sysinfo {
    uint64_t uptime, loads[3], total, free, shared, buffers, swap_total, swap_free;
    uint16_t processes, pad;
    uint32_t pad2;
    uint64_t high_total, high_free;
    uint32_t unit, pad3;
};
_Static_assert(sizeof(struct sysinfo) == 112, "linux/sysinfo.h");

int64_t call_exit(struct process *p, const uint64_t a[6]) {
    process_end(p, LINUX_EXITED, a[0] & STATUS_MASK);
}

/* abort() and raise(). There is nobody else to be sent a signal. */
int64_t call_tgkill(struct process *p, const uint64_t a[6]) {
    if (a[2] == 0 || a[2] > SIGNALS)
        return a[2] == 0 ? 0 : -LINUX_EINVAL;
    process_end(p, LINUX_SIGNALLED, (unsigned)a[2]);
}

/* A handler of SIGXCPU that returns has not ended the program: this does. */
int64_t call_rt_sigreturn(struct process *p, const uint64_t a[6]) {
    (void)a;
    process_end(p, LINUX_OUT_OF_TIME, 0);
}

/* Only SIGXCPU is ever delivered; SIG_DFL and SIG_IGN are no handlers (asm-generic/signal-defs.h).
 */
int64_t call_rt_sigaction(struct process *p, const uint64_t a[6]) {
    struct sigaction action = {0}, old = {0};
    int error = 0;
    if (a[0] == 0 || a[0] > SIGNALS || a[3] != SIGACTION_SIZE)
        return -LINUX_EINVAL;
    if (a[0] == LINUX_SIGXCPU) {
        old.handler = p->on_xcpu.handler;
        old.restorer = p->on_xcpu.restorer;
    }
    if (a[1] != 0)
        error = process_get(p, &action, a[1], sizeof(action));
    if (error == 0 && a[2] != 0)
        error = process_put(p, a[2], &old, sizeof(old));
    if (error < 0 || a[1] == 0 || a[0] != LINUX_SIGXCPU)
        return error;
    bool handled = action.handler >= SPACE_START && action.handler < SPACE_END;
    p->on_xcpu.handler = handled ? action.handler : 0;
    p->on_xcpu.restorer = action.restorer;
    return 0;
}

/* FS.base must be canonical, or the kernel would fault when it is set. */
int64_t call_arch_prctl(struct process *p, const uint64_t a[6]) {
    if (a[0] == ARCH_GET_FS)
        return process_put(p, a[1], &p->fs_base, sizeof(p->fs_base));
    if (a[0] != ARCH_SET_FS)
        return -LINUX_EINVAL;
    if (a[1] >= SPACE_END)
        return -LINUX_EPERM;
    p->fs_base = a[1];
    write_msr(MSR_FS_BASE, p->fs_base);
    return 0;
}

int64_t call_clock_gettime(struct process *p, const uint64_t a[6]) {
    bool own = a[0] == CLOCK_PROCESS_CPUTIME_ID || a[0] == CLOCK_THREAD_CPUTIME_ID;
    if (!own && a[0] > CLOCK_MONOTONIC)
        return -LINUX_EINVAL;
    uint64_t ns = own ? process_cpu_ns() : clock_ns();
    const uint64_t time[2] = {ns / CLOCK_NS_PER_S, ns % CLOCK_NS_PER_S};
    return process_put(p, a[1], time, sizeof(time));
}

/* One thread: nobody waits, and nobody would wake who does. */
int64_t call_futex(struct process *p, const uint64_t a[6]) {
    uint32_t value;
    if ((a[1] & ~(uint64_t)FUTEX_PRIVATE) == FUTEX_WAKE)
        return 0;
    if ((a[1] & ~(uint64_t)FUTEX_PRIVATE) != FUTEX_WAIT)
        return -LINUX_ENOSYS;
    int error = process_get(p, &value, a[0], sizeof(value));
    if (error < 0)
        return error;
    return value == (uint32_t)a[2] ? -LINUX_EDEADLK : -LINUX_EAGAIN;
}

int64_t call_getrandom(struct process *p, const uint64_t a[6]) {
    uint8_t bytes[RANDOM_MAX];
    size_t n = a[1] < sizeof(bytes) ? a[1] : sizeof(bytes);
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        uint64_t random = cpu_random();
        memcpy(bytes + at, &random, sizeof(random));
    }
    int error = process_put(p, a[0], bytes, n);
    return error < 0 ? error : (int64_t)n;
}

int64_t call_sysinfo(struct process *p, const uint64_t a[6]) {
    const struct sysinfo info = {
        .uptime = clock_ns() / CLOCK_NS_PER_S,
        .total = (uint64_t)pages_total() * PAGE_SIZE,
        .free = (uint64_t)pages_available() * PAGE_SIZE,
        .processes = 1,
        .unit = 1,
    };
    return process_put(p, a[0], &info, sizeof(info));
}

/* ---- limits */

static uint64_t seconds_of(uint64_t ns) {
    return ns == LINUX_UNLIMITED ? ns : ns / CLOCK_NS_PER_S;
}

static uint64_t ns_of(uint64_t seconds) {
    return seconds > LINUX_UNLIMITED / CLOCK_NS_PER_S ? LINUX_UNLIMITED : seconds * CLOCK_NS_PER_S;
}

static struct rlimit limit_of(const struct process *p, uint64_t which) {
    if (which == RLIMIT_AS)
        return (struct rlimit){p->memory_limit, p->memory_limit};
    if (which == RLIMIT_CPU)
        return (struct rlimit){seconds_of(p->cpu_soft_ns), seconds_of(p->cpu_hard_ns)};
    if (which == RLIMIT_CORE)
        return (struct rlimit){0, 0};
    return (struct rlimit){LINUX_UNLIMITED, LINUX_UNLIMITED};
}

/* The kernel's own limit is never raised: of a hard one above it the lower one counts. */
static int set_limit(struct process *p, uint64_t which, const struct rlimit *limit) {
    if (limit->soft > limit->hard)
        return -LINUX_EINVAL;
    if (which == RLIMIT_AS) {
        p->memory_limit = limit->soft < p->memory_limit ? limit->soft : p->memory_limit;
    } else if (which == RLIMIT_CPU) {
        uint64_t hard = ns_of(limit->hard);
        p->cpu_soft_ns = ns_of(limit->soft);
        p->cpu_hard_ns = hard < p->cpu_hard_ns ? hard : p->cpu_hard_ns;
    } else if (which != RLIMIT_CORE) {
        return -LINUX_EPERM;
    }
    return 0;
}

int64_t call_prlimit64(struct process *p, const uint64_t a[6]) {
    struct rlimit old = limit_of(p, a[1]), limit;
    int error = 0;
    if (a[0] > 1 || a[1] >= RLIMITS)
        return -LINUX_EINVAL;
    if (a[2] != 0)
        error = process_get(p, &limit, a[2], sizeof(limit));
    if (error == 0 && a[2] != 0)
        error = set_limit(p, a[1], &limit);
    if (error == 0 && a[3] != 0)
        error = process_put(p, a[3], &old, sizeof(old));
    return error;
}
