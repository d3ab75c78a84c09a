/* boot_event.c - the first event and the first line: which build runs on which machine. */
#include "console/boot_event.h"

#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "console/event.h"
#include "fluid/cpu.h"
#include "lib/printf.h"

#define FEATURE_NAME(name, text, bit, leaf, sub, reg, pos, xcr0) {FLUID_CPU_##name, text},

static const struct {
    uint32_t bit;
    const char *name;
} feature_names[] = {FLUID_CPU_FEATURES(FEATURE_NAME)};

static char build[2 * BOOT_BUILD_ID_SIZE + 1];

const char *boot_build_id(void) {
    return build;
}

void console_boot_event(const struct bootinfo *boot) {
    const struct cpu_info *cpu = cpu_info();

    for (unsigned i = 0; i < BOOT_BUILD_ID_SIZE; i++)
        ksnprintf(build + 2 * i, 3, "%02x", boot->build_id[i]);
    event_begin("boot");
    event_string("build", build);
    event_string("target", cpu_target());
    event_string("cpu", cpu->brand);
    event_array_begin("features");
    for (unsigned i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++)
        if (cpu->features & feature_names[i].bit)
            event_string(NULL, feature_names[i].name);
    event_array_end();
    event_u64("cores", cores_expected());
    event_end();
    kprintf("Fluid OS %s, build %.12s, on %s\n", cpu_target(), build, cpu->brand);
}
