/* status.h - the screen's last row: what is being loaded, then model, variant, speed and memory. */
#ifndef KERNEL_CONSOLE_STATUS_H
#define KERNEL_CONSOLE_STATUS_H

#include <stdint.h>

void status_progress(const char *what, unsigned percent); /* a bar, drawn in place */
void status_speed(int64_t tps_micro);                     /* of the last reply */
void status_update(void);
#endif
