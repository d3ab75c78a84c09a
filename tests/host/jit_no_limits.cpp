// jit_no_limits.cpp - for jit.elf with AddressSanitizer, whose shadow needs more address space than
// any request allows: linked with --wrap=setrlimit.

extern "C" int __wrap_setrlimit(int, const void *) {
    return 0;
}
