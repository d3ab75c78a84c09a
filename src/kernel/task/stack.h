/* stack.h - stacks of tasks, with a page below them that is absent, and how much of one was ever
 * used. */
#ifndef KERNEL_TASK_STACK_H
#define KERNEL_TASK_STACK_H

#include <stddef.h>
#include <stdint.h>

/* The lowest byte of a stack of size bytes, whole pages; NULL: no memory. */
uint8_t *stack_allocate(size_t size);
void stack_free(uint8_t *stack, size_t size);
/* Fills the part from stack up to end with a pattern that use destroys. */
void stack_paint(uint8_t *stack, const uint8_t *end);
/* Bytes from the lowest one without the pattern to the end of the stack. */
size_t stack_used(const uint8_t *stack, size_t size);
#endif
