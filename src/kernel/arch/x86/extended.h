/* extended.h - the processor's state beyond the general registers: x87, vector and mask registers,
 * and how they compute (Intel SDM vol. 1, chapters 10.5 and 13). */
#ifndef KERNEL_ARCH_X86_EXTENDED_H
#define KERNEL_ARCH_X86_EXTENDED_H

#include <stddef.h>

#define EXTENDED_ALIGN 64u

size_t extended_size(void); /* bytes of an area, for what XCR0 enables; after cpu_init */
/* An area, zeroed and aligned, gets the state that a task begins with. */
void extended_init(void *area);
void extended_save(void *area);
void extended_restore(const void *area);
#endif
