/* entry32.S - where stage2 jumps to, for both targets: 32-bit protected mode, flat segments, paging
 * off, EAX = BOOTINFO_MAGIC, EBX = struct bootinfo (bootinfo.h). Checks what the rest of the entry
 * needs, makes .bss zero and goes on in entry_arch (arch/<arch>/entry.S), EBP = struct bootinfo.
 * Also the boot stack. */
#include "fluid/bootinfo.h"
#include "fluid/com1.h"
#include "fluid/exit.h"

#define EFLAGS_ID (1 << 21)
#define CPUID_EDX_TSC (1 << 4)
#define CPUID_EDX_PAE (1 << 6)

#define VGA_LAST_ROWS 0xb8dc0 /* rows 22 .. 24 of 80x25 */
#define VGA_LAST_CELLS (3 * 80)
#define VGA_WHITE_ON_RED 0x4f

#define KERNEL_STACK_SIZE 0x8000
#define PAGE_SIZE 4096

/* An error before there is any C: the event of docs/formats.md and the sentence for people. */
.macro MESSAGE label, code, what, remedy
\label:
    .ascii "\036{\"ev\":\"error\",\"code\":\"\code\",\"text\":\"\what; \remedy\"}\n"
.Lsentence_\label:
    .ascii "error \code: \what; \remedy"
    .if . - .Lsentence_\label > VGA_LAST_CELLS
    .error "the sentence is longer than its place on the screen"
    .endif
    .asciz "\r\n"
.endm

    .globl kernel_file_max /* for the assertion of kernel.ld */
    .set kernel_file_max, BOOT_KERNEL_MAX

    .section .text.entry, "ax", @progbits
    .code32
    .globl kernel_entry
    .type kernel_entry, @function
kernel_entry:
    cli
    cld
    movl $kernel_stack_top, %esp /* inside .bss: nothing is kept there until it is zero */
    movl %ebx, %ebp

    movl $not_by_stage2, %esi
    cmpl $BOOTINFO_MAGIC, %eax
    jne entry_fail

    movl $no_cpuid, %esi /* Intel SDM vol. 1, 20.1: CPUID exists when EFLAGS.ID can be changed */
    pushfl
    popl %eax
    movl %eax, %ecx
    xorl $EFLAGS_ID, %eax
    pushl %eax
    popfl
    pushfl
    popl %eax
    cmpl %ecx, %eax
    je entry_fail

    movl $1, %eax
    cpuid
    movl $no_tsc, %esi
    testl $CPUID_EDX_TSC, %edx
    jz entry_fail
    movl $no_pae, %esi
    testl $CPUID_EDX_PAE, %edx
    jz entry_fail

    rdtsc
    movl %eax, kernel_entry_tsc
    movl %edx, kernel_entry_tsc + 4

    movl $kernel_bss_start, %edi
    movl $kernel_bss_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx /* both are page-aligned */
    xorl %eax, %eax
    rep stosl
    jmp entry_arch
    .size kernel_entry, . - kernel_entry

/* Reports the message at ESI on COM1, which stage2 has set up, its sentence also in the last rows of
 * the screen, and ends the machine. Uses no stack. */
    .globl entry_fail
    .type entry_fail, @function
entry_fail:
    movl $VGA_LAST_ROWS, %edi
    movl $VGA_WHITE_ON_RED << 8 | ' ', %eax
    movl $VGA_LAST_CELLS, %ecx
    rep stosw
    movl $VGA_LAST_ROWS, %edi
    xorl %ebx, %ebx /* becomes 1 behind the event: the sentence is shown on the screen */
next_character:
    lodsb
    testb %al, %al
    jz stop
    movb %al, %ah
    movl $100000, %ecx /* a missing or stuck port must not keep the screen dark */
    movw $COM1_LINE_STATUS, %dx
wait_serial:
    inb %dx, %al
    testb $COM1_TRANSMITTER_EMPTY, %al
    loopz wait_serial
    movb %ah, %al
    movw $COM1_PORT, %dx
    outb %al, %dx
    testb %bl, %bl
    jz after_screen
    cmpb $' ', %al
    jb after_screen /* CR and LF have glyphs there */
    movb $VGA_WHITE_ON_RED, %ah
    stosw
after_screen:
    cmpb $'\n', %al
    jne next_character
    incl %ebx
    jmp next_character
stop:
    movb $FLUID_EXIT_FAIL, %al
    outb %al, $FLUID_EXIT_PORT
halt:
    cli
    hlt
    jmp halt
    .size entry_fail, . - entry_fail

    .section .rodata
MESSAGE not_by_stage2, "E-BOOT-50", \
    "kernel: start by stage2 of the same image expected, another loader found", \
    "boot the disk image"
MESSAGE no_cpuid, "E-CPU-01", \
    "CPUID instruction: one expected, none found", "use a newer processor"
MESSAGE no_tsc, "E-CPU-02", \
    "tsc: the CPUID bit expected, not found", "use a newer processor or -cpu model"
MESSAGE no_pae, "E-CPU-02", \
    "pae: the CPUID bit expected, not found", "use a newer processor or -cpu model"
    .globl no_long_mode
MESSAGE no_long_mode, "E-CPU-02", \
    "lm (long mode): the CPUID bit expected, not found", \
    "use a 64-bit processor or the image of target i686"

    .data
    .balign 8
    .globl kernel_entry_tsc
kernel_entry_tsc: /* uint64_t; time since entry is counted from here */
    .quad 0

    .section .bss.stack, "aw", @nobits
    .balign PAGE_SIZE
    .globl kernel_stack_guard, kernel_stack_bottom, kernel_stack_top
kernel_stack_guard: /* made absent by paging_init */
    .skip PAGE_SIZE
kernel_stack_bottom:
    .skip KERNEL_STACK_SIZE
kernel_stack_top:
