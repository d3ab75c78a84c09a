/* target.c - the only file that is told what it is built for, so that another profile of one
 * machine rebuilds no other; and the header in which stage2 reads what the kernel's code may use.
 */
#include "arch/x86/target.h"

#include "fluid/bootinfo.h"

#if !defined(FLUID_TARGET) || !defined(FLUID_TARGET_FEATURES) || !defined(FLUID_KERNEL_FEATURES)
#error "the build passes the tag of the target, its features and those of the kernel's own code"
#endif

_Static_assert(sizeof(FLUID_TARGET) <= BOOT_TARGET_SIZE, "the tag fits with its NUL");

const char target_tag[] = FLUID_TARGET;
const uint32_t target_features = FLUID_TARGET_FEATURES;

extern const struct kernel_header kernel_header;

__attribute__((section(".kernel_header"), used)) const struct kernel_header kernel_header = {
    .magic = KERNEL_HEADER_MAGIC,
    .header_size = sizeof(struct kernel_header),
    .target = FLUID_TARGET,
    .cpu_bits = FLUID_KERNEL_FEATURES,
#ifdef __x86_64__
    .machine = BOOT_MACHINE_X86_64,
#else
    .machine = BOOT_MACHINE_I386,
#endif
};
