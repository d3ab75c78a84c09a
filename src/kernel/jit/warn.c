/* warn.c - what the task that compiles has to say. */
#include "console/console.h"
#include "console/event.h"
#include "jit/tier_internal.h"
#include "lib/string.h"

void jit_warn(const struct fluid_error *err) {
    console_aside_begin();
    report_warn(err);
    console_aside_end();
}

/* No memory, nobody who compiles, a disk that cannot be read, or a host that has gone (E-JIT-50 and
 * following). */
bool jit_lacks(const struct fluid_error *err) {
    static const char *const codes[] = {"E-JIT-33", "E-JIT-36", "E-JIT-5",
                                        "E-MOD-10", "E-FAT-",   "E-DISK-"};
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strncmp(err->code, codes[i], strlen(codes[i])) == 0)
            return true;
    return false;
}
