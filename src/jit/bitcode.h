/* bitcode.h - from bytes to LLVM's intermediate representation for the requested machine. */
#ifndef JIT_BITCODE_H
#define JIT_BITCODE_H

#include <memory>

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include "request.h"

namespace jit {

/* LLVM's code generator as the request wants it. */
std::unique_ptr<llvm::TargetMachine> make_machine(const Request &request);

/* The module of the request's bitcode, verified, with the attributes that the request's machine,
 * features and flags ask for; nothing but the entry points is visible from outside. A request that
 * names none gets all functions that are exported. */
std::unique_ptr<llvm::Module> read_bitcode(Request &request, llvm::TargetMachine &machine,
                                           llvm::LLVMContext &context);

} // namespace jit
#endif
