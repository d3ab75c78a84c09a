/* maps.c - the mappings of this process as Linux tells them: proc(5), /proc/pid/maps. A line is
 * "start-end rwxp ...", numbers in hexadecimal. */
#include <fcntl.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "mm/paging.h"

struct reader {
    int fd;
    size_t used, count;
    char buffer[1024];
};

/* The next character, -1 at the end. */
static int next(struct reader *r) {
    if (r->used == r->count) {
        ssize_t n = read(r->fd, r->buffer, sizeof r->buffer);
        if (n <= 0)
            return -1;
        r->count = (size_t)n;
        r->used = 0;
    }
    return (unsigned char)r->buffer[r->used++];
}

/* Reads a number and the one character behind it; false at the end of the file. */
static bool read_hex(struct reader *r, uintptr_t *value) {
    *value = 0;
    for (;;) {
        int c = next(r);
        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (uintptr_t)(c - 'a' + 10);
        else
            return c >= 0;
    }
}

static unsigned read_flags(struct reader *r) {
    int readable = next(r), writable = next(r), executable = next(r);
    unsigned flags = (writable == 'w' ? PAGE_W : 0) | (executable == 'x' ? PAGE_X : 0);
    return readable == 'r' || flags != 0 ? flags : PAGE_NONE;
}

bool maps_each(maps_visit_fn *visit, void *context) {
    struct reader r = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    uintptr_t start, end;
    if (r.fd < 0)
        return false;
    while (read_hex(&r, &start) && read_hex(&r, &end)) {
        int c;
        if (!visit(start, end, read_flags(&r), context))
            break;
        do {
            c = next(&r);
        } while (c >= 0 && c != '\n');
    }
    close(r.fd);
    return true;
}
