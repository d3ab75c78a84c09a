/* entry.S (x86_64) - from the checked 32-bit entry to C in long mode (Intel SDM vol. 3A, 9.8.5).
 * The page tables map the first 4 GiB one to one, everything writable and executable; paging_init
 * replaces them, gdt_init the descriptors. */
#include "arch/x86/control.h"
#include "arch/x86_64/long_mode.inc"

#define CPUID_EXTENDED_MAX 0x80000000
#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_EDX_LONG_MODE (1 << 29)

#define PAGE_PRESENT_WRITABLE 3
#define PAGE_LARGE 0x80
#define PAGE_SIZE 4096
#define LARGE_PAGE_SIZE 0x200000
#define MAPPED_GIB 4

#define CODE64 0x08
#define DATA64 0x10

    .section .text.entry, "ax", @progbits
    .code32
    .globl entry_arch
    .type entry_arch, @function
entry_arch: /* EBP = struct bootinfo */
    movl $no_long_mode, %esi
    movl $CPUID_EXTENDED_MAX, %eax
    cpuid
    cmpl $CPUID_EXTENDED_FEATURES, %eax
    jb entry_fail
    movl $CPUID_EXTENDED_FEATURES, %eax
    cpuid
    testl $CPUID_EDX_LONG_MODE, %edx
    jz entry_fail

    /* PML4[0] -> PDPT[0 .. 3] -> four directories of 512 pages; the upper halves are zero. */
    movl $entry_pdpt + PAGE_PRESENT_WRITABLE, entry_pml4
    movl $entry_directories + PAGE_PRESENT_WRITABLE, %eax
    xorl %ecx, %ecx
next_gib:
    movl %eax, entry_pdpt(, %ecx, 8)
    addl $PAGE_SIZE, %eax
    incl %ecx
    cmpl $MAPPED_GIB, %ecx
    jne next_gib

    movl $PAGE_PRESENT_WRITABLE | PAGE_LARGE, %eax
    xorl %ecx, %ecx
next_page:
    movl %eax, entry_directories(, %ecx, 8)
    addl $LARGE_PAGE_SIZE, %eax
    incl %ecx
    cmpl $MAPPED_GIB * 512, %ecx
    jne next_page

    ENTER_LONG_MODE
    lgdt entry_gdt_pointer
    ljmp $CODE64, $entry64
    .size entry_arch, . - entry_arch

    .text
    .code64
    .type entry64, @function
entry64:
    movl $DATA64, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $kernel_stack_top, %esp
    movl %ebp, %edi
    xorl %ebp, %ebp /* ends backtraces */
    call kernel_main
    ud2
    .size entry64, . - entry64

    .section .rodata
    .balign 8
entry_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* CODE64 */
    .quad 0x00cf93000000ffff /* DATA64 */
entry_gdt_pointer:
    .word entry_gdt_pointer - entry_gdt - 1
    .long entry_gdt

    .section .bss.tables, "aw", @nobits
    .balign PAGE_SIZE
    .globl entry_pml4 /* core_entry.S */
entry_pml4:
    .skip PAGE_SIZE
entry_pdpt:
    .skip PAGE_SIZE
entry_directories:
    .skip MAPPED_GIB * PAGE_SIZE
