// runtime.cpp - what compiled C++ expects of its surroundings, linked into every module that is
// written in it: new and delete on the kernel's heap, destructors of static objects, and the call
// of a pure virtual function. Neither exceptions nor RTTI; local statics are not guarded against
// several cores (-fno-threadsafe-statics). Names and order: Itanium C++ ABI, 3.2.6 and 3.3.6.
#include <new>

#include "fluid/kapi.h"

namespace {

constexpr std::size_t default_align =
    16; // what new promises without a request (__STDCPP_DEFAULT_...)

// Static objects whose constructors have run, newest first.
struct Exit {
    Exit *next;
    void (*destroy)(void *);
    void *object;
};

Exit *exits;

// There is nothing to return and nobody to catch: the call ends with E-MOD-16, and the report's
// backtrace shows who wanted memory.
void *required(void *memory) {
    if (memory == nullptr)
        __builtin_trap();
    return memory;
}

// Objects of size 0 have addresses of their own.
void *allocate(std::size_t size, std::size_t align) {
    return fluid_alloc(size != 0 ? size : 1, align > default_align ? align : default_align);
}

} // namespace

void *operator new(std::size_t size) {
    return required(allocate(size, default_align));
}

void *operator new[](std::size_t size) {
    return required(allocate(size, default_align));
}

void *operator new(std::size_t size, const std::nothrow_t &) noexcept {
    return allocate(size, default_align);
}

void *operator new[](std::size_t size, const std::nothrow_t &) noexcept {
    return allocate(size, default_align);
}

void *operator new(std::size_t size, std::align_val_t align) {
    return required(allocate(size, static_cast<std::size_t>(align)));
}

void *operator new[](std::size_t size, std::align_val_t align) {
    return required(allocate(size, static_cast<std::size_t>(align)));
}

void operator delete(void *memory) noexcept {
    fluid_free(memory);
}

void operator delete[](void *memory) noexcept {
    fluid_free(memory);
}

void operator delete(void *memory, std::size_t) noexcept {
    fluid_free(memory);
}

void operator delete[](void *memory, std::size_t) noexcept {
    fluid_free(memory);
}

void operator delete(void *memory, std::align_val_t) noexcept {
    fluid_free(memory);
}

void operator delete[](void *memory, std::align_val_t) noexcept {
    fluid_free(memory);
}

void operator delete(void *memory, std::size_t, std::align_val_t) noexcept {
    fluid_free(memory);
}

void operator delete[](void *memory, std::size_t, std::align_val_t) noexcept {
    fluid_free(memory);
}

extern "C" {

// Identifies the module in calls of __cxa_atexit.
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;

// Remembers the destructor of a static object that has just been constructed.
int __cxa_atexit(void (*destroy)(void *), void *object, void *) {
    exits = new Exit{exits, destroy, object};
    return 0;
}

// A pure virtual function was called, in a constructor or destructor of its class.
[[noreturn]] void __cxa_pure_virtual() {
    __builtin_trap();
}

[[noreturn]] void __cxa_deleted_virtual() {
    __builtin_trap();
}
}

// The module is unloaded. Linked last, this is called before functions with the attribute of C.
__attribute__((destructor)) static void destroy_statics() {
    while (exits != nullptr) {
        Exit *last = exits;
        exits = last->next; // a destructor may construct another local static
        last->destroy(last->object);
        delete last;
    }
}
