/* stage2_cpu.c - the processor against what the kernel was compiled for. The compiler may have put
 * such instructions anywhere in it, so this is told here, in code for any i386, and not there. */
#include "fluid/cpuid.h"
#include "stage2.h"

#define EFLAGS_ID (1u << 21)
#define NAMES_SIZE 256

_Static_assert(BOOT_TARGET_SIZE <= NAMES_SIZE, "names are longer than a tag");

struct names {
    char text[NAMES_SIZE]; /* blanks between them, NUL at the end */
    uint32_t length;
};

static void append(struct names *names, const char *name) {
    if (names->length > 0 && names->length < NAMES_SIZE - 1)
        names->text[names->length++] = ' ';
    while (*name != '\0' && names->length < NAMES_SIZE - 1)
        names->text[names->length++] = *name++;
    names->text[names->length] = '\0';
}

/* Intel SDM vol. 1, 20.1: CPUID exists when EFLAGS.ID can be changed. */
static bool has_cpuid(void) {
    uint32_t before, after;
    __asm__ volatile("pushfl\n\t"
                     "popl %0\n\t"
                     "movl %0, %1\n\t"
                     "xorl %2, %1\n\t"
                     "pushl %1\n\t"
                     "popfl\n\t"
                     "pushfl\n\t"
                     "popl %1"
                     : "=&r"(before), "=&r"(after)
                     : "i"(EFLAGS_ID)
                     : "cc");
    return before != after;
}

static bool has_long_mode(void) {
    return (cpuid(CPUID_EXTENDED_FEATURES, 0).edx & CPUID_EXTENDED_EDX_LM) != 0;
}

static void append_features(struct names *names, uint64_t features) {
#define FLUID_CPU_NAME(name, text, bit, leaf, sub, reg, position, state) [bit] = (text),
    static const char *const known[64] = {FLUID_CPU_FEATURES(FLUID_CPU_NAME)};
#undef FLUID_CPU_NAME
    for (unsigned bit = 0; bit < 64; bit++) {
        char number[] = {'b', 'i', 't', (char)('0' + bit / 10), (char)('0' + bit % 10), '\0'};
        if (features >> bit & 1)
            append(names, known[bit] ? known[bit] : number);
    }
}

void cpu_check(const struct kernel_header *header) {
    static struct names missing;
    char target[BOOT_TARGET_SIZE + 1] = {0};
    if (!has_cpuid())
        return; /* the kernel's entry says so: E-CPU-01 */
    uint64_t features = header->cpu_bits & ~(uint64_t)cpuid_features(cpuid_xcr0());
    if (features == 0)
        return;
    if (header->machine == BOOT_MACHINE_X86_64 && !has_long_mode())
        append(&missing, "lm");
    append_features(&missing, features);
    memcpy(target, header->target, BOOT_TARGET_SIZE);
    fail_event("E-CPU-05",
               "processor: %s expected by a kernel for %s, not found; use the image of a lower "
               "target, or a newer processor or -cpu model",
               missing.text, target);
}
