/* command_system.c - commands about the machine: /help /cpu /uptime /ls /pci /selftest /reboot
 * /off. */
#include "console/command.h"

#include "arch/x86/clock.h"
#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "arch/x86/irq.h"
#include "arch/x86/power.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"
#include "cache/cache_partition.h"
#include "console/event.h"
#include "console/model.h"
#include "dev/pci.h"
#include "dev/rtc.h"
#include "fluid/exit.h"
#include "fs/partition.h"
#include "lib/printf.h"
#include "selftest/selftest.h"

#define US_PER_SECOND 1000000u

void command_help(char *argument, size_t length) {
    (void)argument;
    (void)length;
    command_list();
}

void command_cpu(char *argument, size_t length) {
    const struct cpu_info *cpu = cpu_info();
    char names[256];

    (void)argument;
    (void)length;
    cpu_feature_names(cpu->features, names, sizeof(names));
    kprintf("%s (%s family %u model %u stepping %u)\n", cpu->brand, cpu->vendor, cpu->family,
            cpu->model, cpu->stepping);
    kprintf("  usable features: %s\n", names);
    kprintf("  cores in use: %u\n", cores_count());
    kprintf("  clock: %llu MHz (time-stamp counter), NX %s, mode %u bit\n",
            (unsigned long long)(time_hz() / 1000000), cpu->nx ? "on" : "absent",
            (unsigned)(sizeof(void *) * 8));
}

/* What a process and a dead battery do not have is left out. */
static void print_date(void) {
    struct rtc_date d;

    if (rtc_read(&d, power_rtc_century()))
        kprintf("  date: %04u-%02u-%02u %02u:%02u:%02u (as the battery-backed clock was set)\n",
                d.year, d.month, d.day, d.hour, d.minute, d.second);
}

void command_uptime(char *argument, size_t length) {
    uint64_t us = clock_ns() / 1000;

    (void)argument;
    (void)length;
    kprintf("up %llu.%06llu s\n", (unsigned long long)(us / US_PER_SECOND),
            (unsigned long long)(us % US_PER_SECOND));
    kprintf("  clock: %s, %llu Hz\n", clock_counter()->name,
            (unsigned long long)clock_counter()->hz);
    kprintf("  timer: %s, %llu ticks\n", timer_name(), (unsigned long long)timer_ticks());
    irq_print();
    print_date();
    power_print();
}

static bool print_entry(const struct fat16_entry *entry, void *context) {
    unsigned *count = context;

    if (entry->directory)
        kprintf("  %12s  %s/\n", "", entry->name);
    else
        kprintf("  %12u  %s\n", entry->size, entry->name);
    ++*count;
    return true;
}

void command_ls(char *argument, size_t length) {
    struct fluid_error err;
    struct fat16 *fs = partition_files(&err);
    unsigned count = 0;

    (void)length;
    if (!fs) {
        report_error(&err);
        return;
    }
    if (fat16_list(fs, argument, print_entry, &count, &err) < 0)
        report_error(&err);
    else
        kprintf("%u entries\n", count);
}

void command_selftest(char *argument, size_t length) {
    int failures = selftest_run(length > 0 ? argument : NULL);
    struct fluid_error err;

    if (failures == 0)
        return;
    if (failures < 0) {
        fluid_fail(&err, "E-CON-03", "/selftest expects the name of a test, listed above, or none");
        report_error(&err);
        return;
    }
    fluid_fail(&err, "E-TEST-01",
               "every self-test expected to pass, %d did not; see the lines above", failures);
    report_error(&err);
}

void command_pci(char *argument, size_t length) {
    (void)argument;
    (void)length;
    pci_print();
}

static void say_bye(const char *text) {
    cache_partition_sync();
    kprintf("%s\n", text);
    event_begin("bye");
    event_end();
}

void command_reboot(char *argument, size_t length) {
    (void)argument;
    (void)length;
    say_bye("Rebooting.");
    cpu_reset();
}

void command_off(char *argument, size_t length) {
    (void)argument;
    (void)length;
    say_bye("Good bye.");
    cpu_power_off(FLUID_EXIT_PASS);
}
