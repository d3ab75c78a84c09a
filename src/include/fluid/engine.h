/* engine.h - the language model engine, exported by the module "llama" (src/modules/llama/).
 *
 * The kernel is built without floating point, so real numbers cross this boundary as micro-units:
 * micro = round(value * 1e6) in an int64. Functions return 0, or -1 with *err filled, unless said
 * otherwise. One model is open at a time; nothing is allocated between llama_open and llama_close
 * except inside llama_open, so that generation never runs out of memory. */
#ifndef FLUID_ENGINE_H
#define FLUID_ENGINE_H

#include "fluid/kapi.h"

#define ENGINE_TOP 5
#define ENGINE_LOGITS 8      /* positions whose logits can be kept for llama_sample */
#define ENGINE_MICRO 1000000 /* micro-units in 1 */

struct llama_model; /* opaque; owned by the module */

struct llama_info {
    char name[64];          /* general.name, or "unnamed" */
    char quant[16];         /* type of most weights: "Q4_1" */
    char tokenizer[16];     /* "gpt2/smollm", "llama" */
    char chat_template[16]; /* "chatml-smollm2", "none" */
    char kv_type[8];        /* type of K and V in the context: "F32", "F16", "Q8_0" */
    uint32_t n_layers, dim, ffn_dim, heads, kv_heads, head_dim, rope_dim, vocab;
    uint32_t ctx_model; /* context the model was trained for */
    uint32_t ctx;       /* context that fits and was allocated */
    uint32_t batch;     /* largest n for llama_eval */
    uint64_t weight_bytes, kv_bytes, scratch_bytes;
    int32_t eot; /* token that ends a turn of the chat; -1: the model has none */
    bool add_bos;
};

/* How the next token is picked. The steps, in this order: repeat penalty, top-k, top-p, min-p,
 * temperature, draw. A field of 0 switches its step off; without a temperature the best token is
 * taken. */
struct llama_sampling {
    int64_t repeat_penalty_micro; /* logits of recent tokens: > 0 divided, < 0 multiplied by it */
    const int32_t *recent;        /* (recent_count,) */
    uint32_t recent_count;
    uint32_t top_k;      /* keep so many of the best */
    int64_t top_p_micro; /* of these the best that together have this probability */
    int64_t min_p_micro; /* of these the ones with at least this part of the best's probability */
    int64_t temperature_micro;
    uint64_t seed, draw; /* the choice depends on seed, draw, position and logits only */
    uint32_t back; /* of which position: so many before the last; fewer than logits are kept */
};

/* One position's prediction of the next token. */
struct llama_prediction {
    int32_t top_id[ENGINE_TOP];    /* by logit descending, ties by lower id */
    int64_t top_logit[ENGINE_TOP]; /* micro */
    int64_t logsumexp;             /* micro */
    int64_t next_logit;            /* micro: logit of the token asked about (llama_eval's next) */
    uint32_t digest;               /* of all logits: equal when they are, bit for bit */
};

/* Exported entry points; slot names equal the typedef names without _fn. gguf belongs to the
 * engine until llama_close; llama_open rearranges the weights in it (pack_fn of tensor.h), so that
 * it is no model file any more, even when opening failed. max_ctx 0: as much context as fits into
 * free memory (at most the model's own). */
typedef struct llama_model *llama_open_fn(void *gguf, uint64_t size, uint32_t max_ctx,
                                          struct llama_info *info, struct fluid_error *err);
typedef void llama_close_fn(struct llama_model *m);

/* Tokenises text (bytes, need not be valid UTF-8). special: parse special tokens such as
 * <|im_start|>. bos: prepend BOS if the model says so. Returns the number of ids; when that exceeds
 * max_ids, only max_ids were written. -1: error. */
typedef int64_t llama_tokenize_fn(struct llama_model *m, const char *text, size_t length,
                                  bool special, bool bos, int32_t *ids, size_t max_ids,
                                  struct fluid_error *err);

/* Bytes of one token as generated text ("" for control and end-of-generation tokens). Returns the
 * length, at most size bytes are written; pieces may split UTF-8 sequences. first: the token is the
 * first of a text (SPM drops the space that the tokenizer added). */
typedef size_t llama_piece_fn(struct llama_model *m, int32_t id, bool first, char *out,
                              size_t size);
typedef bool llama_is_eog_fn(struct llama_model *m, int32_t id);

/* Renders one user turn up to and including the assistant's header. first: start of the
 * conversation, with BOS and system message (NULL system: the model's default). Otherwise it
 * continues after the end of turn token (info.eot), which the caller has put behind the reply.
 * Returns ids as llama_tokenize. */
typedef int64_t llama_chat_turn_fn(struct llama_model *m, const char *system, const char *user,
                                   size_t user_length, bool first, int32_t *ids, size_t max_ids,
                                   struct fluid_error *err);

/* Forgets all positions >= keep in the KV cache. Logits of those before stay as far as llama_eval
 * has kept them. */
typedef void llama_rewind_fn(struct llama_model *m, uint32_t keep);
typedef uint32_t llama_position_fn(struct llama_model *m);

/* Appends n (1 .. info.batch) tokens at the current position and computes. predictions (n,) or
 * NULL; next (n,) ids whose logits are reported in next_logit, or NULL. logits (1 .. ENGINE_LOGITS,
 * at most n, else E-ENG-03): so many last positions' logits are kept for llama_sample, and without
 * predictions no others are computed. -1 with code "" when stopped by fluid_poll: the position is
 * then as before the call. Full context: E-CTX-01. */
typedef int llama_eval_fn(struct llama_model *m, const int32_t *ids, uint32_t n, uint32_t logits,
                          struct llama_prediction *predictions, const int32_t *next,
                          struct fluid_error *err);

/* Picks the token that follows the last position, or the one how->back before it: what would have
 * been picked if that were the last. */
typedef int32_t llama_sample_fn(struct llama_model *m, const struct llama_sampling *how);

#endif
