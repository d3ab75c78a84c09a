/* request.c - the bytes of requests and responses. */
#include "jit/request.h"

#include "arch/x86/cpu.h"
#include "fluid/cpu.h"
#include "jit/compiler.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"
#include "mm/heap.h"

#define FEATURES_MAX 32u /* bits of enum fluid_cpu_feature */
#define NAMES_SIZE 320u  /* all of their names, and an entry point's */
#define MEMORY (256ull << 20)
#define CPU_SECONDS 60u

#ifdef __x86_64__
#define MACHINE MOD_MACHINE_X86_64
#else
#define MACHINE MOD_MACHINE_I386
#endif

/* Parts of a request behind its head, each aligned to 8. */
struct parts {
    uint32_t feature[FEATURES_MAX], features;
    uint32_t entry;
    char strings[NAMES_SIZE];
    uint32_t string_size;
};

/* Instructions with the encodings of AVX clear the upper halves of vectors, those of before leave
 * them, and mixing both costs dearly. */
#define AVX                                                                                        \
    (FLUID_CPU_AVX | FLUID_CPU_F16C | FLUID_CPU_FMA | FLUID_CPU_AVX2 | FLUID_CPU_AVX512F |         \
     FLUID_CPU_AVX512BW | FLUID_CPU_AVX512CD | FLUID_CPU_AVX512DQ | FLUID_CPU_AVX512VL |           \
     FLUID_CPU_AVX512VNNI)

/* All that this processor has; but bitcode of before AVX, whose instructions some sources name
 * themselves, is compiled without it. */
static uint64_t features_for(const struct loaded_module *m) {
    uint64_t usable = cpu_info()->features;
    return module_bitcode_cpu(m) & FLUID_CPU_AVX ? usable : usable & ~(uint64_t)AVX;
}

/* Names are separated by NULs instead of spaces: so they are strings already. */
static bool collect(struct parts *parts, const struct loaded_module *m, const char *entry) {
    size_t length = cpu_feature_names(features_for(m), parts->strings, NAMES_SIZE);
    size_t room = entry ? strlen(entry) + 1 : 0;
    if (length + 1 + room > NAMES_SIZE)
        return false;
    for (size_t at = 0; at < length; at++) {
        if (at == 0 || parts->strings[at - 1] == '\0')
            parts->feature[parts->features++] = (uint32_t)at;
        if (parts->strings[at] == ' ')
            parts->strings[at] = '\0';
    }
    parts->entry = (uint32_t)length + 1;
    if (entry)
        memcpy(parts->strings + parts->entry, entry, room);
    parts->string_size = parts->entry + (uint32_t)room;
    return true;
}

static uint32_t place(uint32_t *end, size_t size) {
    uint32_t at = (*end + 7) / 8 * 8;
    *end = at + (uint32_t)size;
    return at;
}

static void fill_head(struct jit_request *head, const struct jit_job *job) {
    const struct loaded_module *m = job->module;
    head->magic = JIT_REQUEST_MAGIC;
    head->version_major = JIT_VERSION_MAJOR;
    head->version_minor = JIT_VERSION_MINOR;
    head->header_size = sizeof *head;
    head->level = job->level;
    head->machine = MACHINE;
    head->input = JIT_INPUT_BITCODE;
    head->flags = JIT_FLAG_NO_RED_ZONE | JIT_FLAG_FRAME_POINTER;
    head->memory_bytes = MEMORY;
    head->cpu_seconds = CPU_SECONDS;
    head->kernel_abi = FLUID_KERNEL_ABI;
    head->rank = module_rank(m);
    memcpy(head->name, module_name(m), sizeof head->name);
    ksnprintf(head->target, sizeof head->target, "O%u", job->level);
    memcpy(head->source, module_source(m), sizeof head->source);
}

/* Offsets of all parts; file_size is that of the whole. */
static void lay_out(struct jit_request *head, const struct parts *parts, uint32_t entries,
                    uint32_t constants, size_t bitcode) {
    uint32_t end = sizeof *head;
    head->feature_count = parts->features;
    head->feature_off = place(&end, parts->features * sizeof parts->feature[0]);
    head->entry_count = entries;
    head->entry_off = place(&end, entries * sizeof parts->entry);
    head->constant_count = constants;
    head->constant_off = place(&end, constants * sizeof(struct jit_constant));
    head->string_size = parts->string_size;
    head->string_off = place(&end, parts->string_size);
    head->input_size = (uint32_t)bitcode;
    head->input_off = place(&end, bitcode);
    head->file_size = end;
}

static void *no_memory(struct fluid_error *err, size_t size) {
    fluid_fail(
        err, "E-JIT-33",
        "%zu KiB of memory for a request to the compiler expected, found less; the code that "
        "is there stays",
        size / 1024 + 1);
    return NULL;
}

void *jit_request(const struct jit_job *job, size_t *size, struct fluid_error *err) {
    size_t bitcode_size;
    const void *bitcode = module_bitcode(job->module, &bitcode_size);
    struct jit_request head = {0};
    struct parts parts = {0};
    if (!bitcode || bitcode_size > JIT_REQUEST_MAX - sizeof head - sizeof parts ||
        !collect(&parts, job->module, job->entry)) {
        fluid_fail(err, "E-JIT-35",
                   "module %s: bitcode expected, found none that can be compiled; build the image "
                   "with jit=1",
                   module_name(job->module));
        return NULL;
    }
    fill_head(&head, job);
    const uint32_t entries = job->entry ? 1 : 0;
    lay_out(&head, &parts, entries, job->constant_count, bitcode_size);
    uint8_t *bytes = kzalloc(head.file_size);
    if (!bytes)
        return no_memory(err, head.file_size);
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + head.feature_off, parts.feature, parts.features * sizeof parts.feature[0]);
    memcpy(bytes + head.entry_off, &parts.entry, entries * sizeof parts.entry);
    memcpy(bytes + head.constant_off, job->constants,
           job->constant_count * sizeof(struct jit_constant));
    memcpy(bytes + head.string_off, parts.strings, parts.string_size);
    memcpy(bytes + head.input_off, bitcode, bitcode_size);
    *size = head.file_size;
    return bytes;
}

static int bad_response(struct fluid_error *err, const char *what, size_t found) {
    return fluid_fail(err, "E-JIT-31",
                      "a response of the compiler expected, found a wrong %s (%zu); the code that "
                      "is there stays",
                      what, found);
}

static bool within(size_t size, uint32_t offset, uint32_t length) {
    return offset <= size && length <= size - offset;
}

/* For people, from a compiler that may be anyone's. */
static void printable(char *to, size_t size, const uint8_t *text, size_t length) {
    size_t n = length < size - 1 ? length : size - 1;
    for (size_t i = 0; i < n; i++)
        to[i] = text[i] >= ' ' && text[i] <= '~' ? (char)text[i] : '?';
    to[n] = '\0';
}

int jit_response(const void *response, size_t size, struct jit_result *result,
                 struct fluid_error *err) {
    const uint8_t *bytes = response;
    struct jit_response head;
    if (size < sizeof head)
        return bad_response(err, "size", size);
    memcpy(&head, bytes, sizeof head);
    if (head.magic != JIT_RESPONSE_MAGIC || head.version_major != JIT_VERSION_MAJOR)
        return bad_response(err, "version", head.version_major);
    if (head.header_size < sizeof head || head.file_size != size)
        return bad_response(err, "length", head.file_size);
    if (!within(size, head.text_off, head.text_size) || !within(size, head.mod_off, head.mod_size))
        return bad_response(err, "offset", head.mod_off);
    if ((head.status == JIT_OK) != (head.mod_size > 0))
        return bad_response(err, "status", head.status);
    if (head.status != JIT_OK) {
        char text[200];
        char code[sizeof err->code];
        ksnprintf(code, sizeof code, "E-JIT-%02u", head.status % 100);
        printable(text, sizeof text, bytes + head.text_off, head.text_size);
        return fluid_fail(err, code, "%s", text);
    }
    *result = (struct jit_result){
        .mod = bytes + head.mod_off,
        .mod_size = head.mod_size,
        .parse_ns = head.parse_ns,
        .optimise_ns = head.optimise_ns,
        .generate_ns = head.generate_ns,
    };
    return 0;
}

int jit_compile(const struct jit_job *job, uint8_t **response, struct jit_result *result,
                struct fluid_error *err) {
    const struct compiler *compiler = compiler_current();
    size_t size, got;
    if (!compiler)
        return fluid_fail(err, "E-JIT-36",
                          "a compiler expected, found none; build the image with jit=1, or attach "
                          "with scons chat compile=1");
    void *request = jit_request(job, &size, err);
    if (!request)
        return -1;
    *response = NULL;
    int asked = compiler->compile(request, size, response, &got, err);
    kfree(request);
    if (asked != 0)
        return -1;
    if (jit_response(*response, got, result, err) == 0)
        return 0;
    kfree(*response);
    *response = NULL;
    return -1;
}
