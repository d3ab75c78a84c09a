/* engine_host.c - the engine as a Linux process, driven by lines on standard input; each is
 * answered by one line of JSON. Bytes travel as hex ("-": none), lists of ids with commas. The
 * Python side is engine_driver.py.
 *
 *     engine_host MODEL [ctx N] [memory BYTES] [vocabulary | damage | starve]
 *
 *     info | tokenize SPECIAL BOS TEXT | words TEXT | piece FIRST ID | eog ID |
 *     chat FIRST SYSTEM USER |
 *     eval IDS LOGITS | predict IDS NEXT | logits | sample MICRO SEED ... | rewind N | position |
 *     stop-after POLLS | class CODE | try SIZE [OFFSET=HEX ...] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail_host.h"
#include "kapi_host.h"
#include "model.h"
#include "tokenizer.h"
#include "unicode.h"

#define MAX_IDS 400000

llama_open_fn llama_open;
llama_close_fn llama_close;
llama_tokenize_fn llama_tokenize;
llama_piece_fn llama_piece;
llama_is_eog_fn llama_is_eog;
llama_chat_turn_fn llama_chat_turn;
llama_rewind_fn llama_rewind;
llama_position_fn llama_position;
llama_eval_fn llama_eval;
llama_sample_fn llama_sample;

static struct llama_model *model;
static struct llama_info info;
static unsigned char *file;
static size_t file_size;
static int32_t ids[MAX_IDS], next_ids[MAX_IDS];

static void die(const char *what) {
    fprintf(stderr, "engine_host: %s\n", what);
    exit(2);
}

static unsigned char *exact_copy(const unsigned char *from, size_t n) {
    void *copy;
    if (posix_memalign(&copy, 4096, n == 0 ? 1 : n) != 0)
        die("out of memory");
    memcpy(copy, from, n);
    return copy;
}

static void read_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        die("cannot read the model");
    file_size = (size_t)ftell(f);
    rewind(f);
    void *memory;
    if (posix_memalign(&memory, 4096, file_size + 1) != 0 ||
        fread(memory, 1, file_size, f) != file_size)
        die("cannot read the model");
    file = memory;
    fclose(f);
}

static void print_error(const struct fluid_error *err) {
    printf("{\"code\": \"%s\", \"error\": \"", err->code);
    for (const char *c = err->text; *c != 0; c++)
        printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    puts("\"}");
}

static const char *argument(void) {
    const char *a = strtok(NULL, " \n");
    if (a == NULL)
        die("argument missing");
    return a;
}

static long long number(void) {
    return strtoll(argument(), NULL, 10);
}

/* Decodes hex into malloc'd memory of exactly the right size; "-" is NULL. */
static char *hex(const char *text, size_t *n) {
    *n = 0;
    if (strcmp(text, "-") == 0)
        return NULL;
    *n = strlen(text) / 2;
    char *bytes = malloc(*n + 1);
    for (size_t i = 0; i < *n; i++) {
        unsigned value;
        sscanf(text + 2 * i, "%2x", &value);
        bytes[i] = (char)value;
    }
    bytes[*n] = 0;
    return bytes;
}

static uint32_t id_list(const char *text, int32_t *out) {
    uint32_t n = 0;
    for (char *end; *text != 0 && n < MAX_IDS; text = *end == ',' ? end + 1 : end)
        out[n++] = (int32_t)strtol(text, &end, 10);
    return n;
}

static void print_ids(int64_t n, const struct fluid_error *err) {
    if (n < 0) {
        print_error(err);
        return;
    }
    printf("{\"ids\": [");
    for (int64_t i = 0; i < n; i++)
        printf("%s%d", i == 0 ? "" : ", ", ids[i]);
    puts("]}");
}

static void do_info(void) {
    printf("{\"name\": \"%s\", \"quant\": \"%s\", \"tokenizer\": \"%s\", \"chat\": \"%s\", ",
           info.name, info.quant, info.tokenizer, info.chat_template);
    printf("\"layers\": %u, \"dim\": %u, \"ffn\": %u, \"heads\": %u, \"kv_heads\": %u, ",
           info.n_layers, info.dim, info.ffn_dim, info.heads, info.kv_heads);
    printf("\"head_dim\": %u, \"rope_dim\": %u, \"vocab\": %u, \"ctx_model\": %u, \"ctx\": %u, ",
           info.head_dim, info.rope_dim, info.vocab, info.ctx_model, info.ctx);
    printf("\"batch\": %u, \"weight_bytes\": %" PRIu64 ", \"kv_bytes\": %" PRIu64
           ", \"scratch_bytes\": %" PRIu64 ", \"eot\": %d, \"add_bos\": %s, \"used\": %zu, "
           "\"kv_type\": \"%s\"}\n",
           info.batch, info.weight_bytes, info.kv_bytes, info.scratch_bytes, info.eot,
           info.add_bos ? "true" : "false", kapi_memory_used(), info.kv_type);
}

static void do_tokenize(void) {
    struct fluid_error err = {0};
    size_t n;
    bool special = number() != 0, bos = number() != 0;
    char *text = hex(argument(), &n);
    char *exact = malloc(n == 0 ? 1 : n); /* no NUL behind it */
    if (n > 0)
        memcpy(exact, text, n);
    print_ids(llama_tokenize(model, exact, n, special, bos, ids, MAX_IDS, &err), &err);
    free(exact);
    free(text);
}

/* Where the words of the pre-tokenizer end. */
static void do_words(void) {
    struct fluid_error err = {0};
    size_t n, at = 0;
    int64_t count = 0;
    char *text = hex(argument(), &n);
    for (; at < n && count < MAX_IDS; count++) {
        at = pretokenize(model->vocab.pre, (struct span){text, n}, at);
        ids[count] = (int32_t)at;
    }
    print_ids(count, &err);
    free(text);
}

static void do_piece(void) {
    char out[1024];
    bool first = number() != 0;
    size_t n = llama_piece(model, (int32_t)number(), first, out, sizeof out);
    printf("{\"hex\": \"");
    for (size_t i = 0; i < n && i < sizeof out; i++)
        printf("%02x", (unsigned char)out[i]);
    puts("\"}");
}

static void do_chat(void) {
    struct fluid_error err = {0};
    size_t system_n, user_n;
    bool first = number() != 0;
    char *system = hex(argument(), &system_n), *user = hex(argument(), &user_n);
    print_ids(llama_chat_turn(model, system, user, user_n, first, ids, MAX_IDS, &err), &err);
    free(system);
    free(user);
}

static void do_eval(bool predictions) {
    struct fluid_error err = {0};
    static struct llama_prediction p[MODEL_BATCH];
    uint32_t n = id_list(argument(), ids), logits = predictions ? 1 : (uint32_t)number();
    if (predictions && id_list(argument(), next_ids) != n)
        die("predict: as many next ids as ids");
    if (llama_eval(model, ids, n, logits, predictions ? p : NULL, predictions ? next_ids : NULL,
                   &err) != 0) {
        print_error(&err);
        return;
    }
    printf("{\"predictions\": [");
    for (uint32_t i = 0; predictions && i < n; i++) {
        printf("%s{\"top\": [", i == 0 ? "" : ", ");
        for (int k = 0; k < ENGINE_TOP; k++)
            printf("%s[%d, %" PRId64 "]", k == 0 ? "" : ", ", p[i].top_id[k], p[i].top_logit[k]);
        printf("], \"logsumexp\": %" PRId64 ", \"next\": %" PRId64 "}", p[i].logsumexp,
               p[i].next_logit);
    }
    puts("]}");
}

static void do_logits(void) {
    if (model->n_logits == 0) {
        puts("{\"hex\": null}");
        return;
    }
    printf("{\"hex\": \"");
    const unsigned char *bytes = (const unsigned char *)model->buffers.logits;
    size_t each = model->vocab.n * sizeof(float);
    for (size_t i = (model->n_logits - 1) * each; i < model->n_logits * each; i++)
        printf("%02x", bytes[i]);
    puts("\"}");
}

static void do_sample(void) {
    struct llama_sampling how = {.temperature_micro = number()};
    how.seed = strtoull(argument(), NULL, 10);
    how.draw = (uint64_t)number();
    how.top_k = (uint32_t)number();
    how.top_p_micro = number();
    how.min_p_micro = number();
    how.repeat_penalty_micro = number();
    how.back = (uint32_t)number();
    const char *recent = argument();
    how.recent_count = strcmp(recent, "-") == 0 ? 0 : id_list(recent, ids);
    how.recent = ids;
    printf("{\"id\": %d}\n", llama_sample(model, &how));
}

/* Opens a damaged copy: SIZE bytes of the model (or fewer), with bytes replaced. A model that opens
 * in spite of it must also work. */
static void do_try(void) {
    struct fluid_error err = {0};
    struct llama_info tried;
    size_t size = (size_t)number();
    unsigned char *copy = exact_copy(file, size < file_size ? size : file_size);
    for (char *patch; (patch = strtok(NULL, " \n")) != NULL;) {
        size_t n, at = strtoull(patch, &patch, 10);
        char *bytes = hex(patch + 1, &n);
        if (*patch != '=' || at + n > size)
            die("try: OFFSET=HEX inside SIZE");
        memcpy(copy + at, bytes, n);
        free(bytes);
    }
    size_t used = kapi_memory_used();
    struct llama_model *m = llama_open(copy, size, 16, &tried, &err);
    if (m != NULL) {
        int64_t n = llama_tokenize(m, "Hello <s>", 9, true, true, ids, MAX_IDS, &err);
        if (n > 0 && n <= MODEL_BATCH && n <= tried.ctx)
            llama_eval(m, ids, (uint32_t)n, 1, NULL, NULL, &err);
        for (uint32_t id = 0; id < tried.vocab; id += 7)
            llama_piece(m, (int32_t)id, true, NULL, 0);
        llama_close(m);
    }
    if (kapi_memory_used() != used)
        die("memory not given back");
    free(copy);
    print_error(&err);
}

static void run(const char *command) {
    if (strcmp(command, "info") == 0)
        do_info();
    else if (strcmp(command, "tokenize") == 0)
        do_tokenize();
    else if (strcmp(command, "words") == 0)
        do_words();
    else if (strcmp(command, "piece") == 0)
        do_piece();
    else if (strcmp(command, "eog") == 0)
        printf("{\"eog\": %s}\n", llama_is_eog(model, (int32_t)number()) ? "true" : "false");
    else if (strcmp(command, "chat") == 0)
        do_chat();
    else if (strcmp(command, "eval") == 0 || strcmp(command, "predict") == 0)
        do_eval(command[0] == 'p');
    else if (strcmp(command, "logits") == 0)
        do_logits();
    else if (strcmp(command, "sample") == 0)
        do_sample();
    else if (strcmp(command, "rewind") == 0)
        llama_rewind(model, (uint32_t)number()), puts("{}");
    else if (strcmp(command, "position") == 0)
        printf("{\"position\": %u}\n", llama_position(model));
    else if (strcmp(command, "stop-after") == 0)
        kapi_polls_to_stop = number(), puts("{}");
    else if (strcmp(command, "class") == 0)
        printf("{\"class\": %d}\n", (int)unicode_class_of((uint32_t)number()));
    else if (strcmp(command, "try") == 0)
        do_try();
    else
        die("unknown command");
    fflush(stdout);
}

/* A file that has a vocabulary and no tensors: everything but evaluation works. */
static struct llama_model *open_vocabulary(struct fluid_error *err) {
    struct llama_model *m = fluid_alloc(sizeof *m, 64);
    if (m != NULL && open_text(m, file, file_size, err) != 0) {
        llama_close(m);
        m = NULL;
    }
    return m;
}

/* Opens the model once for each allocation that this takes, which fails; a model may open without
 * it, with a smaller context. Prints how many were refused, and how many of them because memory is
 * there in too small pieces only. */
static int starve(uint32_t ctx) {
    unsigned refused = 0, in_pieces = 0;
    for (long number = 0;; number++) {
        struct fluid_error err = {0};
        host_fail_allocation(number);
        struct llama_model *m = llama_open(file, file_size, ctx, &info, &err);
        bool failed = host_allocation_failed();
        host_fail_allocation(-1);
        if (m != NULL)
            llama_close(m);
        else if (strncmp(err.code, "E-MEM-", 6) != 0)
            die(err.code);
        refused += m == NULL;
        in_pieces += m == NULL && strstr(err.text, "in smaller ones") != NULL;
        if (kapi_memory_used() != 0)
            die("memory is left");
        if (!failed)
            break;
    }
    printf("{\"refused\": %u, \"in_pieces\": %u}\n", refused, in_pieces);
    free(file);
    return 0;
}

int main(int argc, char **argv) {
    struct fluid_error err = {0};
    uint32_t ctx = 0;
    bool vocabulary = false, damage = false, starving = false;
    if (argc < 2)
        die("MODEL expected");
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "vocabulary") == 0)
            vocabulary = true;
        else if (strcmp(argv[i], "damage") == 0)
            damage = true;
        else if (strcmp(argv[i], "starve") == 0)
            starving = true;
        else if (strcmp(argv[i], "ctx") == 0 && i + 1 < argc)
            ctx = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "memory") == 0 && i + 1 < argc)
            kapi_memory = strtoull(argv[++i], NULL, 10);
        else
            die("MODEL [ctx N] [memory BYTES] [vocabulary | damage | starve] expected");
    }
    read_file(argv[1]);
    if (starving)
        return starve(ctx);
    if (!damage) {
        model = vocabulary ? open_vocabulary(&err) : llama_open(file, file_size, ctx, &info, &err);
        if (model == NULL) {
            print_error(&err);
            return 1;
        }
    }
    puts("{}");
    fflush(stdout);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0)
        run(strtok(line, " \n"));
    free(line);
    if (model != NULL)
        llama_close(model);
    free(file);
    return kapi_memory_used() == 0 ? 0 : 3;
}
