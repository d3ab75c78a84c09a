/* coverage.h - between instrumented modules and the kernel, or fluid-host with check=coverage:
 * where a module's counters lie. The compiler puts them into sections whose bounds a process gets
 * from its linker; a module has a loader instead, so it tells them itself when its initialisers
 * run. */
#ifndef FLUID_COVERAGE_H
#define FLUID_COVERAGE_H

struct fluid_coverage { /* begin and end of sections, see profile/InstrProfData.inc of LLVM */
    const char *data_begin, *data_end;
    const char *counters_begin, *counters_end;
    const char *names_begin, *names_end;
};

/* Imported by modules; the ranges stay readable as long as the module is loaded. */
void fluid_coverage_add(const struct fluid_coverage *ranges);

#endif
