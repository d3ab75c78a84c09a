/* rtc.c - the registers of the MC146818A, read twice so that no update falls in between. */
#include "dev/rtc.h"

#include "arch/x86/port.h"
#include "arch/x86/time.h"
#include "lib/string.h"

#define PORT_INDEX 0x70 /* bit 7 masks the NMI; it stays clear */
#define PORT_DATA 0x71
#define REG_SECOND 0x00
#define REG_MINUTE 0x02
#define REG_HOUR 0x04
#define REG_DAY 0x07
#define REG_MONTH 0x08
#define REG_YEAR 0x09
#define REG_A 0x0a
#define REG_B 0x0b
#define A_UPDATING 0x80
#define B_24_HOURS 0x02
#define B_BINARY 0x04
#define HOUR_PM 0x80
#define REGISTERS_END 0x80

#define TRIES 200
#define SAMPLE_US 200    /* an update takes up to 2.2 ms */
#define YEAR_PIVOT 1980u /* two digits are of the hundred years from here on */
#define YEAR_END 2200u

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, CENTURY, FIELDS };

static uint8_t read_register(uint8_t index) {
    outb(PORT_INDEX, index);
    return inb(PORT_DATA);
}

static bool sample(uint8_t raw[FIELDS], uint8_t century) {
    static const uint8_t registers[] = {REG_SECOND, REG_MINUTE, REG_HOUR,
                                        REG_DAY,    REG_MONTH,  REG_YEAR};
    if (read_register(REG_A) & A_UPDATING)
        return false;
    for (unsigned i = 0; i < sizeof(registers); i++)
        raw[i] = read_register(registers[i]);
    raw[CENTURY] = century != 0 ? read_register(century) : 0;
    return !(read_register(REG_A) & A_UPDATING);
}

/* A field in binary; UINT32_MAX for what is no BCD. */
static uint32_t number(uint8_t raw, bool binary) {
    if (binary)
        return raw;
    return raw >> 4 <= 9 && (raw & 0xf) <= 9 ? (raw >> 4) * 10u + (raw & 0xf) : UINT32_MAX;
}

static uint32_t hour_of(uint8_t raw, uint8_t b) {
    if (b & B_24_HOURS)
        return number(raw, b & B_BINARY);
    uint32_t hour = number(raw & (uint8_t)~HOUR_PM, b & B_BINARY);
    if (hour < 1 || hour > 12)
        return UINT32_MAX;
    return hour % 12 + (raw & HOUR_PM ? 12 : 0);
}

static unsigned days_of(unsigned month, unsigned year) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool convert(struct rtc_date *d, const uint8_t raw[FIELDS], uint8_t b, bool has_century) {
    bool binary = b & B_BINARY;
    uint32_t year = number(raw[YEAR], binary), century = number(raw[CENTURY], binary);
    if (year > 99)
        return false;
    if (has_century && century >= 19 && century < YEAR_END / 100)
        year += century * 100;
    else
        year += year < YEAR_PIVOT % 100 ? 2000 : 1900;
    *d = (struct rtc_date){
        .year = year,
        .month = number(raw[MONTH], binary),
        .day = number(raw[DAY], binary),
        .hour = hour_of(raw[HOUR], b),
        .minute = number(raw[MINUTE], binary),
        .second = number(raw[SECOND], binary),
    };
    return d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= days_of(d->month, year) &&
           d->hour < 24 && d->minute < 60 && d->second < 60;
}

bool rtc_read(struct rtc_date *date, uint8_t century) {
    uint8_t first[FIELDS], second[FIELDS];
    if (century < REG_B || century >= REGISTERS_END)
        century = 0;
    for (unsigned try = 0; try < TRIES; try++) {
        if (sample(first, century) && sample(second, century) &&
            memcmp(first, second, sizeof(first)) == 0)
            return convert(date, first, read_register(REG_B), century != 0);
        time_delay_us(SAMPLE_US);
    }
    return false;
}
