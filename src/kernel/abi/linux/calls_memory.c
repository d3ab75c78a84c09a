/* calls_memory.c - mmap, munmap, mprotect, brk: private memory that is empty at first. Nothing that
 * was not in the program's file becomes executable. */
#include "abi/linux/process_internal.h"

#include "mm/pages.h"

#define PROT_READ 1u
#define PROT_WRITE 2u
#define PROT_EXEC 4u
#define MAP_PRIVATE 0x02u
#define MAP_FIXED 0x10u
#define MAP_ANONYMOUS 0x20u
#define MAP_STACK 0x20000u
#define MAP_NORESERVE 0x4000u
#define MAP_FLAGS (MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE)

#define STACK_ROOM (16ull << 20) /* the stack, and as much below it that stays free */

static unsigned flags_of(uint64_t prot) {
    return prot & PROT_WRITE ? PAGE_W : prot & PROT_READ ? PAGE_R : PAGE_NONE;
}

/* Whole pages; 0: too many. */
static uint64_t whole(uint64_t size) {
    return size <= SPACE_END ? (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1) : 0;
}

static bool fits(const struct process *p, uint64_t more) {
    return p->space.reserved <= p->memory_limit && more <= p->memory_limit - p->space.reserved;
}

int64_t call_mmap(struct process *p, const uint64_t a[6]) {
    uint64_t start = a[0], size = whole(a[1]), prot = a[2], flags = a[3];
    if (size == 0 || (flags & ~(uint64_t)MAP_FLAGS) != 0 || !(flags & MAP_PRIVATE) ||
        !(flags & MAP_ANONYMOUS) || prot > (PROT_READ | PROT_WRITE | PROT_EXEC))
        return -LINUX_EINVAL;
    if (prot & PROT_EXEC)
        return -LINUX_EACCES;
    if (!(flags & MAP_FIXED))
        start = space_find(&p->space, size, SPACE_END - STACK_ROOM);
    else if (!space_is_range(start, size))
        return -LINUX_EINVAL;
    uint64_t replaced = flags & MAP_FIXED ? space_covered(&p->space, start, start + size) : 0;
    if (start == 0 || !fits(p, size - replaced))
        return -LINUX_ENOMEM;
    const struct region region = {.start = start, .end = start + size, .flags = flags_of(prot)};
    if ((replaced > 0 && !space_remove(&p->space, start, start + size)) ||
        !space_add(&p->space, &region))
        return -LINUX_ENOMEM;
    return (int64_t)start;
}

int64_t call_munmap(struct process *p, const uint64_t a[6]) {
    uint64_t size = whole(a[1]);
    if (!space_is_range(a[0], size))
        return -LINUX_EINVAL;
    return space_remove(&p->space, a[0], a[0] + size) ? 0 : -LINUX_ENOMEM;
}

int64_t call_mprotect(struct process *p, const uint64_t a[6]) {
    uint64_t size = whole(a[1]);
    if (a[1] == 0)
        return 0;
    if (!space_is_range(a[0], size) || a[2] > (PROT_READ | PROT_WRITE | PROT_EXEC))
        return -LINUX_EINVAL;
    if (a[2] & PROT_EXEC)
        return -LINUX_EACCES;
    return space_protect(&p->space, a[0], a[0] + size, flags_of(a[2])) ? 0 : -LINUX_ENOMEM;
}

static uint64_t page_up(uint64_t address) {
    return (address + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/* An error is the old end. */
int64_t call_brk(struct process *p, const uint64_t a[6]) {
    uint64_t wanted = a[0], old = page_up(p->heap_end);
    if (wanted < p->heap_start || wanted > SPACE_END)
        return (int64_t)p->heap_end;
    uint64_t new = page_up(wanted);
    const struct region more = {.start = old, .end = new, .flags = PAGE_W};
    if (new > old && (!fits(p, new - old) || !space_add(&p->space, &more)))
        return (int64_t)p->heap_end;
    if (new < old && !space_remove(&p->space, new, old))
        return (int64_t)p->heap_end;
    p->heap_end = wanted;
    return (int64_t)wanted;
}
