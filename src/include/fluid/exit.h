/* exit.h - how an emulated machine tells its runner how it ended: the byte written to the port of
 * QEMU's isa-debug-exit device; QEMU's own exit status is then 2 * code + 1. Other owner:
 * site_scons/fluid/emulator.py. */
#ifndef FLUID_EXIT_H
#define FLUID_EXIT_H

#define FLUID_EXIT_PORT 0xf4
#define FLUID_EXIT_PASS 0x10  /* /off: QEMU exits with 33 */
#define FLUID_EXIT_FAIL 0x11  /* a fatal error with a code (E-CPU-nn): 35 */
#define FLUID_EXIT_PANIC 0x12 /* panic: 37 */

#endif
