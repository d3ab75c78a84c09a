/* vocab.h - the vocabulary of a model: tokens by id and by text, merges, special tokens. */
#ifndef LLAMA_VOCAB_H
#define LLAMA_VOCAB_H

#include "gguf.h"

#define VOCAB_MAX_SPECIAL 4096
#define VOCAB_NONE (-1) /* instead of a token id */

/* tokenizer.ggml.token_type */
enum token_kind {
    TOKEN_UNDEFINED,
    TOKEN_NORMAL,
    TOKEN_UNKNOWN,
    TOKEN_CONTROL,
    TOKEN_USER_DEFINED,
    TOKEN_UNUSED,
    TOKEN_BYTE,
    TOKEN_KINDS
};

/* Array of strings in the file, with random access. */
struct texts {
    const uint8_t *base; /* length field of the first string */
    uint32_t *offset;    /* (n,) of each length field from base */
    uint32_t n;
};

/* How byte-level BPE cuts text into words (pretokenize.c). */
enum pretokenizer { PRE_GPT2, PRE_SMOLLM, PRE_LLAMA3 };

struct vocab {
    uint32_t n;
    bool bpe;                       /* byte-level BPE; else SentencePiece BPE */
    enum pretokenizer pre;          /* of byte-level BPE */
    bool add_bos, add_space_prefix; /* the prefix is SentencePiece's only */
    int32_t bos, eos, unk;          /* VOCAB_NONE: there is none */
    struct texts tokens;
    const uint8_t *scores; /* (n,) f32, unaligned; SentencePiece only */
    uint8_t *kind;         /* (n,) enum token_kind */
    bool *eog;             /* (n,) ends a generation */
    struct strtab by_text;
    struct texts merges; /* "left right", best first; byte-level BPE only */
    struct strtab by_merge;
    uint32_t longest_token, longest_merge; /* bytes */
    uint32_t n_special;
    int32_t *special;        /* (n_special,) longest text first, then by id */
    int32_t byte_token[256]; /* SentencePiece: token for a byte, or VOCAB_NONE */
};

/* E-GGUF-12 to -14, -19 (tokenizer not supported), -20 (contradictory vocabulary). */
int vocab_read(struct vocab *v, struct memory *memory, const struct gguf *g,
               struct fluid_error *err);

struct span vocab_text(const struct vocab *v, uint32_t id);
int32_t vocab_find(const struct vocab *v, struct span text); /* or VOCAB_NONE */

#endif
