/* fuzz_tokenizer.c - any bytes as text: ids of the vocabulary whose pieces, joined, are the text
 * again. The first byte of an input chooses how; FUZZ_MODELS has models of BPE, one for each
 * pre-tokenizer, or SentencePiece, whose vocabularies have a token for every byte. */
#include "fuzz_engine.h"

enum { SPECIAL = 1, BOS = 2, MODEL_SHIFT = 2 };

static struct fuzz_models models;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_open_models(&models);
    return 0;
}

/* With room for half of the ids the count is the same, and nothing is written behind the room. */
static void check_short_room(struct llama_model *m, const char *text, size_t n, unsigned how,
                             const int32_t *ids, int64_t count) {
    size_t room = (size_t)count / 2;
    int32_t *some = malloc((room + 1) * sizeof *some);
    some[room] = -7;
    REQUIRE(llama_tokenize(m, text, n, how & SPECIAL, how & BOS, some, room, NULL) == count);
    REQUIRE(memcmp(some, ids, room * sizeof *some) == 0 && some[room] == -7);
    free(some);
}

static void check_round_trip(struct llama_model *m, const char *text, size_t n, const int32_t *ids,
                             int64_t count) {
    size_t length;
    char *back = fuzz_text(m, ids, count, &length);
    REQUIRE(length == n && memcmp(back, text, n) == 0);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return -1; /* not kept in the corpus */
    unsigned how = data[0];
    struct llama_model *m = models.model[(how >> MODEL_SHIFT) % models.count];
    size_t n = size - 1;
    char *text = fuzz_copy(data + 1, n, 1);
    /* A space may become a mark of three bytes, each a token of its own; a prefix, and BOS. */
    size_t room = SPACE_MARK_SIZE * (n + 1) + 1;
    int32_t *ids = malloc(room * sizeof *ids);
    struct fluid_error err = {0};
    int64_t count = llama_tokenize(m, text, n, how & SPECIAL, how & BOS, ids, room, &err);
    if (n > TOKENIZER_MAX_TEXT) {
        REQUIRE(count == -1);
        fuzz_check_error(&err);
    } else {
        REQUIRE(count >= 0 && (uint64_t)count <= room);
        fuzz_check_ids(m, ids, count);
        check_short_room(m, text, n, how, ids, count);
        bool bos = how & BOS && m->vocab.add_bos;
        REQUIRE(!bos || (count > 0 && ids[0] == m->vocab.bos));
        if (!(how & SPECIAL) && (m->vocab.bpe || !fuzz_has_space_mark(text, n)))
            check_round_trip(m, text, n, ids + bos, count - bos);
    }
    free(ids);
    free(text);
    return 0;
}
