/* heap_account.c - how much of the heap is whose. */
#include "mm/heap_account.h"

#include <stdbool.h>

#include "lib/panic.h"

static struct heap_account accounts[HEAP_ACCOUNTS];
static bool open[HEAP_ACCOUNTS];
static size_t taken;

unsigned heap_open_account(void) {
    for (unsigned i = HEAP_KERNEL + 1; i < HEAP_ACCOUNTS; i++) {
        if (open[i] || accounts[i].blocks > 0)
            continue;
        open[i] = true;
        accounts[i] = (struct heap_account){0};
        return i;
    }
    return HEAP_KERNEL;
}

struct heap_account heap_close_account(unsigned number) {
    open[number] = false;
    return number != HEAP_KERNEL ? accounts[number] : (struct heap_account){0};
}

const struct heap_account *heap_account(unsigned number) {
    return &accounts[number];
}

void heap_charge(unsigned number, size_t size) {
    struct heap_account *a = &accounts[number];
    taken++;
    a->blocks++;
    a->live += size;
    if (a->live > a->peak)
        a->peak = a->live;
}

void heap_discharge(unsigned number, size_t size) {
    struct heap_account *a = &accounts[number];
    KASSERT(a->blocks > 0 && a->live >= size);
    a->blocks--;
    a->live -= size;
}

size_t heap_taken(void) {
    return taken;
}

size_t heap_used(void) {
    size_t used = 0;
    for (unsigned i = 0; i < HEAP_ACCOUNTS; i++)
        used += accounts[i].live;
    return used;
}
