/* ranges.c - linked into an instrumented module: tells the kernel where its counters are. */
#include "fluid/coverage.h"

#define HIDDEN __attribute__((visibility("hidden")))

extern const char coverage_data_begin[] HIDDEN, coverage_data_end[] HIDDEN;
extern const char coverage_counters_begin[] HIDDEN, coverage_counters_end[] HIDDEN;
extern const char coverage_names_begin[] HIDDEN, coverage_names_end[] HIDDEN;

static const struct fluid_coverage ranges = {
    coverage_data_begin,   coverage_data_end,    coverage_counters_begin,
    coverage_counters_end, coverage_names_begin, coverage_names_end,
};

__attribute__((constructor)) static void tell(void) {
    fluid_coverage_add(&ranges);
}
