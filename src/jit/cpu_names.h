/* cpu_names.h - CPU features of a request: names of fluid/cpu.h, which are LLVM's. */
#ifndef JIT_CPU_NAMES_H
#define JIT_CPU_NAMES_H

#include <cstdint>
#include <string>
#include <vector>

namespace jit {

/* Bits for the header of a .mod; refuses a name that cpu.h does not have. */
uint64_t feature_bits(const std::vector<std::string> &names);

/* The value of LLVM's function attribute "target-features". Nothing is added but what the names
 * mean: the machine that runs the code is never looked at. */
std::string llvm_features(const std::vector<std::string> &names);

} // namespace jit
#endif
