/* watchdog.c (hosted) - a signal now and then, of the processor time that this thread takes. */
#include "arch/x86/watchdog.h"
#include "arch/x86/timer.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "lib/panic.h"

#define INTERVAL_NS (1000000000 / TIMER_HZ)

static timer_t timer;
static bool made;
static unsigned wanted;

static void set(long ns) {
    struct itimerspec every = {{0, ns}, {0, ns}};
    if (timer_settime(timer, 0, &every, NULL) != 0)
        panic("timer_settime: a timer expected, refused");
}

void watchdog_start(void) {
    if (wanted++ > 0)
        return;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = WATCHDOG_SIGNAL};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (!made && timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0)
        panic("timer_create: a timer expected, refused");
    made = true;
    set(INTERVAL_NS);
}

void watchdog_stop(void) {
    if (--wanted == 0)
        set(0);
}
