/* specialise.h - code for the values that an entry point is called with most of the time. */
#ifndef JIT_SPECIALISE_H
#define JIT_SPECIALISE_H

#include <llvm/IR/Module.h>

#include "request.h"

namespace jit {

/* Gives each entry point that the request has constants for a copy in which these are known, and
 * a guard in front that calls it, or the general code when a value is another. */
void specialise(llvm::Module &module, const Request &request);

} // namespace jit
#endif
