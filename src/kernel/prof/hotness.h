/* hotness.h - the export of everything that was measured, as one `hotness` event
 * (docs/formats.md). */
#ifndef KERNEL_PROF_HOTNESS_H
#define KERNEL_PROF_HOTNESS_H

void hotness_export(void);
void hotness_reset(void); /* all counts are zero again */
#endif
