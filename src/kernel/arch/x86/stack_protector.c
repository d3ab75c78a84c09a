/* stack_protector.c - the canary and what is called when it has changed. The names are the
 * compiler's (-mstack-protector-guard=global). */
#include "arch/x86/stack_protector.h"

#include <stdint.h>

#include "arch/x86/random.h"
#include "lib/panic.h"

uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

/* The lowest byte stays zero: no text that runs over can contain it. */
__attribute__((no_stack_protector)) void stack_protector_init(void) {
    __stack_chk_guard = (uintptr_t)cpu_random() << 8;
}

_Noreturn void __stack_chk_fail(void) {
    panic("stack: the canary of the function at %p expected to be whole, found overwritten",
          __builtin_return_address(0));
}
