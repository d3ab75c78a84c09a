/* pit.h - the 8254 programmable interval timer: three counters of one frequency. */
#ifndef KERNEL_ARCH_X86_PIT_H
#define KERNEL_ARCH_X86_PIT_H

#define PIT_HZ 1193182u
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_MODE 0x43
/* Low then high byte, binary; mode 0 counts down once, mode 2 again and again. */
#define PIT_LOAD_CHANNEL0_MODE2 0x34
#define PIT_LOAD_CHANNEL2_MODE0 0xb0
#define PIT_LOAD_CHANNEL2_MODE2 0xb4
#define PIT_LATCH_CHANNEL2 0x80
/* Bit 0: gate of channel 2, bit 1: speaker, bit 5: output of channel 2. */
#define PIT_PORT_B 0x61

#endif
