/* stack.c - a stack that runs full faults in its guard page; the high-water mark tells how near it
 * came. */
#include "task/stack.h"

#include "mm/pages.h"
#include "mm/paging.h"
#include "mm/poison.h"

#define PATTERN 0x5a5a5a5au /* no address, and no small number */

uint8_t *stack_allocate(size_t size) {
    uint8_t *guard = pages_alloc_for(PAGES_STACKS, size / PAGE_SIZE + 1, PAGE_SIZE, 0);
    if (guard == NULL)
        return NULL;
    unpoison(guard, size + PAGE_SIZE);
    paging_protect(guard, PAGE_SIZE, PAGE_NONE);
    stack_paint(guard + PAGE_SIZE, guard + PAGE_SIZE + size);
    return guard + PAGE_SIZE;
}

void stack_free(uint8_t *stack, size_t size) {
    unpoison(stack, size); /* frames that were left by ending the task */
    paging_protect(stack - PAGE_SIZE, PAGE_SIZE, PAGE_W);
    pages_free(stack - PAGE_SIZE, size / PAGE_SIZE + 1);
}

POISON_IGNORED void stack_paint(uint8_t *stack, const uint8_t *end) {
    for (volatile uint32_t *at = (volatile uint32_t *)stack; (const uint8_t *)(at + 1) <= end; at++)
        *at = PATTERN;
}

POISON_IGNORED size_t stack_used(const uint8_t *stack, size_t size) {
    const volatile uint32_t *at = (const volatile uint32_t *)stack;
    size_t words = size / sizeof(*at), free = 0;
    while (free < words && at[free] == PATTERN)
        free++;
    return size - free * sizeof(*at);
}
