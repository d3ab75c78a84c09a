/* main.cpp - jit.elf: compiles one module's bitcode for this machine.
 *
 * Reads a request (fluid/jit.h) from standard input, writes a response with the .mod to standard
 * output. Looks at nothing else: no file, no environment, not the processor that it runs on. So
 * equal requests have equal answers, but for the times in them. */
#include "bitcode.h"
#include "elf_object.h"
#include "limits.h"
#include "mod_writer.h"
#include "pipeline.h"
#include "response.h"
#include "specialise.h"

static std::string compile(jit::Request &request) {
    llvm::LLVMContext context;
    auto machine = jit::make_machine(request);
    auto module = jit::read_bitcode(request, *machine, context);
    jit::begin(jit::Phase::Optimise);
    jit::specialise(*module, request);
    jit::optimise(*module, *machine, request.level, !request.constants.empty());
    jit::begin(jit::Phase::Generate);
    return jit::generate(*module, *machine);
}

int main() {
    jit::install_handlers();
    jit::Request request = jit::read_request();
    bool compiled = request.input_kind == JIT_INPUT_OBJECT;
    std::string object = compiled ? request.input : compile(request);
    jit::ObjectParts parts = jit::read_object(object, request);
    jit::answer(jit::write_mod(parts, request));
}
