/* main.c - the kernel's table of contents. */
#include "arch/x86/clock.h"
#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "arch/x86/gdt.h"
#include "arch/x86/interrupts.h"
#include "arch/x86/irq.h"
#include "arch/x86/pmu.h"
#include "arch/x86/stack_protector.h"
#include "arch/x86/power.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"
#include "arch/x86/trap.h"
#include "cache/cache_partition.h"
#include "console/boot_event.h"
#include "console/console.h"
#include "console/event.h"
#include "dev/block.h"
#include "dev/keyboard.h"
#include "dev/numa.h"
#include "dev/pci.h"
#include "dev/serial.h"
#include "fluid/bootinfo.h"
#include "fs/partition.h"
#include "jit/compiler.h"
#include "lib/printf.h"
#include "jit/tier.h"
#include "jit/wake.h"
#include "load/ksyms.h"
#include "load/module_disk.h"
#include "load/registry.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "prof/sample.h"
#include "task/task.h"

_Noreturn void kernel_main(const struct bootinfo *boot);

static const void *blob(const struct boot_loaded *loaded) {
    return (const void *)(uintptr_t)loaded->addr;
}

/* What the kernel itself was compiled for stage2 has found. The rest only modules want, which have
 * lower variants: worth a warning, not an error. */
static void warn_about_missing_features(void) {
    struct fluid_error e = {.code = "E-CPU-04"};
    char names[160];
    if (cpu_target_features_missing() == 0)
        return;
    cpu_feature_names(cpu_target_features_missing(), names, sizeof(names));
    ksnprintf(e.text, sizeof(e.text),
              "processor: %s expected by target %s, not found; modules that need them are left out",
              names, cpu_target());
    report_warn(&e);
}

_Noreturn void kernel_main(const struct bootinfo *boot) {
    const struct boot_loaded *names = &boot->ksyms, *modules = &boot->registry;

    stack_protector_init();                          // a canary of this boot
    gdt_init();                                      // segments, stacks, this core's own data
    console_init();                                  // serial port and screen
    idt_init();                                      // exceptions panic readably from here on
    cpu_init();                                      // CPUID, CR0, CR4, EFER, XCR0
    console_boot_event(boot);                        // which build on which machine
    warn_about_missing_features();                   // of the build's CPU profile
    ksyms_init(blob(names), names->size);            // names for backtraces
    pages_init(boot);                                // physical memory from E820
    paging_init();                                   // the final page tables
    paging_check();                                  // no page is writable and executable
    cpu_check_state(true);                           // CR0.PG, CR4.PAE, EFER.LMA took
    numa_init();                                     // which memory is near
    task_init();                                     // this is the first of the tasks
    time_init();                                     // TSC frequency
    clock_init();                                    // how long the machine is up
    power_init();                                    // how to switch off and restart
    irq_init();                                      // interrupt controllers
    pmu_init();                                      // the processor's performance counters
    sample_init();                                   // where each tick found the processor
    timer_init();                                    // 100 ticks a second
    serial_enable_irq();                             // input is buffered from here on
    keyboard_init();                                 // keys too
    interrupts_enable();                             // timer, keyboard and serial port
    registry_load_all(blob(modules), modules->size); // the best variant of each
    pci_init();                                      // buses and devices
    block_init();                                    // disks
    partition_mount();                               // the file system with the model
    module_disk_load_all();                          // modules beside it
    cache_partition_mount();                         // what earlier boots have left for this one
    compiler_process_init();                         // the compiler, where the image has it
    wake_init();                                     // code for modules that have none
    tier_init();                                     // better code for what is called often
    cores_init();                                    // the other processors
    console_run();                                   // open the model, converse
}
