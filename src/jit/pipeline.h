/* pipeline.h - LLVM's passes: from bitcode as the front end made it to an object file. */
#ifndef JIT_PIPELINE_H
#define JIT_PIPELINE_H

#include <string>

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

namespace jit {

/* The passes that clang runs at this level (0 .. 3) on bitcode that it has simplified for ThinLTO;
 * all of them again where values have become known. */
void optimise(llvm::Module &module, llvm::TargetMachine &machine, unsigned level, bool specialised);

/* A relocatable ELF object. */
std::string generate(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace jit
#endif
