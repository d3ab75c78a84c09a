/* pipeline.cpp - the pass pipeline and the code generator. */
#include "pipeline.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include "response.h"

namespace jit {

static llvm::OptimizationLevel optimization(unsigned level) {
    const llvm::OptimizationLevel levels[] = {
        llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1, llvm::OptimizationLevel::O2,
        llvm::OptimizationLevel::O3};
    return levels[level];
}

/* -ffreestanding: no function of a library is there because of its name. */
static llvm::TargetLibraryInfoImpl no_library(const llvm::TargetMachine &machine) {
    llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
    library.disableAllFunctions();
    return library;
}

/* As clang's BackendUtil.cpp and CompilerInvocation.cpp set them; LLVM's own defaults are others.
 */
static llvm::PipelineTuningOptions tuning(unsigned level) {
    llvm::PipelineTuningOptions options;
    options.LoopUnrolling = level >= 2;
    options.LoopInterleaving = level >= 2;
    options.LoopVectorization = level >= 2;
    options.SLPVectorization = level >= 2;
    return options;
}

/* What values in the code make constant, dead or equal. */
static llvm::FunctionPassManager use_what_is_known() {
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass());
    return passes;
}

/* The build has simplified the bitcode as far as that goes by the code alone (clang's
 * -flto=thin): what is left is what depends on the machine, unless values have become known since.
 */
static llvm::ModulePassManager pipeline(llvm::PassBuilder &builder, unsigned level,
                                        bool specialised) {
    if (level == 0)
        return builder.buildO0DefaultPipeline(optimization(level));
    llvm::ModulePassManager passes;
    if (specialised)
        passes.addPass(llvm::createModuleToFunctionPassAdaptor(use_what_is_known()));
    passes.addPass(builder.buildModuleOptimizationPipeline(
        optimization(level), llvm::ThinOrFullLTOPhase::ThinLTOPostLink));
    return passes;
}

void optimise(llvm::Module &module, llvm::TargetMachine &machine, unsigned level,
              bool specialised) {
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager calls;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder(&machine, tuning(level));
    functions.registerPass([&] { return llvm::TargetLibraryAnalysis(no_library(machine)); });
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(calls);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, calls, modules);
    llvm::ModulePassManager passes;
    passes.addPass(llvm::GlobalDCEPass()); // what no entry point needs is not worth the time
    passes.addPass(pipeline(builder, level, specialised));
    passes.run(module, modules);
}

std::string generate(llvm::Module &module, llvm::TargetMachine &machine) {
    llvm::SmallVector<char, 0> object;
    llvm::raw_svector_ostream stream(object);
    llvm::legacy::PassManager passes;
    passes.add(new llvm::TargetLibraryInfoWrapperPass(no_library(machine)));
    if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
        refuse(JIT_BAD_CODE, "an LLVM that writes object files expected, found one that does not");
    passes.run(module);
    return std::string(object.data(), object.size());
}

} // namespace jit
