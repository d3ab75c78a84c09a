/* boot_event.h - the first event: which build runs on which machine. */
#ifndef KERNEL_CONSOLE_BOOT_EVENT_H
#define KERNEL_CONSOLE_BOOT_EVENT_H

#include "fluid/bootinfo.h"

void console_boot_event(const struct bootinfo *boot);
const char *boot_build_id(void); /* in hexadecimal, as in the event */
#endif
