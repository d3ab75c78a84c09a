/* chat.c - recognises the chat template of a model and renders turns with it.
 *
 * Templates are programs in Jinja; the few in use are recognised by what is characteristic of them
 * and rendered here, as tests/host/test_chat_templates.py holds against Jinja itself. The user's
 * text is data: special tokens in it are not parsed. */
#include "chat.h"

#include "model.h"

#define BOS "\1" /* stand for the texts of these tokens */
#define EOS "\2"
#define SMOLLM2_SYSTEM "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
#define CHATML(label, more, text)                                                                  \
    {                                                                                              \
        .name = (label),                                                                           \
        .marks = {"<|im_start|>", (more)},                                                         \
        .system = {"<|im_start|>system\n", "<|im_end|>\n"},                                        \
        .user = {"<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"},                     \
        .between = "\n",                                                                           \
        .end = "<|im_end|>",                                                                       \
        .default_system = (text),                                                                  \
    }

/* What stands around a message. */
struct frame {
    const char *before, *behind;
};

struct chat_template {
    const char *name;
    const char *marks[2]; /* what the model's template contains; NULL: nothing more */
    struct frame system, user;
    const char *between;        /* behind the token that ended a reply, before the next turn */
    const char *end;            /* of a reply */
    const char *default_system; /* NULL: none */
    bool system_opens_turn;     /* the first turn goes on where the system message ends */
    bool strip;                 /* blanks around a message are left out */
};

/* In order: the first whose marks are all there. */
static const struct chat_template templates[] = {
    CHATML("chatml-smollm2", SMOLLM2_SYSTEM, SMOLLM2_SYSTEM),
    CHATML("chatml", NULL, NULL),
    {
        .name = "llama-3",
        .marks = {"<|start_header_id|>", "<|eot_id|>"},
        .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
        .user = {"<|start_header_id|>user<|end_header_id|>\n\n",
                 "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"},
        .between = "",
        .end = "<|eot_id|>",
        .strip = true,
    },
    {
        .name = "zephyr", /* TinyLlama's */
        .marks = {"<|user|>", "<|assistant|>"},
        .system = {"<|system|>\n", EOS "\n"},
        .user = {"<|user|>\n", EOS "\n<|assistant|>\n"},
        .between = "\n",
        .end = EOS,
    },
    {
        .name = "llama-2",
        .marks = {"[INST]", "<<SYS>>"},
        .system = {"[INST] <<SYS>>\n", "\n<</SYS>>\n\n"},
        .user = {"[INST] ", " [/INST]"},
        .between = BOS,
        .end = EOS,
        .system_opens_turn = true,
        .strip = true,
    },
};

#define TEMPLATES (sizeof(templates) / sizeof(templates[0]))

int chat_recognise(const struct gguf *g, const struct chat_template **out,
                   struct fluid_error *err) {
    struct span text;
    if (gguf_string(g, "tokenizer.chat_template", &text, err) != 0)
        return -1;
    *out = NULL;
    for (size_t i = 0; i < TEMPLATES && text.at != NULL && *out == NULL; i++) {
        const struct chat_template *t = &templates[i];
        if (span_contains(text, t->marks[0]) &&
            (t->marks[1] == NULL || span_contains(text, t->marks[1])))
            *out = t;
    }
    return 0;
}

const char *chat_name(const struct chat_template *chat) {
    return chat == NULL ? "none" : chat->name;
}

int32_t chat_end_of_turn(const struct chat_template *chat, const struct vocab *v) {
    if (chat == NULL)
        return VOCAB_NONE;
    return *chat->end == *EOS ? v->eos : vocab_find(v, span_of(chat->end));
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

/* Text of the template, with tokens of the vocabulary in it. */
static void put_text(struct rendering *r, const struct vocab *v, const char *text) {
    for (; *text != 0; text++) {
        int32_t id = *text == *BOS ? v->bos : *text == *EOS ? v->eos : VOCAB_NONE;
        if (*text != *BOS && *text != *EOS)
            put(r, (struct span){text, 1});
        else if (id >= 0)
            put(r, vocab_text(v, (uint32_t)id));
    }
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span content_of(const struct chat_template *chat, struct span text) {
    while (chat->strip && text.n > 0 && is_blank(text.at[text.n - 1]))
        text.n--;
    while (chat->strip && text.n > 0 && is_blank(*text.at))
        text.at++, text.n--;
    return text;
}

/* What comes before a turn; false: nothing that the turn goes on with. */
static bool put_lead(struct rendering *r, const struct llama_model *m, const char *system,
                     bool first) {
    const struct chat_template *chat = m->chat;
    if (system == NULL)
        system = chat->default_system;
    if (!first) {
        put_text(r, &m->vocab, chat->between);
        return false;
    }
    if (system == NULL)
        return false;
    put_text(r, &m->vocab, chat->system.before);
    put(r, content_of(chat, span_of(system)));
    put_text(r, &m->vocab, chat->system.behind);
    return chat->system_opens_turn;
}

FLUID_EXPORT llama_chat_turn_fn llama_chat_turn;

int64_t llama_chat_turn(struct llama_model *m, const char *system, const char *user,
                        size_t user_length, bool first, int32_t *ids, size_t max_ids,
                        struct fluid_error *err) {
    struct rendering r = {m->tokenizer.render, 0};
    struct tokenize_how how = {.special = true, .bos = first};
    struct id_sink sink = {ids, max_ids, 0};
    struct span content = {user, user == NULL ? 0 : user_length};
    if (m->chat == NULL) {
        how.special = false;
        return tokenize(&m->tokenizer, content, &how, &sink, err);
    }
    bool opened = put_lead(&r, m, system, first);
    if (user != NULL) {
        if (!opened)
            put_text(&r, &m->vocab, m->chat->user.before);
        how.literal_from = r.n;
        put(&r, content_of(m->chat, content));
        how.literal_to = r.n;
        put_text(&r, &m->vocab, m->chat->user.behind);
    }
    return tokenize(&m->tokenizer, (struct span){r.at, r.n}, &how, &sink, err);
}
