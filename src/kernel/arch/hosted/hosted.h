/* hosted.h - the machine that a Linux process is for the kernel: between the files of arch/hosted/.
 *
 * The kernel above arch/ and dev/ is the same as on the bare machine; what these files define are
 * the functions of arch/x86/, dev/ and mm/paging.h that need privileges or hardware there. */
#ifndef KERNEL_ARCH_HOSTED_HOSTED_H
#define KERNEL_ARCH_HOSTED_HOSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fluid/bootinfo.h"
#include "fluid/kapi.h"

#define HOSTED_USAGE_STATUS 2

struct hosted_options {
    const char *image;
    uint32_t mem; /* MiB */
    int cpu;      /* that the first core runs on; -1: where the process is */
    unsigned cores;
    bool reboot;    /* /reboot starts again instead of ending the process */
    bool writable;  /* the kernel may write to the image */
    bool simulated; /* another program runs this one in its own memory (valgrind) */
};

/* Memory (arena.c): RAM of the machine at a fixed address. -1 with E-HOST-05. */
int arena_create(uint32_t mib, struct fluid_error *err);
uint8_t *arena_start(void);
size_t arena_size(void);
/* Mappings of other programs are in this process: paging_check looks at the machine's memory alone.
 */
void arena_shared(void);

/* The disk (disk.c). -1 with E-HOST-02. */
int disk_open(const char *path, bool writable, struct fluid_error *err);
/* Reads size bytes from LBA on; false when the image is too short or unreadable. */
bool disk_read(uint64_t lba, void *to, size_t size);

/* What stage2 does on the bare machine (boot.c): checks the boot area of the image and fills *boot.
 * -1 with E-HOST-03 or 04, and with E-CPU-05 when the image is for a better processor; cpu_init
 * comes first. */
int boot_load(struct bootinfo *boot, struct fluid_error *err);

/* Mappings of this process (maps.c), in order of address; protection as PAGE_* of mm/paging.h.
 * Allocates nothing. Returns false when they cannot be read. */
typedef bool maps_visit_fn(uintptr_t start, uintptr_t end, unsigned flags, void *context);
bool maps_each(maps_visit_fn *visit, void *context); /* visit returns false to stop */

/* Processors (cpus.c). Chooses one for each core, the first core's as --cpu says, on which this
 * thread goes on. -1 with E-HOST-06. Fewer found than cores: they share them. */
int cpus_choose(int first, unsigned cores, struct fluid_error *err);
unsigned cpus_found(void);
bool cpus_enough(void);
void cpus_pin(unsigned core);       /* this thread is that core */
void cpus_release(void);            /* this thread may run wherever the process was started to */
void cpus_release_process(int pid); /* that one may, too */

/* Signals (fault.c). This thread takes them on that stack of SIGNAL_STACK_SIZE bytes: the one that
 * an exception is raised on may be what is broken. */
#define SIGNAL_STACK_SIZE (256u << 10)
void fault_use_stack(char *stack);
/* Sent to the other cores by the one that panics (cores.c). */
#define CORE_STOP_SIGNAL SIGUSR1

/* Sent to the first thread while a call may come to take too long (watchdog.h), and to others that
 * it waits for (cores.c). */
#define WATCHDOG_SIGNAL SIGVTALRM

/* The child that compiles, if there is one (compiler_process.c): nobody waits for it any more. */
void compiler_process_stop(void);

/* How to start again (power.c); NULL: /reboot ends the process. */
void power_on_reset(char *const *argv);

_Noreturn void kernel_main(const struct bootinfo *boot);
extern char kernel_stack_bottom[], kernel_stack_top[]; /* sections.S */
extern uint64_t kernel_entry_tsc;

#endif
