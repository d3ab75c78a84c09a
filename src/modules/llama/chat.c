/* chat.c - recognises the chat template of a model and renders turns with it.
 *
 * Templates are programs in Jinja; the few in use are recognised by what is characteristic of them
 * and rendered here. The user's text is data: special tokens in it are not parsed. */
#include "chat.h"

#include "model.h"

#define IM_START "<|im_start|>"
#define IM_END "<|im_end|>"
#define SMOLLM2_SYSTEM "You are a helpful AI assistant named SmolLM, trained by Hugging Face"

int chat_recognise(const struct gguf *g, enum chat_template *out, struct fluid_error *err) {
    struct span text;
    if (gguf_string(g, "tokenizer.chat_template", &text, err) != 0)
        return -1;
    *out = CHAT_NONE;
    if (text.at != NULL && span_contains(text, IM_START))
        *out = span_contains(text, SMOLLM2_SYSTEM) ? CHAT_CHATML_SMOLLM2 : CHAT_CHATML;
    return 0;
}

const char *chat_name(enum chat_template chat) {
    static const char *const names[] = {"none", "chatml", "chatml-smollm2"};
    return names[chat];
}

int32_t chat_end_of_turn(enum chat_template chat, const struct vocab *v) {
    return chat == CHAT_NONE ? VOCAB_NONE : vocab_find(v, span_of(IM_END));
}

struct rendering {
    char *at;
    size_t n; /* bytes wanted; those behind TOKENIZER_MAX_TEXT are not written */
};

static void put(struct rendering *r, struct span text) {
    if (text.n <= TOKENIZER_MAX_TEXT && r->n <= TOKENIZER_MAX_TEXT - text.n)
        memcpy(r->at + r->n, text.at, text.n);
    r->n += text.n;
}

static void put_message(struct rendering *r, const char *role, struct span content) {
    put(r, span_of(IM_START));
    put(r, span_of(role));
    put(r, span_of("\n"));
    put(r, content);
    put(r, span_of(IM_END "\n"));
}

static void put_system(struct rendering *r, const struct llama_model *m, const char *system) {
    if (system != NULL)
        put_message(r, "system", span_of(system));
    else if (m->chat == CHAT_CHATML_SMOLLM2)
        put_message(r, "system", span_of(SMOLLM2_SYSTEM));
}

FLUID_EXPORT llama_chat_turn_fn llama_chat_turn;

int64_t llama_chat_turn(struct llama_model *m, const char *system, const char *user,
                        size_t user_length, bool first, int32_t *ids, size_t max_ids,
                        struct fluid_error *err) {
    struct rendering r = {m->tokenizer.render, 0};
    struct tokenize_how how = {.special = true, .bos = first};
    struct id_sink sink = {ids, max_ids, 0};
    struct span content = {user, user == NULL ? 0 : user_length};
    if (m->chat == CHAT_NONE) {
        how.special = false;
        return tokenize(&m->tokenizer, content, &how, &sink, err);
    }
    if (first)
        put_system(&r, m, system);
    else
        put(&r, span_of("\n")); /* behind the <|im_end|> of the reply */
    if (user != NULL) {
        put(&r, span_of(IM_START "user\n"));
        how.literal_from = r.n;
        put(&r, content);
        how.literal_to = r.n;
        put(&r, span_of(IM_END "\n" IM_START "assistant\n"));
    }
    return tokenize(&m->tokenizer, (struct span){r.at, r.n}, &how, &sink, err);
}
