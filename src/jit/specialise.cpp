/* specialise.cpp - constants of a request in the code of its entry points.
 *
 *     attention(args):           attention.special(args):        attention.general(args):
 *       args->head_dim == 64 ?     assume(args->head_dim == 64)    as it was
 *         special : general        as it was
 *
 * A field is not replaced where it is read: somebody might write to the structure in between. The
 * assumption holds where the function begins, and LLVM carries it as far as it can prove. The
 * general code is for who calls a slot of one shape with another: it has to be right, and is not
 * worth the time that it takes to make it fast. */
#include "specialise.h"

#include <algorithm>
#include <map>

#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include "response.h"

namespace jit {

using Constants = std::vector<struct jit_constant>;

[[noreturn]] static void bad(const llvm::Function &function, const std::string &expected) {
    refuse(JIT_BAD_CONSTANT, "constant for " + function.getName().str() + ": " + expected +
                                 " expected, found none there; plan without it");
}

/* Whether the entry point reads an integer of this many bytes at this place of the structure that
 * the argument points to. Bitcode does not say what that is; a function that does not look there
 * itself is not given a constant. */
static bool reads_field(llvm::Argument &argument, uint32_t off, uint32_t size) {
    llvm::Function &function = *argument.getParent();
    const llvm::DataLayout &layout = function.getParent()->getDataLayout();
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
        auto *load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
        if (load == nullptr || !load->getType()->isIntegerTy(8 * size))
            continue;
        llvm::APInt at(layout.getIndexTypeSizeInBits(argument.getType()), 0);
        const llvm::Value *base = load->getPointerOperand()->stripAndAccumulateConstantOffsets(
            layout, at, /*AllowNonInbounds=*/false);
        if (base == &argument && at == off)
            return true;
    }
    return false;
}

static void check(llvm::Function &function, const struct jit_constant &c) {
    if (function.isVarArg() || c.argument >= function.arg_size())
        bad(function, "argument " + std::to_string(c.argument));
    const llvm::Type *type = function.getArg(c.argument)->getType();
    if (c.field_off == JIT_WHOLE_ARGUMENT) {
        if (!type->isIntegerTy(8 * c.size))
            bad(function, "an integer argument of " + std::to_string(c.size) + " bytes");
        return;
    }
    if (!type->isPointerTy())
        bad(function, "a pointer as argument " + std::to_string(c.argument));
    if (!reads_field(*function.getArg(c.argument), c.field_off, c.size))
        bad(function, "that it reads an integer of " + std::to_string(c.size) + " bytes at " +
                          std::to_string(c.field_off));
}

/* The value that is compared: the argument, or the field that is read for that. */
static llvm::Value *actual(llvm::IRBuilder<> &at, llvm::Function &function,
                           const struct jit_constant &c) {
    llvm::Argument *argument = function.getArg(c.argument);
    if (c.field_off == JIT_WHOLE_ARGUMENT)
        return argument;
    llvm::Value *place = at.CreateConstInBoundsGEP1_64(at.getInt8Ty(), argument, c.field_off);
    return at.CreateAlignedLoad(at.getIntNTy(8 * c.size), place, llvm::Align(1));
}

static llvm::Value *all_equal(llvm::IRBuilder<> &at, llvm::Function &function,
                              const Constants &constants) {
    llvm::Value *all = at.getTrue();
    for (const struct jit_constant &c : constants) {
        llvm::Value *equal =
            at.CreateICmpEQ(actual(at, function, c), at.getIntN(8 * c.size, c.value));
        all = at.CreateAnd(all, equal);
    }
    return all;
}

/* At its start the copy may take it for granted. */
static void assume(llvm::Function &copy, const Constants &constants) {
    llvm::IRBuilder<> at(&copy.getEntryBlock(), copy.getEntryBlock().getFirstInsertionPt());
    for (const struct jit_constant &c : constants) {
        llvm::Constant *value = at.getIntN(8 * c.size, c.value);
        if (c.field_off == JIT_WHOLE_ARGUMENT)
            copy.getArg(c.argument)->replaceAllUsesWith(value);
        else {
            copy.addParamAttr(c.argument, llvm::Attribute::NoAlias);
            at.CreateAssumption(at.CreateICmpEQ(actual(at, copy, c), value));
        }
    }
}

/* Functions of the module that `function` refers to, directly or not, itself in front. */
static std::vector<llvm::Function *> reachable(llvm::Function &function) {
    std::vector<llvm::Function *> found = {&function};
    for (size_t n = 0; n < found.size(); n++)
        for (llvm::Instruction &instruction : llvm::instructions(*found[n]))
            for (llvm::Value *operand : instruction.operands())
                if (auto *used = llvm::dyn_cast<llvm::Function>(operand))
                    if (used->hasLocalLinkage() && !used->isDeclaration() &&
                        std::find(found.begin(), found.end(), used) == found.end())
                        found.push_back(used);
    return found;
}

/* A copy of `function` with copies of all that it calls: shared with the general code they would
 * be of no use, for what is known would end at each call of one. */
static llvm::Function *copy_with_callees(llvm::Function &function) {
    std::map<llvm::Value *, llvm::Function *> copies;
    for (llvm::Function *original : reachable(function)) {
        llvm::ValueToValueMapTy map;
        copies[original] = llvm::CloneFunction(original, map);
        copies[original]->setName(original->getName() + ".special");
    }
    for (auto &pair : copies)
        for (llvm::Instruction &instruction : llvm::instructions(*pair.second))
            for (llvm::Use &operand : instruction.operands())
                if (auto copy = copies.find(operand); copy != copies.end())
                    operand.set(copy->second);
    return copies[&function];
}

/* Calls `body` with the arguments of `function` and returns what it does. */
static void forward(llvm::IRBuilder<> &at, llvm::Function &function, llvm::Function &body) {
    std::vector<llvm::Value *> arguments;
    for (llvm::Argument &argument : function.args())
        arguments.push_back(&argument);
    llvm::CallInst *call = at.CreateCall(&body, arguments);
    call->setCallingConv(body.getCallingConv());
    call->setAttributes(body.getAttributes().removeFnAttributes(body.getContext()));
    if (llvm::none_of(function.args(), [](auto &argument) { return argument.hasByValAttr(); }))
        call->setTailCall(); // no copies of structures in this frame
    if (call->getType()->isVoidTy())
        at.CreateRetVoid();
    else
        at.CreateRet(call);
}

static void guard(llvm::Function &function, const Constants &constants) {
    std::string name = function.getName().str();
    for (const struct jit_constant &c : constants)
        check(function, c);
    function.setName(name + ".general");
    llvm::Function *entry = llvm::Function::Create(
        function.getFunctionType(), function.getLinkage(), name, function.getParent());
    entry->copyAttributesFrom(&function);
    function.replaceAllUsesWith(entry); // those inside of the module go through the guard, too
    function.setLinkage(llvm::GlobalValue::InternalLinkage);
    function.setVisibility(llvm::GlobalValue::DefaultVisibility);
    llvm::Function *special = copy_with_callees(function);
    special->setName(name + ".special");
    assume(*special, constants);
    for (llvm::Function *body : {&function, special}) {
        body->removeFnAttr(llvm::Attribute::AlwaysInline);
        body->addFnAttr(llvm::Attribute::NoInline); // each with the registers that it needs
    }
    function.addFnAttr(llvm::Attribute::OptimizeNone);
    llvm::LLVMContext &context = function.getContext();
    auto *start = llvm::BasicBlock::Create(context, "", entry);
    auto *equal = llvm::BasicBlock::Create(context, "", entry);
    auto *other = llvm::BasicBlock::Create(context, "", entry);
    llvm::IRBuilder<> at(start);
    at.CreateCondBr(all_equal(at, *entry, constants), equal, other);
    at.SetInsertPoint(equal);
    forward(at, *entry, *special);
    at.SetInsertPoint(other);
    forward(at, *entry, function);
}

void specialise(llvm::Module &module, const Request &request) {
    for (size_t n = 0; n < request.entries.size(); n++) {
        Constants constants;
        for (const struct jit_constant &c : request.constants)
            if (c.entry == n)
                constants.push_back(c);
        if (!constants.empty())
            guard(*module.getFunction(request.entries[n]), constants);
    }
}

} // namespace jit
