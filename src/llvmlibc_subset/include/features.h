/* features.h - llvm-libc asks for it to know a C library by its macros: there is none here. */
