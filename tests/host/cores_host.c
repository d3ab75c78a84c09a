/* cores_host.c - starting processors that the firmware lists, on a machine that is played here: the
 * local APIC writes down what it is told, and nobody answers.
 *
 *     cores_host MADT [BLOCKS]   hexadecimal bytes of a Multiple APIC Description Table; memory for
 *                                so many blocks */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86/control.h"
#define read_cr3() ((uintptr_t)0) /* not for a process */

#include "arch/x86_64/core_serve.c"
#include "arch/x86_64/cores.c"
#include "dev/madt.c"

__asm__(".section .rodata\n"
        ".globl core_trampoline, core_trampoline_end\n"
        "core_trampoline: .ascii \"trampoline\"\n"
        "core_trampoline_end: .byte 0\n"
        ".text");

static uint8_t bytes[4096];
static struct acpi_table table = {.bytes = bytes};
static unsigned long waited;     /* us */
static size_t blocks = SIZE_MAX; /* that memory is left for */

void time_delay_us(uint32_t us) {
    waited += us;
}

int acpi_table(const char signature[4], struct acpi_table *found) {
    *found = table;
    return memcmp(signature, "APIC", 4) == 0 ? 0 : -1;
}

bool lapic_in_use(void) {
    return true;
}

uint8_t lapic_id(void) {
    return 0;
}

void lapic_send(uint32_t apic_id, uint32_t command) {
    printf("%u %x after %lu us\n", apic_id, command, waited);
    waited = 0;
}

/* Nobody has waited for a core here. */
void module_guard_judge(struct guard_state *state) {
    (void)state;
    abort();
}

bool trap_overtime(struct trap_frame *frame, bool tick) {
    (void)frame, (void)tick;
    abort();
}

void report_warn(const struct fluid_error *err) {
    printf("%s %s\n", err->code, err->text);
}

void *kzalloc_aligned(size_t size, size_t align) {
    void *block = NULL;
    if (blocks == 0 || posix_memalign(&block, align, size) != 0)
        return NULL;
    blocks--;
    return memset(block, 0, size);
}

void kfree(void *block) {
    free(block);
}

void stack_free(uint8_t *stack, size_t size) {
    (void)size;
    free(stack);
}

uint8_t *stack_allocate(size_t size) {
    return kzalloc_aligned(size, 16);
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}

/* ---- of other cores, which do not start here */
#define NOT_HERE(declaration)                                                                      \
    declaration {                                                                                  \
        abort();                                                                                   \
    }
NOT_HERE(void core_tables_load(struct core_tables *tables, struct core *core))
NOT_HERE(void idt_load(void))
NOT_HERE(void cpu_init_core(void))
NOT_HERE(void lapic_init_core(void))
NOT_HERE(void lapic_send_others(uint32_t command))
NOT_HERE(void lapic_end(void))
NOT_HERE(_Noreturn void cpu_halt(void))
NOT_HERE(const struct cpu_info *cpu_info(void))
NOT_HERE(uint64_t time_hz(void))
NOT_HERE(bool parallel_help(unsigned core))
NOT_HERE(bool parallel_waits(void))

int main(int argc, char **argv) {
    if (argc < 2)
        return EXIT_FAILURE;
    for (const char *at = argv[1]; at[0] != 0 && table.size < sizeof bytes; at += 2)
        sscanf(at, "%2hhx", &bytes[table.size++]);
    if (argc > 2)
        blocks = strtoull(argv[2], NULL, 10);
    void *low = mmap((void *)CORE_TRAMPOLINE, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (low != (void *)CORE_TRAMPOLINE)
        return EXIT_FAILURE;
    cores_init();
    printf("%u\n", cores_count());
    return EXIT_SUCCESS;
}
