/* stack_protector.h - functions of the kernel that have arrays find out before they return when
 * their frame was overwritten (-fstack-protector-strong): a panic. Modules are compiled without. */
#ifndef KERNEL_ARCH_X86_STACK_PROTECTOR_H
#define KERNEL_ARCH_X86_STACK_PROTECTOR_H

/* Picks this boot's canary. No protected function may be active that is to return. */
void stack_protector_init(void);

#endif
