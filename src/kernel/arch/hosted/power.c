/* power.c (hosted) - the ways out, with the statuses that QEMU's isa-debug-exit gives
 * (fluid/exit.h).
 */
#include <stdlib.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/x86/cpu.h"
#include "dev/serial.h"
#include "fluid/exit.h"

#define RESET_STATUS 0 /* as QEMU with -no-reboot */

static char *const *arguments;

void power_on_reset(char *const *argv) {
    arguments = argv;
}

_Noreturn void cpu_power_off(uint8_t code) {
    serial_flush();
    compiler_process_stop();
    exit(2 * code + 1);
}

_Noreturn void cpu_reset(void) {
    serial_flush();
    compiler_process_stop();
    cpus_release(); /* or the next one has no other processor to choose */
    if (arguments)
        execv("/proc/self/exe", arguments);
    exit(RESET_STATUS);
}
