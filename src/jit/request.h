/* request.h - what is asked for (layout: fluid/jit.h), with every field checked. */
#ifndef JIT_REQUEST_H
#define JIT_REQUEST_H

#include <string>
#include <vector>

#include "fluid/jit.h"

namespace jit {

struct Request {
    unsigned level; // 0 .. 3
    uint32_t machine;
    uint32_t input_kind;
    uint32_t flags;
    uint32_t kernel_abi;
    uint32_t rank;
    std::string name, target;
    uint8_t source[MOD_SOURCE_SIZE];
    uint64_t cpu_bits;                // of the features
    std::string llvm_features;        // "+sse,+sse2"
    std::vector<std::string> entries; // of bitcode, none: all that are exported
    std::vector<struct jit_constant> constants;
    std::string input;
};

/* Reads one request from standard input and sets the limits that it names; refuses a bad one. */
Request read_request();

} // namespace jit
#endif
