/* cpu_state.c - the control registers, set for what the processor has and read back: a bit that did
 * not take is an error here and now, not a fault in the middle of a tensor kernel (Intel SDM vol.
 * 3A, sections 2.5, 2.6 and 13.1). */
#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "console/event.h"
#include "fluid/exit.h"
#include "lib/printf.h"

#define CR0_SET (CR0_MP | CR0_NE | CR0_WP)
#define CR0_CLEAR (CR0_EM | CR0_TS | CR0_CD | CR0_NW)

#define LEAF7_EBX_SMEP (1u << 7)
#define LEAF7_EBX_SMAP (1u << 20)
#define LEAF7_ECX_UMIP (1u << 2)

static uint32_t cr4_set;
static uint64_t xcr0_set;
static bool has_mxcsr;

/* Ends the machine unless all bits of set are 1 and all bits of clear are 0 in value. */
static void check_register(const char *name, uint64_t value, uint64_t set, uint64_t clear) {
    struct fluid_error e = {.code = "E-CPU-03"};
    if ((value & set) == set && (value & clear) == 0)
        return;
    ksnprintf(
        e.text, sizeof(e.text),
        "%s: expected bits 0x%llx set and 0x%llx clear, found 0x%llx; the processor or hypervisor "
        "refuses a feature that its own CPUID reports, use another -cpu model",
        name, (unsigned long long)set, (unsigned long long)clear, (unsigned long long)value);
    report_error(&e);
    cpu_power_off(FLUID_EXIT_FAIL);
}

static uint64_t wanted_xcr0(void) {
    struct cpuid supported = cpuid(0xd, 0);
    uint64_t want = XCR0_X87 | (supported.eax & XCR0_SSE);
    if (!(want & XCR0_SSE) || !(supported.eax & XCR0_AVX))
        return want;
    want |= XCR0_AVX;
    if ((supported.eax & XCR0_AVX512) == XCR0_AVX512)
        want |= XCR0_AVX512;
    return want;
}

/* What keeps ring 0 away from pages of ring 3, and ring 3 from descriptor tables. */
static uint32_t protections(void) {
    struct cpuid leaf7 = cpuid(7, 0);
    return (leaf7.ebx & LEAF7_EBX_SMEP ? CR4_SMEP : 0) |
           (leaf7.ebx & LEAF7_EBX_SMAP ? CR4_SMAP : 0) |
           (leaf7.ecx & LEAF7_ECX_UMIP ? CR4_UMIP : 0);
}

static void set_registers(void) {
    uint32_t mxcsr = MXCSR_DEFAULT;
    write_cr0((read_cr0() | CR0_SET) & ~(uintptr_t)CR0_CLEAR);
    __asm__ volatile("fninit");
    write_cr4(read_cr4() | cr4_set);
    if (cr4_set & CR4_OSXSAVE)
        write_xcr0(xcr0_set);
    if (has_mxcsr)
        __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    if (cpu_info()->nx)
        write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
}

void cpu_init_core(void) {
    set_registers();
    cpu_check_state(true);
}

void cpu_init(void) {
    struct cpu_needs needs;
    cpu_identify(&needs);
    cr4_set = 0;
    if (needs.fxsr)
        cr4_set |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (needs.xsave)
        cr4_set |= CR4_OSXSAVE;
    cr4_set |= protections();
    if (needs.xsave)
        xcr0_set = wanted_xcr0();
    has_mxcsr = needs.fxsr && needs.sse;
    set_registers();
    cpu_check_state(false);
    cpu_compute_features(needs.fxsr, xcr0_set);
}

void cpu_check_state(bool paging) {
    uint64_t efer = 0;
    check_register("CR0", read_cr0(), CR0_PE | CR0_SET | (paging ? CR0_PG : 0), CR0_CLEAR);
    check_register("CR4", read_cr4(), cr4_set | (paging ? CR4_PAE : 0), 0);
    if (cr4_set & CR4_OSXSAVE)
        check_register("XCR0", read_xcr0(), xcr0_set, ~xcr0_set);
    if (cpu_info()->nx)
        efer |= EFER_NXE;
#ifdef __x86_64__
    efer |= EFER_LME | EFER_LMA;
#endif
    if (efer != 0)
        check_register("EFER", read_msr(MSR_EFER), efer, 0);
}
