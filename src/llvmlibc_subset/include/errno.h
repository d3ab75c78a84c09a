/* errno.h - one errno for the kernel, and one for each module that brings its own functions. */
#ifndef LLVMLIBC_SUBSET_ERRNO_H
#define LLVMLIBC_SUBSET_ERRNO_H

#define ENOMEM 12
#define EINVAL 22
#define EDOM 33
#define ERANGE 34

#ifndef __cplusplus /* llvm-libc declares it for itself */
int *__llvm_libc_errno(void);
#endif
#define errno (*__llvm_libc_errno())

#endif
