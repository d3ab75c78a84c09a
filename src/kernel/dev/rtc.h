/* rtc.h - the battery-backed clock (MC146818A), read when somebody asks. */
#ifndef KERNEL_DEV_RTC_H
#define KERNEL_DEV_RTC_H

#include <stdbool.h>
#include <stdint.h>

struct rtc_date {
    unsigned year, month, day, hour, minute, second; /* whatever zone it was set in */
};

/* century: index of its register, 0 when there is none. false: the clock does not settle, or what
 * it says is no date. */
bool rtc_read(struct rtc_date *date, uint8_t century);
#endif
