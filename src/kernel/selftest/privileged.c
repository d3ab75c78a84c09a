/* privileged.c - the exceptions that only ring 0 can raise: through a gate that is closed to
 * others, a control register, and descriptors that are wrong (Intel SDM vol. 3A, sections 3.4.5
 * and 6.15). */
#include <stdint.h>

#include "arch/x86/control.h"
#include "arch/x86/gdt.h"
#include "arch/x86/stacks.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "mm/paging_layout.h"
#include "selftest/selftest.h"

#define GDT_ENTRIES_MAX 16u
#define DATA_NOT_PRESENT 0x00cf12000000ffffull /* writable, ring 0, 4 GiB */
#define DESCRIPTOR_LIMIT_LOW 0xffffull
#define TSS_BUSY (1ull << 41)

static uint64_t gdt[GDT_ENTRIES_MAX];

/* Goes on with a copy of the GDT and one more descriptor; returns the selector of that. */
static uint16_t gdt_with(uint64_t descriptor) {
    struct __attribute__((packed)) {
        uint16_t limit;
        uintptr_t base;
    } pointer;
    __asm__ volatile("sgdt %0" : "=m"(pointer));
    uint16_t size = (uint16_t)(pointer.limit + 1);
    KASSERT(size < sizeof(gdt));
    memcpy(gdt, (const void *)pointer.base, size);
    gdt[size / 8] = descriptor;
    pointer.limit = (uint16_t)(size + 7);
    pointer.base = (uintptr_t)gdt;
    __asm__ volatile("lgdt %0" : : "m"(pointer) : "memory");
    return size;
}

/* Shortens a TSS; it becomes available, as LTR and task switches want it. */
static void set_tss_limit(uint16_t selector, uint16_t limit) {
    uint64_t *descriptor = &gdt[selector / 8];
    *descriptor = (*descriptor & ~(TSS_BUSY | DESCRIPTOR_LIMIT_LOW)) | limit;
}

static void non_maskable(void) {
    __asm__ volatile("int $2");
}

static void device_not_available(void) {
    write_cr0(read_cr0() | CR0_TS);
    __asm__ volatile("fnop");
}

/* A TSS that ends before what is needed of it: in long mode the stack of the NMI, in protected mode
 * the registers of a task. */
static void invalid_tss(void) {
    gdt_with(0);
#ifdef __x86_64__
    set_tss_limit(GDT_TSS, 35); /* IST1 begins at byte 36 */
    __asm__ volatile("ltr %w0\n\tint $2" : : "r"(GDT_TSS) : "memory");
#else
    set_tss_limit(GDT_DOUBLE_FAULT_TSS, 102); /* 103 is the least */
    __asm__ volatile("ljmp %0, $0" : : "i"(GDT_DOUBLE_FAULT_TSS));
#endif
}

static void segment_not_present(void) {
    __asm__ volatile("movw %w0, %%fs" : : "r"(gdt_with(DATA_NOT_PRESENT)));
}

static void stack_segment(void) {
    __asm__ volatile("movw %w0, %%ss" : : "r"(gdt_with(DATA_NOT_PRESENT)));
}

#ifdef __x86_64__
/* A handler that calls itself without end, as one of machine checks does on a stack of its own. It
 * runs out of that, not of the kernel's, and the page fault has yet another one. */
static void handler_overflow(void) {
    const struct stack_guard *guard = stack_guards + IST_MACHINE_CHECK; /* the kernel's is [0] */
    const char *top = (const char *)guard->page + sizeof(struct exception_stack);
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "1: callq 1b"
                     :
                     : "r"(top));
}
#endif

/* A vector that no device was given. */
static void unused_vector(void) {
    __asm__ volatile("int $60");
}

static const char *lacks_smep(void) {
    return read_cr4() & CR4_SMEP ? NULL : "SMEP";
}

static const char *lacks_smap(void) {
    return read_cr4() & CR4_SMAP ? NULL : "SMAP";
}

/* A page of ring 3 that holds a return. */
static uint8_t *user_page(unsigned flags) {
    uint8_t *page = pages_alloc(1, PAGE_SIZE, 0);
    KASSERT(page != NULL);
    page[0] = 0xc3; /* RET */
    paging_protect(page, PAGE_SIZE, flags | PAGE_USER);
    return page;
}

static void execute_user(void) {
    ((void (*)(void))(uintptr_t)user_page(PAGE_X))();
    __asm__ volatile(""); /* a call, not a jump: this function is in the backtrace */
}

static void read_user(void) {
    const volatile uint8_t *page = user_page(PAGE_W);
    (void)*page;
}

/* What the check at boot is for; paging_protect itself refuses. */
static void writable_code(void) {
    void *page = pages_alloc(1, PAGE_SIZE, 0);
    KASSERT(page != NULL);
    paging_set((uintptr_t)page, 1, PAGE_W | PAGE_X);
    paging_check();
}

static void protect_writable_code(void) {
    void *page = pages_alloc(1, PAGE_SIZE, 0);
    KASSERT(page != NULL);
    paging_protect(page, PAGE_SIZE, PAGE_W | PAGE_X);
}

const struct selftest_fault selftest_privileged[] = {
    {"fault-nmi", non_maskable, NULL},
    {"fault-nm", device_not_available, NULL},
    {"fault-ts", invalid_tss, NULL},
    {"fault-np", segment_not_present, NULL},
    {"fault-ss", stack_segment, NULL},
    {"fault-smep", execute_user, lacks_smep},
    {"fault-smap", read_user, lacks_smap},
    {"fault-vector", unused_vector, NULL},
    {"paging-writable-code", writable_code, NULL},
    {"paging-protect", protect_writable_code, NULL},
#ifdef __x86_64__
    {"fault-handler-stack", handler_overflow, NULL},
#endif
    {.name = NULL},
};
