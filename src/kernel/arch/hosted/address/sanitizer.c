/* sanitizer.c - fluid-host under AddressSanitizer and UndefinedBehaviorSanitizer (check=address):
 * modules import the sanitizers' functions, which are those of this process, and findings end it as
 * a panic does. */
#include <dlfcn.h>
#include <string.h>

#include "load/kapi.h"

/* Faults are reported by fault.c, on its own stack; 37 is what QEMU makes of FLUID_EXIT_PANIC. */
const char *__asan_default_options(void);
__attribute__((visibility("default"), used)) const char *__asan_default_options(void) {
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:use_sigaltstack=0:"
           "detect_leaks=0:exitcode=37";
}

/* The linker's --wrap=kapi_resolve puts this function in front of kapi.c's. */
void *__real_kapi_resolve(const char *name);
void *__wrap_kapi_resolve(const char *name);

void *__wrap_kapi_resolve(const char *name) {
    void *address = __real_kapi_resolve(name);
    if (!address && (strncmp(name, "__asan_", 7) == 0 || strncmp(name, "__ubsan_", 8) == 0))
        address = dlsym(RTLD_DEFAULT, name);
    return address;
}
