/* stage1.S - the boot sector: reads the manifest and stage2, checks both and jumps.
 *
 * Entered by the BIOS at 0x7c00 in real mode, boot drive in DL. Everything that stage1 reads is
 * covered by a CRC-32 checked here, so that no damaged byte of stage2 is ever executed. There is
 * room for numbers only: a failure prints E-BOOT-3n on the screen and on COM1 (115200 8N1) and
 * halts; docs/errors.md tells what n means and what to do. */
#include "fluid/com1.h"
#include "layout.h"

    .globl stage1_address /* for the assertions of stage1.ld */
    .set stage1_address, STAGE1_ADDR

    .code16
    .section .text
    .globl stage1
stage1:
    jmp start

    /* Some BIOSes that boot from USB take the sector for a FAT volume and write drive geometry into
     * its BIOS parameter block: keep code out of the place of a FAT32 one, 90 bytes. */
    .org 90
start:
    cli
    cld
    ljmp $0, $flat /* some BIOSes enter with CS:IP = 07c0:0000 */
flat:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $BOOT_STACK_TOP, %sp
    sti
    testb %dl, %dl /* a BIOS that passes no hard disk: take the first one */
    js drive_known
    movb $0x80, %dl
drive_known:

    /* DH is the digit to print if the step in progress fails, DL the boot drive. */
    movb $'1', %dh /* the BIOS has the EDD extensions with packet access */
    movb $0x41, %ah
    movw $0x55aa, %bx
    pushw %dx
    int $0x13
    popw %dx
    jc fail
    cmpw $0xaa55, %bx
    jne fail
    shrw $1, %cx /* bit 0: packet access */
    jnc fail

    movb $'2', %dh /* the manifest can be read */
    movw $1, %bx
    call read

    movb $'3', %dh /* there is a manifest that we know */
    movw $BOOT_MANIFEST_ADDR, %si
    cmpl $MANIFEST_MAGIC_LOW, (%si)
    jne fail
    cmpl $MANIFEST_MAGIC_HIGH, 4(%si)
    jne fail
    cmpb $BOOT_MANIFEST_VERSION, MANIFEST_VERSION(%si)
    jne fail

    movb $'4', %dh /* the manifest is undamaged */
    xorl %ebp, %ebp
    xchgl MANIFEST_CRC32(%si), %ebp
    movw $512, %cx
    call crc32
    movl %ebp, BOOT_MANIFEST_ADDR + MANIFEST_CRC32
    cmpl %eax, %ebp
    jne fail

    movb $'5', %dh /* stage2 fits: ceil(size / 512) <= sectors <= STAGE2_MAX_SECTORS */
    movl BOOT_MANIFEST_ADDR + MANIFEST_STAGE2_SECTORS, %ebx
    cmpl $STAGE2_MAX_SECTORS, %ebx
    ja fail
    movl BOOT_MANIFEST_ADDR + MANIFEST_STAGE2_SIZE, %ecx
    decl %ecx /* size 0 becomes a huge one */
    shrl $9, %ecx
    cmpl %ebx, %ecx /* (size - 1) / 512 < sectors */
    jb size_fits

fail:
    movb %dh, digit
    movw $COM1_LINE_CONTROL, %dx
    movb $COM1_DIVISOR_LATCH, %al
    outb %al, %dx
    movb $COM1_PORT & 0xff, %dl
    movw $COM1_DIVISOR, %ax
    outw %ax, %dx /* both divisor registers */
    movb $COM1_LINE_CONTROL & 0xff, %dl
    movb $COM1_8N1, %al
    outb %al, %dx
    movw $message, %si
print:
    lodsb
    movw $0x7, %bx
    movb $0xe, %ah
    pushaw
    int $0x10
    popaw
    movb %al, %ah
    movw $COM1_LINE_STATUS, %dx
    xorw %cx, %cx
busy:
    inb %dx, %al
    testb $COM1_TRANSMITTER_EMPTY, %al /* a missing port reads 0xff */
    loopz busy
    movb %ah, %al
    movb $COM1_PORT & 0xff, %dl
    outb %al, %dx
    cmpb $'\n', %al
    jne print
halt: /* with interrupts on, so that Ctrl-Alt-Del works */
    hlt
    jmp halt

size_fits:
    movb $'2', %dh /* stage2 can be read: it ends below 64 KiB, so one packet does it */
    movl BOOT_MANIFEST_ADDR + MANIFEST_STAGE2_LBA, %eax
    movl %eax, packet_lba
    movb $BOOT_STAGE2_ADDR >> 8, packet_buffer + 1
    call read

    movb $'6', %dh /* stage2 is undamaged */
    movw $BOOT_STAGE2_ADDR, %si
    movw BOOT_MANIFEST_ADDR + MANIFEST_STAGE2_SIZE, %cx
    call crc32
    cmpl BOOT_MANIFEST_ADDR + MANIFEST_STAGE2_CRC32, %eax
    jne fail
    incb %dh /* 7: what was loaded is stage2 */
    cmpl $BOOT_STAGE2_MAGIC, BOOT_STAGE2_ADDR + 4
    jne fail
    ljmp $0, $BOOT_STAGE2_ADDR

/* Reads BX sectors at packet_lba to packet_buffer; tries again after resetting the drive. */
read:
    movw $4, %cx
retry:
    movw %bx, packet_count /* a failed read leaves the number of sectors that it did read there */
    pushaw
    movw $packet, %si
    movb $0x42, %ah
    int $0x13
    popaw
    jnc done
    pushaw
    movb $0, %ah
    int $0x13
    popaw
    loop retry
    jmp fail

/* EAX = CRC-32 (IEEE 802.3) of CX bytes at SI, CX > 0; BL is lost. */
crc32:
    xorl %eax, %eax
    decl %eax
byte:
    xorb (%si), %al
    incw %si
    movb $8, %bl
bit:
    shrl $1, %eax
    jnc even
    xorl $CRC32_POLYNOMIAL, %eax
even:
    decb %bl
    jnz bit
    loop byte
    notl %eax
done:
    ret

/* Disk address packet, Phoenix EDD 3.0 section 4.2; first set for the manifest. */
packet:
    .byte 16, 0
packet_count:
    .word 1
packet_buffer:
    .word BOOT_MANIFEST_ADDR, 0
packet_lba:
    .long BOOT_MANIFEST_LBA, 0

message:
    .ascii "Fluid OS E-BOOT-3"
digit:
    .ascii "?\r\n"

    .org STAGE1_CODE_MAX /* the assembler refuses to go backwards: code and message fit */
    .org 510
    .word 0xaa55
