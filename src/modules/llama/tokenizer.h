/* tokenizer.h - text to tokens and back.
 *
 * tokenize() splits off special tokens (special.c), cuts the rest into words (pretokenize.c;
 * byte-level BPE only) and merges symbols inside them (merge.c) by the rules of bpe.c or spm.c. All
 * memory is taken once for texts of up to TOKENIZER_MAX_TEXT bytes. */
#ifndef LLAMA_TOKENIZER_H
#define LLAMA_TOKENIZER_H

#include "vocab.h"

#define TOKENIZER_MAX_TEXT                                                                         \
    (96u << 10) /* a line of the console, a system message and a template                          \
                 */

#define SPACE_MARK "\xe2\x96\x81" /* U+2581, stands for a space in SentencePiece vocabularies */
#define SPACE_MARK_SIZE (sizeof SPACE_MARK - 1)

/* A piece of the text being merged; they form a list in text order. */
struct symbol {
    uint32_t at, n;     /* bytes of the text; n 0: merged into another */
    int32_t prev, next; /* -1: none */
};

/* Two neighbours whose union is a token (SentencePiece) or a merge (byte-level BPE). */
struct bigram {
    uint32_t key; /* smaller is merged first */
    int32_t left; /* smaller first among equal keys */
    int32_t right;
    uint32_t n; /* bytes of both, to notice when one has changed */
};

/* Where ids go: counts all, stores as many as fit. */
struct id_sink {
    int32_t *ids;
    size_t max;
    uint64_t n;
};

struct tokenizer {
    const struct vocab *vocab;
    char *text;             /* (3 * TOKENIZER_MAX_TEXT + 3,) a raw piece in the vocabulary's form */
    struct symbol *symbols; /* (TOKENIZER_MAX_TEXT + 1,) */
    struct bigram *heap;    /* (2 * (TOKENIZER_MAX_TEXT + 1),) */
    uint32_t heap_n;
    int32_t *special_at; /* (TOKENIZER_MAX_TEXT,) 1 + special token that starts here, 0: none */
    uint8_t *covered;    /* (TOKENIZER_MAX_TEXT,) part of a special token */
    char *render;        /* (TOKENIZER_MAX_TEXT,) rendered chat */
};

/* Which text is data: special tokens are looked for outside literal_from .. literal_to only, and
 * nowhere when special is false (user-defined ones everywhere, as in llama.cpp). */
struct tokenize_how {
    bool special, bos;
    size_t literal_from, literal_to;
};

int tokenizer_init(struct tokenizer *t, struct memory *memory, const struct vocab *vocab,
                   struct fluid_error *err);

/* Number of ids, or -1 and E-TOK-01: text too long. */
int64_t tokenize(struct tokenizer *t, struct span text, const struct tokenize_how *how,
                 struct id_sink *sink, struct fluid_error *err);

/* Bytes of a token as generated text; see llama_piece_fn. */
size_t token_piece(const struct vocab *v, int32_t id, bool first, char *out, size_t size);

void sink_put(struct id_sink *sink, int32_t id);

/* Marks special tokens of text in t->special_at. */
void special_mark(struct tokenizer *t, struct span text, const struct tokenize_how *how);

/* End of the word that begins at text.at[from]. */
size_t pretokenize(enum pretokenizer pre, struct span text, size_t from);
size_t pretokenize_llama3(struct span text, size_t from);

/* Merges t->symbols[0 .. count) over t->text until no rule applies. Keys come from rank: false when
 * the two parts, neighbours in t->text, must not be merged. */
typedef bool rank_fn(const struct vocab *v, struct span left, struct span right, uint32_t *key);
void merge_symbols(struct tokenizer *t, uint32_t count, rank_fn *rank);

void bpe_tokenize(struct tokenizer *t, struct span raw, struct id_sink *sink);
void spm_tokenize(struct tokenizer *t, struct span raw, bool prefix, struct id_sink *sink);

/* GPT-2's printable stand-ins: UTF-8 of the one for a byte (1 or 2 bytes); and back, -1: not one.
 */
uint32_t bpe_encode_byte(uint8_t byte, char out[2]);
int bpe_decode_char(uint32_t code);

#endif
