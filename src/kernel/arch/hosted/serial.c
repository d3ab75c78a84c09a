/* serial.c (hosted) - standard input and output as the serial line, raw bytes. Input that is not
 * read yet waits in Linux, which holds the sender back. */
#include "dev/serial.h"
#include "dev/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "arch/x86/clock.h"
#include "arch/x86/cpu.h"
#include "fluid/exit.h"
#include "task/task_arch.h"

#define NS_PER_MS 1000000u

static uint8_t received[65536];
static size_t next, count;
static bool ended; /* the other end has hung up */

void serial_init(void) {
    next = count = 0;
}

/* Waits up to timeout_ms (-1: without limit) for input, and takes it. */
static void receive(int timeout_ms) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (ended || next < count || poll(&input, 1, timeout_ms) <= 0)
        return;
    ssize_t n = read(STDIN_FILENO, received, sizeof received);
    if (n > 0) {
        next = 0;
        count = (size_t)n;
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        ended = true;
    }
}

void serial_poll(void) {
    receive(0);
}

/* Where nobody can type any more the machine is switched off. */
void device_wait(void) {
    uint64_t wake = task_next_wake(), now = clock_ns();
    bool others = wake <= now || task_others_ready();
    receive(others ? 0 : wake == UINT64_MAX ? -1 : (int)((wake - now) / NS_PER_MS + 1));
    if (next < count)
        return;
    if (ended)
        cpu_power_off(FLUID_EXIT_PASS);
    if (others) {
        task_arch_poll(); /* wakes who has slept long enough */
        task_yield();
    }
}

int serial_read(void) {
    if (next == count)
        receive(0);
    return next < count ? received[next++] : -1;
}

void serial_write(const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, n);
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        } else if (errno == EAGAIN) { /* somebody else made the terminal non-blocking */
            struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&output, 1, -1);
        } else if (errno != EINTR) {
            return; /* nobody listens, and whoever started this ignores SIGPIPE */
        }
    }
}

void serial_flush(void) {
    /* write(2) has handed every byte over. */
}
