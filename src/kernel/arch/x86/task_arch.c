/* task_arch.c - the stack that a task begins on, and switching. */
#include "task/task_arch.h"

#include "arch/x86/extended.h"
#include "arch/x86/sections.h"
#include "task/ring3.h"
#include "task/stack.h"

#define MARGIN 1024u /* of the boot stack, below the frame that paints it */

#ifdef __x86_64__
#define KEPT 6 /* registers that task_switch pops */
#else
#define KEPT 4
#endif

/* Tells AddressSanitizer which stack is in use; elsewhere nothing. */
#if defined(__has_feature) && __has_feature(address_sanitizer)
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom, size_t *size);
static void announce(const struct task *to) {
    __sanitizer_start_switch_fiber(NULL, to->stack, to->stack_size); /* no fake stacks: flags.py */
}
static void arrive(void) {
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}
#else
static void announce(const struct task *to) {
    (void)to;
}
static void arrive(void) {
}
#endif

void task_switch(uintptr_t *left, uintptr_t stack_pointer); /* task_switch.S */
void task_entry(void);
void task_arch_begin(void);

void task_arch_begin(void) {
    arrive();
    task_begin();
}

void task_arch_adopt(struct task *task) {
    task->stack = (uint8_t *)kernel_stack_bottom;
    task->stack_size = (size_t)(kernel_stack_top - kernel_stack_bottom);
    stack_paint(task->stack, (const uint8_t *)__builtin_frame_address(0) - MARGIN);
}

void task_arch_prepare(struct task *task) {
    uintptr_t *top = (uintptr_t *)(task->stack + task->stack_size);
    /* 16-byte aligned where task_entry calls; the zero frame pointer ends backtraces. */
    uintptr_t *frame = top - 4 - KEPT - 1;
    for (unsigned i = 0; i < KEPT; i++)
        frame[i] = 0;
    frame[KEPT] = (uintptr_t)task_entry;
    task->stack_pointer = (uintptr_t)frame;
}

void task_arch_switch(struct task *from, struct task *to) {
    extended_save(from->extended);
    extended_restore(to->extended);
    if (from->ring3 != NULL)
        from->ring3->leave(from);
    if (to->ring3 != NULL)
        to->ring3->arrive(to);
    announce(to);
    task_switch(&from->stack_pointer, to->stack_pointer);
    arrive();
}
