/* bitcode.cpp - reading bitcode and fitting it to a machine.
 *
 * Bitcode carries the flags that its sources were compiled with as attributes of functions; those
 * of the request take their place, so that the same bitcode serves any set of features that its
 * source was preprocessed for. */
#include "bitcode.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/TargetParser/Triple.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include "response.h"

// Not llvm/Support/TargetSelect.h: that asks for every back end.
extern "C" {
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
void LLVMInitializeX86AsmParser(); // of inline assembly
}

namespace jit {

static const char *triple(const Request &request) {
    return request.machine == MOD_MACHINE_X86_64 ? "x86_64-unknown-none-elf"
                                                 : "i686-unknown-none-elf";
}

/* What the features come on top of: levels' march in cpufeatures.py. */
static const char *cpu(const Request &request) {
    return request.machine == MOD_MACHINE_X86_64 ? "x86-64" : "i686";
}

std::unique_ptr<llvm::TargetMachine> make_machine(const Request &request) {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    std::string error;
    const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple(request), error);
    if (!target)
        refuse(JIT_BAD_CODE, "LLVM with a back end for x86 expected, found: " + error);
    llvm::TargetOptions options;
    options.AllowFPOpFusion = llvm::FPOpFusion::Strict; // -ffp-contract=off: all variants' bits
    std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
        triple(request), cpu(request), request.llvm_features, options, llvm::Reloc::Static,
        llvm::CodeModel::Small, (llvm::CodeGenOptLevel)request.level, /*JIT=*/false));
    machine->setO0WantsFastISel(true);
    return machine;
}

/* Errors of the back end (a call that it cannot lower) come as diagnostics. */
static void on_diagnostic(const llvm::DiagnosticInfo *info, void *) {
    if (info->getSeverity() != llvm::DS_Error)
        return;
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info->print(printer);
    refuse(JIT_BAD_CODE,
           "code that LLVM can compile expected, found: " + text + "; keep the code that is there");
}

static void set_attributes(llvm::Function &function, const Request &request) {
    function.addFnAttr("target-cpu", cpu(request));
    function.addFnAttr("tune-cpu", "generic");
    function.addFnAttr("target-features", request.llvm_features);
    function.removeFnAttr(llvm::Attribute::NoRedZone);
    if (request.flags & JIT_FLAG_NO_RED_ZONE)
        function.addFnAttr(llvm::Attribute::NoRedZone);
    function.addFnAttr("frame-pointer", request.flags & JIT_FLAG_FRAME_POINTER ? "all" : "none");
}

/* Functions that are there for others: FLUID_EXPORT's `used`. */
static std::vector<std::string> exported(const llvm::Module &module) {
    llvm::SmallVector<llvm::GlobalValue *, 8> used;
    for (bool compiler : {false, true})
        llvm::collectUsedGlobalVariables(module, used, compiler);
    std::vector<std::string> names;
    for (const llvm::GlobalValue *value : used)
        if (llvm::isa<llvm::Function>(value) && value->hasExternalLinkage())
            names.push_back(value->getName().str());
    if (names.empty())
        refuse(JIT_BAD_ENTRY, "an exported function in the bitcode expected, found none; name one");
    return names;
}

static void check_entries(const llvm::Module &module, const Request &request) {
    for (const std::string &name : request.entries) {
        const llvm::Function *function = module.getFunction(name);
        if (!function || function->isDeclaration())
            refuse(JIT_BAD_ENTRY,
                   "a function '" + name + "' in the bitcode expected, found none; name another");
    }
}

/* All but the entry points may be inlined and dropped. */
static void hide(llvm::Module &module, const Request &request) {
    for (const char *list : {"llvm.used", "llvm.compiler.used"}) // FLUID_EXPORT's `used`
        if (llvm::GlobalVariable *used = module.getNamedGlobal(list))
            used->eraseFromParent();
    llvm::internalizeModule(module, [&](const llvm::GlobalValue &value) {
        for (const std::string &name : request.entries)
            if (value.getName() == name)
                return true;
        return false;
    });
}

std::unique_ptr<llvm::Module> read_bitcode(Request &request, llvm::TargetMachine &machine,
                                           llvm::LLVMContext &context) {
    context.setDiagnosticHandlerCallBack(on_diagnostic);
    auto read = llvm::parseBitcodeFile(llvm::MemoryBufferRef(request.input, request.name), context);
    if (!read)
        refuse(JIT_BAD_BITCODE, "bitcode of LLVM 19 expected, found: " +
                                    llvm::toString(read.takeError()) + "; build the module again");
    std::unique_ptr<llvm::Module> module = std::move(*read);
    std::string why;
    llvm::raw_string_ostream stream(why);
    if (llvm::verifyModule(*module, &stream))
        refuse(JIT_BAD_BITCODE,
               "valid bitcode expected, found: " + why + "; build the module again");
    llvm::Triple found(module->getTargetTriple());
    if (found.getArch() != machine.getTargetTriple().getArch() ||
        module->getDataLayout() != machine.createDataLayout())
        refuse(JIT_BAD_MACHINE, "bitcode for " + std::string(triple(request)) +
                                    " expected, found it for " + module->getTargetTriple() +
                                    "; use that of the machine's own modules");
    module->setTargetTriple(triple(request));
    if (request.entries.empty())
        request.entries = exported(*module);
    check_entries(*module, request);
    hide(*module, request);
    for (llvm::Function &function : *module)
        if (!function.isDeclaration())
            set_attributes(function, request);
    return module;
}

} // namespace jit
