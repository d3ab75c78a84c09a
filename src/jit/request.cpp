/* request.cpp - reading a request. Nothing in it is believed before it was checked. */
#include "request.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "cpu_names.h"
#include "limits.h"
#include "response.h"

namespace jit {

[[noreturn]] static void bad_field(const std::string &what, uint64_t found) {
    refuse(JIT_BAD_FIELD, "request: " + what + " expected, found " + std::to_string(found) +
                              "; write it as fluid/jit.h says");
}

static void expect(bool good, const char *what, uint64_t found) {
    if (!good)
        bad_field(what, found);
}

/* Bytes that came before the end. */
static size_t read_all(char *data, size_t size) {
    size_t have = 0;
    while (have < size) {
        ssize_t got = read(STDIN_FILENO, data + have, size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    return have;
}

/* The head and what belongs to it; checked access to its tables. */
class Raw {
  public:
    Raw();
    struct jit_request head;

    /* count records of a type. */
    template <typename T> std::vector<T> table(const char *what, uint32_t count, uint32_t off) {
        std::vector<T> found;
        check(what, (uint64_t)count * sizeof(T), off);
        found.resize(count);
        if (count)
            memcpy(found.data(), data_.data() + off, count * sizeof(T));
        return found;
    }

    std::string bytes(const char *what, uint32_t size, uint32_t off) {
        check(what, size, off);
        return data_.substr(off, size);
    }

    std::vector<std::string> names(const char *what, uint32_t count, uint32_t off);

  private:
    void check(const char *what, uint64_t size, uint32_t off) {
        if (off > data_.size() || size > data_.size() - off)
            bad_field(std::string(what) + " within the request", off);
    }

    std::string data_, strings_;
};

Raw::Raw() {
    size_t have = read_all((char *)&head, sizeof(head));
    if (have < sizeof(head) || head.magic != JIT_REQUEST_MAGIC)
        refuse(JIT_BAD_MAGIC, "a request expected on standard input, found " +
                                  std::to_string(have) + " bytes of something else or less");
    if (head.version_major != JIT_VERSION_MAJOR)
        refuse(JIT_BAD_VERSION, "request of version " + std::to_string(JIT_VERSION_MAJOR) +
                                    " expected, found " + std::to_string(head.version_major) +
                                    "; use the compiler of this image");
    expect(head.file_size >= sizeof(head) && head.file_size <= JIT_REQUEST_MAX,
           "a file_size between the head's and 16 MiB", head.file_size);
    expect(head.header_size >= sizeof(head) && head.header_size <= head.file_size,
           "a header_size within the request", head.header_size);
    expect(head.memory_bytes >= JIT_MEMORY_MIN && head.memory_bytes <= JIT_MEMORY_MAX,
           "a memory limit between 16 MiB and 4 GiB", head.memory_bytes);
    expect(head.cpu_seconds >= 1 && head.cpu_seconds <= JIT_CPU_SECONDS_MAX,
           "a CPU time limit between 1 and 3600 s", head.cpu_seconds);
    set_limits(head.memory_bytes, head.cpu_seconds);
    data_.resize(head.file_size);
    memcpy(&data_[0], &head, sizeof(head));
    size_t rest = head.file_size - sizeof(head);
    have = read_all(&data_[sizeof(head)], rest);
    expect(have == rest, "as many bytes as file_size says", have + sizeof(head));
    strings_ = bytes("strings", head.string_size, head.string_off);
    expect(strings_.empty() || strings_.back() == 0, "a NUL at the end of strings",
           head.string_size);
}

std::vector<std::string> Raw::names(const char *what, uint32_t count, uint32_t off) {
    std::vector<std::string> found;
    for (uint32_t at : table<uint32_t>(what, count, off)) {
        expect(at < strings_.size(), "an offset within the strings", at);
        found.emplace_back(strings_.c_str() + at);
        for (unsigned char c : found.back())
            expect(c > ' ' && c <= '~', "names of printable characters", c);
    }
    return found;
}

/* A NUL-padded field: a name as modlayout.py's check_name wants it. */
static std::string padded(const char *what, const char *field, size_t size) {
    std::string text(field, strnlen(field, size));
    bool good = !text.empty() && text.size() < size && text[0] != '.' && text[0] != '-';
    for (size_t i = 0; i < text.size(); i++)
        good &= isalnum((unsigned char)text[i]) || strchr("_.-", text[i]);
    for (size_t i = text.size(); i < size; i++)
        good &= field[i] == 0;
    if (!good)
        bad_field(std::string(what) + " of letters, digits, '_', '.' or '-', padded with NUL",
                  text.size());
    return text;
}

static void check_constant(const struct jit_constant &c, size_t entries) {
    expect(c.entry < entries, "the index of an entry point", c.entry);
    expect(c.size == 1 || c.size == 2 || c.size == 4 || c.size == 8,
           "a constant of 1, 2, 4 or 8 bytes", c.size);
    expect(c.size == 8 || c.value >> (8 * c.size) == 0, "a value that fits its size", c.value);
}

Request read_request() {
    Raw raw;
    const struct jit_request &head = raw.head;
    Request r = {};
    expect(head.level <= JIT_LEVEL_MAX, "a level of 0 to 3", head.level);
    expect(head.machine == MOD_MACHINE_I386 || head.machine == MOD_MACHINE_X86_64,
           "a machine of 3 or 62", head.machine);
    expect(head.input <= JIT_INPUT_OBJECT, "an input of 0 or 1", head.input);
    expect((head.flags & ~(uint32_t)JIT_FLAGS) == 0, "no flags but 1 and 2", head.flags);
    expect(head.reserved == 0, "zero in reserved fields", head.reserved);
    r.level = head.level;
    r.machine = head.machine;
    r.input_kind = head.input;
    r.flags = head.flags;
    r.kernel_abi = head.kernel_abi;
    r.rank = head.rank;
    r.name = padded("a name", head.name, sizeof(head.name));
    r.target = padded("a target", head.target, sizeof(head.target));
    memcpy(r.source, head.source, sizeof(r.source));
    std::vector<std::string> features = raw.names("features", head.feature_count, head.feature_off);
    r.cpu_bits = feature_bits(features);
    r.llvm_features = llvm_features(features);
    r.entries = raw.names("entry points", head.entry_count, head.entry_off);
    r.constants =
        raw.table<struct jit_constant>("constants", head.constant_count, head.constant_off);
    for (const struct jit_constant &c : r.constants)
        check_constant(c, r.entries.size());
    r.input = raw.bytes("input", head.input_size, head.input_off);
    return r;
}

} // namespace jit
