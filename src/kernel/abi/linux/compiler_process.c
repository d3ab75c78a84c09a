/* compiler_process.c - JIT.ELF of the model's partition as this machine's compiler.
 *
 * At boot only its first page is read: headers and build ID. The whole file comes with the first
 * compilation and stays, so that the next one needs no disk; its pages are the program's own
 * read-only ones. Where less than KEEP_FREE is left for everybody else it is given back. */
#include "abi/linux/compiler_process.h"

#include "abi/linux/elf.h"
#include "abi/linux/program_file.h"
#include "abi/linux/space.h"
#include "arch/x86/clock.h"
#include "console/event.h"
#include "fluid/jit.h"
#include "jit/compiler.h"
#include "jit/compiler_file.h"
#include "jit/elf_note.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "task/task.h"

#define KEEP_FREE (64u << 20)   /* bytes */
#define NEEDED_FREE (48u << 20) /* beside the file: what a large module takes, and its output */
#define OUTPUT_MAX JIT_REQUEST_MAX
#define GRACE_SECONDS 2u /* behind jit.elf's own limit, which has an answer */

static struct program_file file;
static struct mutex file_lock; /* also: one compilation at a time */
static struct compiler compiler;
static struct linux_result last;

const struct linux_result *compiler_process_last(void) {
    return &last;
}

static int need_file(struct fluid_error *err) {
    struct fat16 *files;
    struct fat16_entry entry;
    if (file.bytes != NULL)
        return 0;
    return compiler_file_find(&files, &entry, err) < 0
               ? -1
               : program_file_read(&file, files, &entry, err);
}

static int no_answer(struct fluid_error *err) {
    char how[96];
    linux_end_format(&last, how, sizeof(how));
    return fluid_fail(err, "E-JIT-30",
                      "an answer of jit.elf expected, found %s (%s); keep the code that is there",
                      how, last.said);
}

static int run(const void *request, size_t size, uint8_t **response, size_t *got,
               struct fluid_error *err) {
    struct jit_request head;
    if (size < sizeof(head))
        return fluid_fail(err, "E-JIT-30", "a request of %zu bytes at least expected, found %zu",
                          sizeof(head), size);
    memcpy(&head, request, sizeof(head));
    const struct linux_limits limits = {
        .memory = head.memory_bytes < JIT_MEMORY_MAX ? head.memory_bytes : JIT_MEMORY_MAX,
        .cpu_ns = ((uint64_t)head.cpu_seconds + GRACE_SECONDS) * CLOCK_NS_PER_S,
        .output = OUTPUT_MAX,
    };
    if (need_file(err) < 0 || linux_run(compiler.name, file.bytes, file.size, request, size,
                                        response, got, &limits, &last, err) < 0)
        return -1;
    if (last.end == LINUX_EXITED && last.number == 0 && *got > 0)
        return 0;
    kfree(*response);
    *response = NULL;
    return no_answer(err);
}

static int compile(const void *request, size_t size, uint8_t **response, size_t *got,
                   struct fluid_error *err) {
    *response = NULL;
    mutex_lock(&file_lock);
    int status = run(request, size, response, got, err);
    if ((uint64_t)pages_available() * PAGE_SIZE < KEEP_FREE)
        program_file_free(&file);
    mutex_unlock(&file_lock);
    return status;
}

static struct compiler compiler = {.name = "jit.elf", .compile = compile};

static int check_head(const uint8_t *page, size_t size, uint32_t file_size,
                      struct fluid_error *err) {
    static const struct elf_range range = {SPACE_START, SPACE_END};
    struct elf_program program;
    uint64_t needed = (uint64_t)file_size + NEEDED_FREE;
    if (elf_check(page, size, file_size, &range, &program, err) < 0)
        return -1;
    if (elf_build_id(page, size, compiler.toolchain, sizeof(compiler.toolchain), err) < 0)
        return -1;
    if ((uint64_t)pages_available() * PAGE_SIZE < needed)
        return fluid_fail(err, "E-JIT-33",
                          "%llu MiB of free memory expected for " COMPILER_FILE
                          ", found %llu MiB; modules "
                          "stay as the build has compiled them",
                          (unsigned long long)(needed >> 20),
                          (unsigned long long)pages_available() * PAGE_SIZE >> 20);
    return 0;
}

void compiler_process_init(void) {
    struct fluid_error err;
    struct fat16 *files;
    struct fat16_entry entry;
    size_t size;
    if (compiler_file_find(&files, &entry, &err) < 0)
        return; /* most have none */
    uint8_t *head = compiler_file_head(files, &entry, &size, &err);
    if (head != NULL && check_head(head, size, entry.size, &err) == 0)
        compiler_set(&compiler);
    else
        report_warn(&err);
    kfree(head);
}
