/* cpus.c - which of Linux's processors the cores run on: each on one of its own, where there are
 * enough, so that caches stay warm and a core that spins takes time from no other. Else the first
 * has one and the others go where Linux puts them. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "arch/hosted/hosted.h"
#include "arch/x86/core.h"

static cpu_set_t usable; /* before any thread was pinned */
static int chosen[CORES_MAX];
static unsigned cores = 1, found = 1;

static int pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= 0 && cpu < CPU_SETSIZE)
        CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

int cpus_choose(int first, unsigned count, struct fluid_error *err) {
    int cpu = first >= 0 ? first : sched_getcpu();
    if (sched_getaffinity(0, sizeof usable, &usable) != 0)
        CPU_ZERO(&usable); /* more than CPU_SETSIZE of them: none but the first is known */
    if (pin(cpu) != 0)
        return fluid_fail(err, "E-HOST-06",
                          "processor %d expected to be usable, found: %s; choose another with "
                          "--cpu",
                          cpu, strerror(errno));
    cores = count;
    chosen[0] = cpu;
    for (int next = (cpu + 1) % CPU_SETSIZE; next != cpu && found < cores;
         next = (next + 1) % CPU_SETSIZE)
        if (CPU_ISSET((size_t)next, &usable))
            chosen[found++] = next;
    return 0;
}

unsigned cpus_found(void) {
    return found;
}

bool cpus_enough(void) {
    return found == cores;
}

unsigned cores_expected(void) {
    return cores;
}

void cpus_pin(unsigned core) {
    if (!cpus_enough() || pin(chosen[core]) != 0)
        sched_setaffinity(0, sizeof usable, &usable); /* slower, and right all the same */
}

void cpus_release_process(int pid) {
    if (CPU_COUNT(&usable) > 0)
        sched_setaffinity(pid, sizeof usable, &usable);
}

void cpus_release(void) {
    cpus_release_process(0);
}
