/* calls_files.c - three descriptors, all of them pipes: the input, the output, and 2 for words that
 * a report of the program's end repeats. No file has a name. */
#include "abi/linux/process_internal.h"

#include "lib/string.h"
#include "mm/heap.h"
#include "mm/pages.h"

#define DESCRIPTORS 3u
#define AT_EMPTY_PATH 0x1000u
#define S_IFIFO 0010000u
#define TRANSFER_MAX 0x7ffff000u /* as Linux has it (read(2)) */
#define CHUNK 65536u             /* of output, at first */

struct stat { /* asm/stat.h */
    uint64_t dev, ino, links;
    uint32_t mode, uid, gid, pad;
    uint64_t rdev, size, block_size, blocks, times[6];
    uint64_t unused[3];
};
_Static_assert(sizeof(struct stat) == 144, "struct stat of Linux on x86-64");

int64_t call_read(struct process *p, const uint64_t a[6]) {
    size_t left = p->input_size - p->input_at, n = a[2] < left ? a[2] : left;
    if (a[0] != 0)
        return -LINUX_EBADF;
    n = n < TRANSFER_MAX ? n : TRANSFER_MAX;
    int error = process_put(p, a[1], p->input + p->input_at, n);
    if (error < 0)
        return error;
    p->input_at += n;
    return (int64_t)n;
}

static void make_room(struct process *p, size_t more) {
    size_t needed = p->output_size + more, room = p->output_room > 0 ? p->output_room : CHUNK;
    if (needed > p->limits.output)
        process_end(p, LINUX_TOO_MUCH, 0);
    if (needed <= p->output_room)
        return;
    while (room < needed)
        room *= 2;
    uint8_t *output = krealloc(p->output, room);
    if (output == NULL)
        process_end(p, LINUX_TOO_MUCH, 0);
    p->output = output;
    p->output_room = room;
}

static int write_output(struct process *p, uint64_t from, size_t n) {
    make_room(p, n);
    int error = process_get(p, p->output + p->output_size, from, n);
    if (error == 0)
        p->output_size += n;
    return error;
}

/* Text for people, without what a terminal would obey. */
static int write_said(struct process *p, uint64_t from, size_t n) {
    size_t room = LINUX_SAID_SIZE - 1 - p->said;
    char *to = p->result->said + p->said;
    n = n < room ? n : room;
    int error = process_get(p, to, from, n);
    for (size_t i = 0; i < n && error == 0; i++)
        if (to[i] < ' ' || to[i] > '~')
            to[i] = ' ';
    p->said += error == 0 ? n : 0;
    return error;
}

int64_t call_write(struct process *p, const uint64_t a[6]) {
    size_t n = a[2] < TRANSFER_MAX ? a[2] : TRANSFER_MAX;
    if (a[0] != 1 && a[0] != 2)
        return -LINUX_EBADF;
    int error = a[0] == 1 ? write_output(p, a[1], n) : write_said(p, a[1], n);
    return error < 0 ? error : (int64_t)n;
}

int64_t call_lseek(struct process *p, const uint64_t a[6]) {
    (void)p;
    return a[0] < DESCRIPTORS ? -LINUX_ESPIPE : -LINUX_EBADF;
}

static int64_t put_stat(struct process *p, uint64_t descriptor, uint64_t to) {
    const struct stat stat = {
        .ino = descriptor + 1, .links = 1, .mode = S_IFIFO | 0600, .block_size = PAGE_SIZE};
    return descriptor < DESCRIPTORS ? process_put(p, to, &stat, sizeof(stat)) : -LINUX_EBADF;
}

int64_t call_fstat(struct process *p, const uint64_t a[6]) {
    return put_stat(p, a[0], a[1]);
}

int64_t call_newfstatat(struct process *p, const uint64_t a[6]) {
    char name;
    int error = process_get(p, &name, a[1], 1);
    if (error < 0)
        return error;
    return name == '\0' && a[3] & AT_EMPTY_PATH ? put_stat(p, a[0], a[2]) : -LINUX_ENOENT;
}

int64_t call_readlink(struct process *p, const uint64_t a[6]) {
    (void)p;
    (void)a;
    return -LINUX_ENOENT;
}
