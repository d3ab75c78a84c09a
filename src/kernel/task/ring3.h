/* ring3.h - a task whose program runs in ring 3: what the rest of the kernel lets it do. There is
 * none on i686 and in fluid-host, where no processor comes to ring 3 through the kernel. */
#ifndef KERNEL_TASK_RING3_H
#define KERNEL_TASK_RING3_H

struct task;
struct trap_frame;

/* Called with interrupts off, but system_call; the first two by task_arch_switch, in the task that
 * is left. */
struct ring3 {
    void (*arrive)(struct task *task); /* it gets the processor: page tables, stack, FS.base */
    void (*leave)(struct task *task);  /* the kernel's page tables again */
    /* An exception, or the end of an interrupt, in ring 3: the frame says where it goes on. */
    void (*fault)(struct trap_frame *frame);
    void (*interrupted)(struct trap_frame *frame);
    void (*system_call)(struct trap_frame *frame);
};
#endif
