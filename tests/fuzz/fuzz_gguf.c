/* fuzz_gguf.c - any bytes as MODEL.GGUF: refused with a code, or a model that tokenises and
 * evaluates; all memory is given back. */
#include "fuzz_engine.h"

#define MEMORY ((size_t)64 << 20)
#define CTX 16 /* positions */
#define EVAL 4 /* tokens */
#define MAX_IDS 256

static const char text[] = "Hello <s> the dog\n<|im_start|>\xff\xe4\xbd\xa0";

static void check_info(const struct llama_info *info) {
    REQUIRE(info->vocab > 0 && info->n_layers > 0 && info->ctx > 0 && info->ctx <= CTX);
    REQUIRE(info->heads > 0 && info->kv_heads > 0 && info->heads % info->kv_heads == 0);
    REQUIRE(info->rope_dim <= info->head_dim && info->rope_dim % 2 == 0);
    REQUIRE(info->eot >= -1 && info->eot < (int32_t)info->vocab);
    REQUIRE(strnlen(info->name, sizeof info->name) < sizeof info->name);
    REQUIRE(strnlen(info->quant, sizeof info->quant) < sizeof info->quant);
    REQUIRE(info->kv_bytes + info->scratch_bytes <= MEMORY);
}

static void check_predictions(const struct llama_info *info, const struct llama_prediction *p,
                              uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        unsigned tops = info->vocab < ENGINE_TOP ? info->vocab : ENGINE_TOP;
        for (unsigned k = 0; k < tops; k++) {
            REQUIRE(p[i].top_id[k] >= 0 && p[i].top_id[k] < (int32_t)info->vocab);
            REQUIRE(k == 0 || p[i].top_logit[k - 1] >= p[i].top_logit[k]);
        }
        REQUIRE(llabs(p[i].logsumexp) <= 1000000000000 && llabs(p[i].next_logit) <= 1000000000000);
    }
}

static void use(struct llama_model *m, const struct llama_info *info) {
    struct fluid_error err = {0};
    int32_t ids[MAX_IDS];
    int64_t n = llama_tokenize(m, text, sizeof text - 1, true, true, ids, MAX_IDS, &err);
    REQUIRE(n >= 0 && n <= MAX_IDS);
    fuzz_check_ids(m, ids, n);
    uint32_t wanted = n < EVAL ? (uint32_t)n : EVAL;
    if (wanted > info->ctx)
        wanted = info->ctx;
    struct llama_prediction p[EVAL];
    if (wanted > 0) {
        REQUIRE(llama_eval(m, ids, wanted, 1, p, ids, &err) == 0);
        check_predictions(info, p, wanted);
    }
    for (uint32_t id = 0; id < info->vocab; id += 7)
        llama_piece(m, (int32_t)id, true, NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fluid_error err = {0};
    struct llama_info info;
    kapi_memory = MEMORY;
    void *file = fuzz_copy(data, size, 4096);
    struct llama_model *m = llama_open(file, size, CTX, &info, &err);
    if (m != NULL) {
        check_info(&info);
        use(m, &info);
        llama_close(m);
    } else {
        fuzz_check_error(&err);
    }
    REQUIRE(kapi_memory_used() == 0);
    free(file);
    return 0;
}
