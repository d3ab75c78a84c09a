/* fault_task.h - the double-fault task needs the page tables that are current when it is entered.
 */
#ifndef KERNEL_ARCH_I686_FAULT_TASK_H
#define KERNEL_ARCH_I686_FAULT_TASK_H

#include <stdint.h>

void fault_task_set_cr3(uint32_t cr3);

#endif
