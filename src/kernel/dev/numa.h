/* numa.h - memory that is nearer to this processor than other memory is given out first. */
#ifndef KERNEL_DEV_NUMA_H
#define KERNEL_DEV_NUMA_H

/* Looks for the SRAT; without one, or with a damaged one (E-ACPI-08, a warning), all memory is
 * alike. */
void numa_init(void);
/* One line per piece of memory, for /mem; none without nodes. */
void numa_print(void);

#endif
