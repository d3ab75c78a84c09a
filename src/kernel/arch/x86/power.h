/* power.h - switching off and resetting as the firmware's tables have it. */
#ifndef KERNEL_ARCH_X86_POWER_H
#define KERNEL_ARCH_X86_POWER_H

#include <stdint.h>

void power_init(void); /* reads the tables; after paging_init */
/* Both return, after a while, when the tables know no way or it did not work. Interrupts are off.
 */
void power_acpi_off(void);
void power_acpi_reset(void);
void power_print(void);          /* the ways, for /uptime */
uint8_t power_rtc_century(void); /* index in the RTC's memory, 0: none */
#endif
