/* errno.c - errno of the process under the name that modules import. */
#include <errno.h>

int *__llvm_libc_errno(void);

int *__llvm_libc_errno(void) {
    return &errno;
}
