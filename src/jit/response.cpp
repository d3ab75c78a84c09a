/* response.cpp - writing the answer with nothing but system calls: it must work in signal handlers
 * and without memory. Exits with status 1 when the answer cannot be written. */
#include "response.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <unistd.h>

namespace jit {

static Phase now = Phase::Parse;
static uint64_t started, spent[3]; // ns of CPU time

static uint64_t cpu_time() {
    struct timespec time;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void begin(Phase phase) {
    uint64_t time = cpu_time();
    spent[(int)now] += time - started;
    started = time;
    now = phase;
}

static void write_all(const char *data, size_t size) {
    while (size) {
        ssize_t done = write(STDOUT_FILENO, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            _exit(1);
        data += done;
        size -= (size_t)done;
    }
}

[[noreturn]] static void respond(enum jit_status status, const char *text, size_t text_size,
                                 const char *mod, size_t mod_size) {
    signal(SIGXCPU, SIG_IGN); // no second answer inside of this one; the hard limit stands
    begin(now);
    struct jit_response head = {};
    head.magic = JIT_RESPONSE_MAGIC;
    head.version_major = JIT_VERSION_MAJOR;
    head.version_minor = JIT_VERSION_MINOR;
    head.header_size = sizeof(head);
    head.file_size = (uint32_t)(sizeof(head) + mod_size + text_size);
    head.status = status;
    head.parse_ns = spent[(int)Phase::Parse];
    head.optimise_ns = spent[(int)Phase::Optimise];
    head.generate_ns = spent[(int)Phase::Generate];
    head.mod_size = (uint32_t)mod_size;
    head.mod_off = sizeof(head);
    head.text_size = (uint32_t)text_size;
    head.text_off = (uint32_t)(sizeof(head) + mod_size);
    write_all((const char *)&head, sizeof(head));
    write_all(mod, mod_size);
    write_all(text, text_size);
    _exit(0);
}

void refuse(enum jit_status status, const std::string &text) {
    respond(status, text.data(), text.size(), nullptr, 0);
}

void refuse_plainly(enum jit_status status, const char *text) {
    respond(status, text, strlen(text), nullptr, 0);
}

void answer(const std::string &mod) {
    respond(JIT_OK, nullptr, 0, mod.data(), mod.size());
}

} // namespace jit
