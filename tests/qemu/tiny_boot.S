/* A boot sector that tests the runner without our kernel: one event, then an echo. "q" switches off,
 * "p" ends as a panic does, "r" resets, "x" sends something that is not JSON. */
#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define RECEIVED 0x01
#define CAN_SEND 0x20
#define EXIT_PORT 0xf4

    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $boot_event, %si
    call send_string
next:
    movw $LINE_STATUS, %dx
    inb %dx, %al
    testb $RECEIVED, %al
    jz next
    movw $COM1, %dx
    inb %dx, %al
    cmpb $'q', %al
    je off
    cmpb $'p', %al
    je panic
    cmpb $'r', %al
    je reset
    cmpb $'x', %al
    je error
    call send
    jmp next
off:
    movb $0x10, %al
    outb %al, $EXIT_PORT
panic:
    movb $0x12, %al
    outb %al, $EXIT_PORT
reset:
    lidt no_idt
    int3
error:
    movw $no_json, %si
    call send_string
    jmp next

send_string:
    lodsb
    testb %al, %al
    jz 1f
    call send
    jmp send_string
1:
    ret

send:
    movb %al, %bl
1:
    movw $LINE_STATUS, %dx
    inb %dx, %al
    testb $CAN_SEND, %al
    jz 1b
    movw $COM1, %dx
    movb %bl, %al
    outb %al, %dx
    ret

boot_event:
    .asciz "tiny\r\n\036{\"ev\":\"prompt\"}\n> "
no_json:
    .asciz "\036{]\n"
no_idt:
    .word 0
    .long 0

    .org 510
    .word 0xaa55
