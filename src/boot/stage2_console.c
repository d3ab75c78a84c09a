/* stage2_console.c - text to the screen, through the BIOS, and to COM1. */
#include <stdarg.h>
#include "fluid/com1.h"
#include "fluid/exit.h"
#include "stage2.h"

#define UART_DATA COM1_PORT
#define UART_INTERRUPTS (COM1_PORT + 1)
#define UART_FIFO (COM1_PORT + 2)
#define UART_MODEM (COM1_PORT + 4)
#define UART_PATIENCE 100000 /* status reads; a character takes 87 us */

#define BIOS_VIDEO 0x10
#define TEXT_MODE 3 /* 80x25, 16 colours; also clears the screen */

#define RECORD_SEPARATOR "\036" /* before an event, RFC 7464 */

static bool on_screen = true; /* off while an event is sent: it is for programs */

void console_init(void) {
    port_out8(UART_INTERRUPTS, 0);
    port_out8(COM1_LINE_CONTROL, COM1_DIVISOR_LATCH);
    port_out8(UART_DATA, COM1_DIVISOR);
    port_out8(UART_INTERRUPTS, COM1_DIVISOR >> 8);
    port_out8(COM1_LINE_CONTROL, COM1_8N1);
    port_out8(UART_FIFO, 7);  /* on, both emptied */
    port_out8(UART_MODEM, 3); /* DTR, RTS */
    bios_call(BIOS_VIDEO, &(struct bios_regs){.eax = TEXT_MODE});
}

static void put(char c) {
    if (c == '\n' && on_screen)
        put('\r');
    for (int i = 0; i < UART_PATIENCE && !(port_in8(COM1_LINE_STATUS) & COM1_TRANSMITTER_EMPTY);
         i++) {
    }
    port_out8(UART_DATA, (uint8_t)c);
    if (on_screen)
        bios_call(BIOS_VIDEO, &(struct bios_regs){.eax = 0x0e00 | (uint8_t)c, .ebx = 7});
}

static void put_number(uint32_t value, uint32_t base) {
    char digits[10];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (n > 0)
        put(digits[--n]);
}

static void vprint(const char *format, va_list args) {
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = va_arg(args, const char *); *s != '\0'; s++)
                put(*s);
            break;
        case 'u':
            put_number(va_arg(args, uint32_t), 10);
            break;
        case 'x':
            put_number(va_arg(args, uint32_t), 16);
            break;
        default:
            put(*format);
        }
    }
}

void print(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vprint(format, args);
    va_end(args);
}

static _Noreturn void stop(void) {
    for (;;)
        __asm__ volatile("cli; hlt");
}

void fail_event(const char *code, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    on_screen = false;
    print(RECORD_SEPARATOR "{\"ev\":\"error\",\"code\":\"%s\",\"text\":\"", code);
    vprint(format, args);
    print("\"}\n");
    on_screen = true;
    print("error %s: ", code);
    vprint(format, again);
    print("\n");
    va_end(again);
    va_end(args);
    port_out8(FLUID_EXIT_PORT, FLUID_EXIT_FAIL);
    stop();
}

void fail(unsigned number, const char *format, ...) {
    va_list args;
    va_start(args, format);
    print("\nE-BOOT-%u ", number);
    vprint(format, args);
    print("\n");
    va_end(args);
    stop();
}
