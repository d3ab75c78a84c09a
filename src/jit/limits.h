/* limits.h - how much of the machine one compilation may take. */
#ifndef JIT_LIMITS_H
#define JIT_LIMITS_H

#include <cstdint>

namespace jit {

/* Turns what would end the program (LLVM's fatal errors, no memory, SIGXCPU) into answers. */
void install_handlers();

/* From here on: address space in bytes, and CPU seconds of the whole program. */
void set_limits(uint64_t memory_bytes, uint32_t cpu_seconds);

} // namespace jit
#endif
