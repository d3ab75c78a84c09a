/* limits.cpp - limits of memory and time, and what happens at them.
 *
 * LLVM has no way back from a fatal error (llvm/Support/ErrorHandling.h), and C++ without
 * exceptions none from a failed allocation: each ends the program with an answer. What it cannot
 * answer to (an assertion of LLVM's, a stack overflow, a fault) kills it: the caller takes that as
 * a refusal, too. */
#include "limits.h"

#include <csignal>
#include <new>
#include <sys/resource.h>

#include <llvm/Support/ErrorHandling.h>

#include "response.h"

namespace jit {

static void no_memory() {
    refuse_plainly(JIT_NO_MEMORY,
                   "the compilation was expected to fit into the memory limit, and does not; raise "
                   "it or compile less at a time");
}

static void llvm_no_memory(void *, const char *, bool) {
    no_memory();
}

static void fatal(void *, const char *reason, bool) {
    refuse(JIT_BAD_CODE, std::string("code that LLVM can compile expected, found: ") + reason +
                             "; keep the code that is there");
}

static void no_time(int) {
    refuse_plainly(JIT_NO_TIME,
                   "the compilation was expected to end within the CPU time limit, and has not; "
                   "raise it or take a lower level");
}

void install_handlers() {
    std::set_new_handler(no_memory);
    llvm::install_bad_alloc_error_handler(llvm_no_memory);
    llvm::install_fatal_error_handler(fatal);
    signal(SIGXCPU, no_time);
}

static void set_limit(int resource, const char *what, uint64_t soft, uint64_t hard) {
    struct rlimit limit;
    limit.rlim_cur = soft;
    limit.rlim_max = hard;
    if (setrlimit((__rlimit_resource)resource, &limit) != 0)
        refuse(JIT_NO_LIMIT, std::string("a limit of ") + what + " (" + std::to_string(soft) +
                                 ") expected, the system sets none; lower it");
}

void set_limits(uint64_t memory_bytes, uint32_t cpu_seconds) {
    set_limit(RLIMIT_AS, "memory", memory_bytes, memory_bytes);
    set_limit(RLIMIT_CPU, "CPU time", cpu_seconds, cpu_seconds + 1); // then it is killed
    set_limit(RLIMIT_CORE, "core files", 0, 0);
}

} // namespace jit
