/* status.c - the texts of the status line. */
#include "console/status.h"

#include "console/model.h"
#include "dev/vga.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pages.h"

#define MIB (1024u * 1024u)
#define BAR_COLUMNS 40u
#define FULL_BLOCK "\xe2\x96\x88"  /* U+2588 */
#define LIGHT_SHADE "\xe2\x96\x91" /* U+2591 */
#define BAR_LINE " \xe2\x94\x82 "  /* U+2502 */
#define TEXT_MAX 320

static int64_t speed; /* 0: nothing was generated yet */

static size_t append(char *text, size_t used, const char *more) {
    int n = ksnprintf(text + used, TEXT_MAX - used, "%s", more);
    size_t all = used + (size_t)n;

    return all < TEXT_MAX ? all : TEXT_MAX - 1;
}

void status_progress(const char *what, unsigned percent) {
    char text[TEXT_MAX], number[16];
    size_t used = append(text, append(text, 0, " "), what);

    used = append(text, used, "  ");
    for (unsigned i = 0; i < BAR_COLUMNS; i++)
        used = append(text, used, i < percent * BAR_COLUMNS / 100 ? FULL_BLOCK : LIGHT_SHADE);
    ksnprintf(number, sizeof(number), " %3u%%", percent);
    used = append(text, used, number);
    vga_status(text, used);
}

void status_speed(int64_t tps_micro) {
    speed = tps_micro;
}

void status_update(void) {
    const struct model *model = model_current();
    uint64_t total = (uint64_t)pages_total() * PAGE_SIZE;
    uint64_t used = total - (uint64_t)pages_available() * PAGE_SIZE;
    const char *variant = model_variant();
    char text[TEXT_MAX], part[64];
    size_t length;

    ksnprintf(part, sizeof(part), " %.28s", model ? model->info.name : "no model");
    length = append(text, 0, part);
    ksnprintf(part, sizeof(part), BAR_LINE "T0 %s", variant ? variant : "none");
    length = append(text, length, part);
    if (speed > 0) {
        ksnprintf(part, sizeof(part), BAR_LINE "%lld.%02lld tok/s", (long long)(speed / 1000000),
                  (long long)(speed / 10000 % 100));
        length = append(text, length, part);
    }
    ksnprintf(part, sizeof(part), BAR_LINE "%llu of %llu MiB", (unsigned long long)(used / MIB),
              (unsigned long long)(total / MIB));
    length = append(text, length, part);
    vga_status(text, length);
}
