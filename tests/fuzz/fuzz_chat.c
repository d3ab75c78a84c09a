/* fuzz_chat.c - any bytes as a turn of a chat, in each template. Input: a byte that says how, then
 * the system message, NUL, the user's text. What the user says is data: it comes back whole and
 * adds no special token. */
#include "fuzz_engine.h"

enum { FIRST = 1, SYSTEM = 2, USER = 4, MODEL_SHIFT = 3 };

static struct fuzz_models models;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_open_models(&models);
    return 0;
}

struct turn {
    int32_t *ids; /* (count,) */
    int64_t count;
};

static struct turn render(struct llama_model *m, const char *system, const char *user, size_t n,
                          bool first) {
    struct fluid_error err = {0};
    struct turn t = {NULL, llama_chat_turn(m, system, user, n, first, NULL, 0, &err)};
    if (t.count < 0) {
        fuzz_check_error(&err);
        return t;
    }
    t.ids = malloc(((size_t)t.count + 1) * sizeof *t.ids);
    REQUIRE(llama_chat_turn(m, system, user, n, first, t.ids, (size_t)t.count, &err) == t.count);
    fuzz_check_ids(m, t.ids, t.count);
    return t;
}

static int64_t special_count(const struct llama_model *m, const struct turn *t) {
    int64_t n = 0;
    for (int64_t i = 0; i < t->count; i++)
        n += m->vocab.kind[t->ids[i]] == TOKEN_CONTROL;
    return n;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Templates may strip blanks around what the user says, and nothing else. */
static void check_said(struct llama_model *m, const struct turn *t, const char *user, size_t n) {
    size_t length;
    char *text = fuzz_text(m, t->ids, t->count, &length);
    while (n > 0 && is_blank(user[n - 1]))
        n--;
    while (n > 0 && is_blank(*user))
        user++, n--;
    REQUIRE(n == 0 || memmem(text, length, user, n) != NULL);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return -1;
    unsigned how = data[0];
    struct llama_model *m = models.model[(how >> MODEL_SHIFT) % models.count];
    const uint8_t *text = data + 1, *nul = memchr(text, 0, size - 1);
    size_t system_n = nul == NULL ? 0 : (size_t)(nul - text);
    size_t user_at = nul == NULL ? 0 : system_n + 1, user_n = size - 1 - user_at;
    char *system = fuzz_copy(text, system_n + (nul != NULL), 1);
    char *user = fuzz_copy(text + user_at, user_n, 1);
    const char *system_or_null = how & SYSTEM && nul != NULL ? system : NULL;
    bool first = how & FIRST, says = how & USER;
    struct turn t = render(m, system_or_null, says ? user : NULL, says ? user_n : 0, first);
    if (says && t.count >= 0) {
        struct turn plain = render(m, system_or_null, "x", 1, first);
        REQUIRE(plain.count >= 0 && special_count(m, &plain) == special_count(m, &t));
        free(plain.ids);
        if (m->vocab.bpe || !fuzz_has_space_mark(user, user_n))
            check_said(m, &t, user, user_n);
    }
    free(t.ids);
    free(user);
    free(system);
    return 0;
}
