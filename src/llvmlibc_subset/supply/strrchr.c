/* strrchr.c - llvm-libc 19 does not find the NUL, which C17 7.24.5.5 counts as part of the text. */
#include <string.h>

char *strrchr(const char *text, int c) {
    return memrchr(text, c, strlen(text) + 1);
}
