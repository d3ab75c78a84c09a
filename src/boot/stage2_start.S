/* stage2_start.S - the ends of stage2 that C cannot express: entry, BIOS calls, exit to the kernel.
 *
 * Everything here lies below 64 KiB, so that real mode reaches it with all segments zero. 16-bit code
 * has sections of its own, in front: the build disassembles each part in its mode. */
#include "layout.h"

#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20
#define CR0_PE 1

    /* For the assertions of stage2.ld. */
    .globl stage2_address, stage2_limit, stage2_max_size
    .set stage2_address, BOOT_STAGE2_ADDR
    .set stage2_limit, STAGE2_LIMIT
    .set stage2_max_size, STAGE2_MAX_SECTORS * 512

    .section .start, "ax", @progbits
    .code16
    .globl stage2_start
stage2_start:
    jmp enter
    .org 4
    .long BOOT_STAGE2_MAGIC

/* From stage1: real mode, DL boot drive, all segments 0. To C: stage2_main(drive). */
enter:
    cli
    lgdtl gdt_pointer
    movl %cr0, %eax
    orb $CR0_PE, %al
    movl %eax, %cr0
    ljmpl $CODE32, $enter32

    .text
    .code32
enter32:
    movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $BOOT_STACK_TOP, %esp
    cld
    movl $stage2_bss_start, %edi
    movl $stage2_bss_end, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    movzbl %dl, %edx
    pushl %edx
    call stage2_main

/* void bios_call(uint32_t number, struct bios_regs *regs): runs software interrupt number in real
 * mode with the registers given and stores those it returned, EFLAGS included. */
    .text
    .globl bios_call
bios_call:
    pushal
    movl 36(%esp), %eax
    movl (, %eax, 4), %eax /* from the interrupt vector table at 0: offset, segment */
    movl %eax, bios_vector
    movl 40(%esp), %esi
    movl $bios_frame, %edi
    movl $BIOS_REGS_SIZE, %ecx
    rep movsb

    /* Intel SDM vol. 3A, 9.9.2: 16-bit limits in the descriptor caches, PE off, far jump. */
    ljmp $CODE16, $leave_protected

    .section .text16, "ax", @progbits
    .code16
leave_protected:
    movw $DATA16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl %cr0, %eax
    andb $~CR0_PE, %al
    movl %eax, %cr0
    ljmp $0, $real
real:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    lidtl real_idt
    movw bios_frame + BIOS_REGS_ES, %es
    movl bios_frame + BIOS_REGS_EAX, %eax
    movl bios_frame + BIOS_REGS_EBX, %ebx
    movl bios_frame + BIOS_REGS_ECX, %ecx
    movl bios_frame + BIOS_REGS_EDX, %edx
    movl bios_frame + BIOS_REGS_ESI, %esi
    movl bios_frame + BIOS_REGS_EDI, %edi
    sti
    pushfw /* what INT does, without patching its operand into the code */
    cli
    lcallw *bios_vector

    /* The BIOS may have changed any segment but CS and SS. */
    pushfl
    cli
    cld
    movl %eax, %cs:bios_frame + BIOS_REGS_EAX
    xorw %ax, %ax
    movw %ax, %ds
    movw %es, bios_frame + BIOS_REGS_ES
    movl %ebx, bios_frame + BIOS_REGS_EBX
    movl %ecx, bios_frame + BIOS_REGS_ECX
    movl %edx, bios_frame + BIOS_REGS_EDX
    movl %esi, bios_frame + BIOS_REGS_ESI
    movl %edi, bios_frame + BIOS_REGS_EDI
    popl bios_frame + BIOS_REGS_EFLAGS

    lgdtl gdt_pointer
    movl %cr0, %eax
    orb $CR0_PE, %al
    movl %eax, %cr0
    ljmpl $CODE32, $protected

    .text
    .code32
protected:
    movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $bios_frame, %esi
    movl 40(%esp), %edi
    movl $BIOS_REGS_SIZE, %ecx
    rep movsb
    popal
    ret

/* void enter_kernel(uint32_t entry, const struct bootinfo *boot): the protocol of bootinfo.h. */
    .globl enter_kernel
enter_kernel:
    movl 4(%esp), %ecx
    movl 8(%esp), %ebx
    movl $BOOTINFO_MAGIC, %eax
    jmp *%ecx

    .section .rodata
    .balign 8
gdt: /* Intel SDM vol. 3A, 3.4.5 */
    .quad 0
    .quad 0x00cf9a000000ffff /* CODE32: base 0, limit 4 GiB */
    .quad 0x00cf92000000ffff /* DATA32 */
    .quad 0x00009a000000ffff /* CODE16: base 0, limit 64 KiB */
    .quad 0x000092000000ffff /* DATA16 */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
real_idt:
    .word 0x3ff
    .long 0

    .bss
    .balign 4
bios_vector:
    .skip 4
bios_frame:
    .skip BIOS_REGS_SIZE
