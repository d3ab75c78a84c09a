/* response.h - the answer, and the ways in which the program ends.
 *
 * There is one answer to one request: who cannot go on calls refuse(), from wherever it is. */
#ifndef JIT_RESPONSE_H
#define JIT_RESPONSE_H

#include <string>

#include "fluid/jit.h"

namespace jit {

enum class Phase { Parse, Optimise, Generate };

/* CPU time from here on belongs to `phase`; it was Parse from the start of the program. */
void begin(Phase phase);

/* Answers with an error in one sentence (expected, found, what to do) and ends with status 0. */
[[noreturn]] void refuse(enum jit_status status, const std::string &text);

/* The same from a signal handler, or where there is no memory left; text is static. */
[[noreturn]] void refuse_plainly(enum jit_status status, const char *text);

/* Answers with the .mod and ends with status 0. */
[[noreturn]] void answer(const std::string &mod);

} // namespace jit
#endif
