/* compiler_process.c (hosted) - jit.elf of the image, as a child process that Linux runs wherever
 * there is room. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/x86/clock.h"
#include "console/event.h"
#include "jit/compiler.h"
#include "jit/compiler_file.h"
#include "jit/elf_note.h"
#include "mm/heap.h"
#include "task/task.h"

#define LOOK_NS 500000u                   /* between two looks at the child */
#define ANSWER_MAX (16u << 20)            /* bytes */
#define PATIENCE_NS (90 * CLOCK_NS_PER_S) /* it limits its own CPU time; this is if it sleeps */
#define ENDING_NS CLOCK_NS_PER_S
#define MEMORY_MAX (512ull << 20) /* it limits its own memory, to less; this is if it does not */
#define CPU_SECONDS 90u           /* the same of its time, also when this process is no more */
#define NICENESS 5                /* where all processors are busy, a quarter of one */

static int program = -1; /* a file in memory: what the image has */
static struct compiler own;
static pid_t running; /* 0: no child is */

/* A run of the child. */
struct run {
    pid_t child;
    int to, from; /* our ends of its standard input and output; -1: closed */
    const uint8_t *request;
    size_t size, sent;
    uint8_t *answer;
    size_t got, capacity;
};

static int fail(struct fluid_error *err, const char *what, const char *found) {
    return fluid_fail(err, "E-JIT-30",
                      "an answer of jit.elf expected, found %s (%s); the code that is there stays",
                      what, found);
}

static int cannot_start(struct fluid_error *err, const char *what, int error) {
    return fluid_fail(err, "E-JIT-33",
                      "%s for jit.elf expected, found: %s; the code that is there stays", what,
                      strerror(error));
}

static void close_end(int *end) {
    if (*end >= 0)
        close(*end);
    *end = -1;
}

static int spawn(struct run *run, struct fluid_error *err) {
    int to[2], from[2];
    char path[40], *arguments[] = {(char *)"jit.elf", NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t pipe_signal; /* which this process ignores */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    if (pipe2(to, O_CLOEXEC) != 0)
        return cannot_start(err, "a pipe", errno);
    if (pipe2(from, O_CLOEXEC) != 0) {
        close(to[0]), close(to[1]);
        return cannot_start(err, "a pipe", errno);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", program);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(&run->child, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]), close(from[1]);
    run->to = to[1], run->from = from[0];
    fcntl(run->to, F_SETFL, O_NONBLOCK);
    fcntl(run->from, F_SETFL, O_NONBLOCK);
    if (error == 0) {
        running = run->child;
        const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, time = {CPU_SECONDS, CPU_SECONDS};
        prlimit(run->child, RLIMIT_AS, &memory, NULL);
        prlimit(run->child, RLIMIT_CPU, &time, NULL);
        cpus_release_process(run->child);
        setpriority(PRIO_PROCESS, (id_t)run->child, NICENESS);
        return 0;
    }
    close_end(&run->to), close_end(&run->from);
    return cannot_start(err, "a process", error);
}

/* What can be written now; a child that reads no more says why when it ends. */
static void feed(struct run *run) {
    if (run->to < 0)
        return;
    ssize_t n = write(run->to, run->request + run->sent, run->size - run->sent);
    run->sent += n > 0 ? (size_t)n : 0;
    if (run->sent == run->size || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&run->to);
}

/* What can be read now. -1: it is too much. */
static int drain(struct run *run, struct fluid_error *err) {
    for (;;) {
        if (run->got == run->capacity) {
            size_t capacity = run->capacity ? 2 * run->capacity : 64u << 10;
            uint8_t *more = capacity <= ANSWER_MAX ? krealloc(run->answer, capacity) : NULL;
            if (!more)
                return fail(err, "more than there is memory for", "bytes");
            run->answer = more;
            run->capacity = capacity;
        }
        ssize_t n = read(run->from, run->answer + run->got, run->capacity - run->got);
        if (n < 0)
            return 0; /* nothing yet */
        if (n == 0) {
            close_end(&run->from);
            return 0;
        }
        run->got += (size_t)n;
    }
}

/* Until it has closed its output. */
static int talk(struct run *run, struct fluid_error *err) {
    uint64_t give_up = clock_ns() + PATIENCE_NS;
    while (run->from >= 0) {
        feed(run);
        if (drain(run, err) != 0)
            return -1;
        if (clock_ns() > give_up)
            return fail(err, "none within 90 seconds", "killed");
        if (run->from >= 0)
            task_sleep_until(clock_ns() + LOOK_NS);
    }
    return 0;
}

/* 0 when it has ended well. Once it has closed its output there is nothing left for it to do. */
static int reap(struct run *run, bool kill_it, struct fluid_error *err) {
    int status = 0;
    char how[48];
    uint64_t give_up = clock_ns() + ENDING_NS;
    while (waitpid(run->child, &status, WNOHANG) == 0) {
        if (kill_it || clock_ns() > give_up)
            kill(run->child, SIGKILL);
        task_sleep_until(clock_ns() + LOOK_NS);
    }
    running = 0;
    if (kill_it || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return 0;
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof how, "exit status %d", WEXITSTATUS(status));
    return fail(err, "its end", how);
}

/* The file in memory, which a process can be made of: once, with the first compilation. */
static int need_program(struct fluid_error *err) {
    struct fat16 *files;
    struct fat16_entry entry;
    if (program >= 0)
        return 0;
    if (compiler_file_find(&files, &entry, err) < 0)
        return -1;
    int file = memfd_create(COMPILER_FILE, MFD_CLOEXEC);
    void *bytes = MAP_FAILED;
    if (file >= 0 && ftruncate(file, entry.size) == 0)
        bytes = mmap(NULL, entry.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED) {
        int error = errno;
        close_end(&file);
        return cannot_start(err, "memory for " COMPILER_FILE, error);
    }
    if (fat16_read(files, &entry, bytes, entry.size, NULL, err) != 0)
        close_end(&file);
    munmap(bytes, entry.size);
    program = file;
    return program >= 0 ? 0 : -1;
}

static int compile(const void *request, size_t size, uint8_t **response, size_t *got,
                   struct fluid_error *err) {
    struct run run = {.request = request, .size = size, .to = -1, .from = -1};
    if (need_program(err) != 0 || spawn(&run, err) != 0)
        return -1;
    int talked = talk(&run, err);
    close_end(&run.to), close_end(&run.from);
    if (reap(&run, talked != 0, err) != 0 || talked != 0) {
        kfree(run.answer);
        return -1;
    }
    *response = run.answer;
    *got = run.got;
    return 0;
}

void compiler_process_stop(void) {
    if (running == 0)
        return;
    kill(running, SIGKILL);
    waitpid(running, NULL, 0);
}

void compiler_process_init(void) {
    struct fat16 *files;
    struct fluid_error err = {0};
    struct fat16_entry entry;
    size_t size;
    if (compiler_file_find(&files, &entry, &err) < 0)
        return; /* images without jit=1 have none */
    uint8_t *head = compiler_file_head(files, &entry, &size, &err);
    if (!head || elf_build_id(head, size, own.toolchain, sizeof own.toolchain, &err) != 0) {
        report_warn(&err);
        kfree(head);
        return;
    }
    kfree(head);
    signal(SIGPIPE, SIG_IGN); /* a child that ends early is told of by its status */
    own.name = "jit.elf";
    own.compile = compile;
    compiler_set(&own);
}
