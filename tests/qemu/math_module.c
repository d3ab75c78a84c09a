/* math_module.c - stands in the engine's place and compares the functions of math.h, as they were
 * compiled for this machine, with results that the "model" file brings along.
 *
 * The file: for each function a struct job, then `count` rows of one or two arguments and the
 * result, all doubles; numbers of functions in float are written as doubles, which is exact. */
#include <string.h>

#include "fluid/engine.h"
#include "fluid/module.h"
#include "libc_functions.h"

struct job {
    char name[16];
    uint64_t count;
};

static const struct math_function *find(const char name[16]) {
    for (size_t i = 0; i < MATH_FUNCTIONS; i++)
        if (strncmp(math_functions[i].name, name, sizeof((struct job *)0)->name) == 0)
            return &math_functions[i];
    return NULL;
}

static size_t arguments(const struct math_function *f) {
    return f->two != NULL || f->two_float != NULL ? 2 : 1;
}

static double call(const struct math_function *f, const double *x) {
    if (f->one != NULL)
        return f->one(x[0]);
    if (f->two != NULL)
        return f->two(x[0], x[1]);
    return (double)(f->one_float != NULL ? f->one_float((float)x[0])
                                         : f->two_float((float)x[0], (float)x[1]));
}

/* All NaN are alike. */
static bool same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* " cosf:38601:c0..." for a result that differs: function, row and bits of the double, as long as
 * there is room. */
static void note(char *list, size_t size, const char name[16], uint64_t row, double found) {
    size_t used = strlen(list);
    if (used + 48 > size)
        return;
    struct fluid_error entry;
    fluid_fail(&entry, "", " %.16s:%llu:%016llx", name, (unsigned long long)row,
               (unsigned long long)bits_of(found));
    memcpy(list + used, entry.text, strlen(entry.text) + 1);
}

/* Reports in *err what came out: it has no other way to tell. */
FLUID_EXPORT llama_open_fn llama_open;
struct llama_model *llama_open(void *gguf, uint64_t size, uint32_t max_ctx, struct llama_info *info,
                               struct fluid_error *err) {
    (void)max_ctx, (void)info;
    const char *at = gguf, *end = at + size;
    unsigned jobs = 0, rows = 0, wrong = 0;
    char list[200] = "";

    while ((size_t)(end - at) >= sizeof(struct job)) {
        struct job job;
        memcpy(&job, at, sizeof job);
        at += sizeof job;
        const struct math_function *f = find(job.name);
        if (f == NULL) {
            fluid_fail(err, "E-MATH-02", "no function %.16s", job.name);
            return NULL;
        }
        size_t width = arguments(f) + 1;
        for (uint64_t i = 0; i < job.count; i++, at += width * sizeof(double)) {
            double row[3];
            memcpy(row, at, width * sizeof(double));
            double found = call(f, row);
            rows++;
            if (same(found, row[width - 1]))
                continue;
            wrong++;
            note(list, sizeof list, job.name, i, found);
        }
        jobs++;
    }
    fluid_fail(err, "E-MATH-01", "%u functions, %u results, %u differ%s", jobs, rows, wrong, list);
    return NULL;
}

/* The kernel asks for these when it binds; without a model it calls none. */
#define ABSENT(name)                                                                               \
    FLUID_EXPORT void name(void);                                                                  \
    void name(void) {                                                                              \
        fluid_panic(#name " called");                                                              \
    }
ABSENT(llama_tokenize)
ABSENT(llama_piece)
ABSENT(llama_is_eog)
ABSENT(llama_chat_turn)
ABSENT(llama_rewind)
ABSENT(llama_position)
ABSENT(llama_eval)
ABSENT(llama_sample)
