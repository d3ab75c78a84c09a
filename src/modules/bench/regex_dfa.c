/* regex_dfa.c - benchmark: which of some regular expressions occur in each line of a log, found by
 * one deterministic automaton in one pass. Unit of work: characters.
 *
 * The expressions become a nondeterministic automaton (Thompson 1968: at most two ways out of each
 * state), and that a deterministic one by the subset construction; its start is a part of every
 * set, so that an expression may begin anywhere. The log is made here from a seed. The checksum is
 * FNV-1a over one byte per line, the set of expressions found in it; tests/host/regex_log.py
 * finds the same with another implementation of regular expressions. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_regex_dfa_open;
FLUID_EXPORT bench_call_fn bench_regex_dfa_call;
FLUID_EXPORT bench_close_fn bench_regex_dfa_close;

/* Literals, classes of ranges, ( ), |, + and *. */
static const char *const patterns[] = {
    "ERROR|FATAL",      "[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+", "timeout after [0-9]+ ms",
    "user=[a-z]+[0-9]", "(GET|PUT) /[a-z/]*index",           "0x[0-9a-f]+:",
};
#define PATTERNS (sizeof patterns / sizeof patterns[0])

static const struct bench_sizes sizes = {
    "characters", 1, {{4096, 0xfd607b5d}, {65536, 0x5ebb0ff3}, {1048576, 0x8e2ed3ff}}};

#define POLL_CHARACTERS 4096u

/* ---- the nondeterministic automaton */

#define NFA_MAX 256
#define NONE 0xffffu

struct nfa_state {
    bool consumes;   /* a character of set, then out[0]; else both ways out are free */
    uint8_t accepts; /* expressions that end here, as bits */
    uint16_t out[2]; /* NONE: no way */
    uint32_t set[8]; /* bit per character */
};

struct nfa {
    struct nfa_state state[NFA_MAX];
    uint16_t count;
    bool full;
    const char *at; /* in the expression that is being read */
};

/* A part of an automaton: one way in, and a state without ways out at its end. */
struct part {
    uint16_t in, end;
};

static uint16_t add_state(struct nfa *n) {
    if (n->count == NFA_MAX) {
        n->full = true;
        return NFA_MAX - 1;
    }
    n->state[n->count].out[0] = n->state[n->count].out[1] = NONE;
    return n->count++;
}

static void add_range(uint32_t set[8], uint8_t first, uint8_t last) {
    for (unsigned c = first; c <= last; c++)
        set[c / 32] |= 1u << c % 32;
}

static uint8_t read_character(struct nfa *n) {
    if (*n->at == '\\')
        n->at++;
    return (uint8_t)*n->at++;
}

static struct part read_set(struct nfa *n) {
    struct part p = {add_state(n), add_state(n)};
    struct nfa_state *s = &n->state[p.in];
    s->consumes = true;
    s->out[0] = p.end;
    if (*n->at != '[') {
        uint8_t c = read_character(n);
        add_range(s->set, c, c);
        return p;
    }
    for (n->at++; *n->at != ']';) {
        uint8_t first = read_character(n), last = first;
        if (*n->at == '-') {
            n->at++;
            last = read_character(n);
        }
        add_range(s->set, first, last);
    }
    n->at++;
    return p;
}

static struct part read_alternatives(struct nfa *n);

static struct part read_repeated(struct nfa *n) {
    struct part p;
    if (*n->at == '(') {
        n->at++;
        p = read_alternatives(n);
        n->at++; /* ')' */
    } else {
        p = read_set(n);
    }
    for (; *n->at == '+' || *n->at == '*'; n->at++) {
        uint16_t in = add_state(n), end = add_state(n);
        n->state[in].out[0] = p.in;
        if (*n->at == '*')
            n->state[in].out[1] = end;
        n->state[p.end].out[0] = p.in;
        n->state[p.end].out[1] = end;
        p = (struct part){in, end};
    }
    return p;
}

static struct part read_sequence(struct nfa *n) {
    struct part p = read_repeated(n);
    while (*n->at != '\0' && *n->at != '|' && *n->at != ')') {
        struct part next = read_repeated(n);
        n->state[p.end].out[0] = next.in;
        p.end = next.end;
    }
    return p;
}

static struct part read_alternatives(struct nfa *n) {
    struct part p = read_sequence(n);
    while (*n->at == '|') {
        n->at++;
        struct part other = read_sequence(n);
        uint16_t in = add_state(n), end = add_state(n);
        n->state[in].out[0] = p.in;
        n->state[in].out[1] = other.in;
        n->state[p.end].out[0] = n->state[other.end].out[0] = end;
        p = (struct part){in, end};
    }
    return p;
}

/* All expressions, one after the other behind free ways; returns where it starts. */
static uint16_t read_all(struct nfa *n) {
    uint16_t start = add_state(n), at = start;
    for (unsigned i = 0; i < PATTERNS; i++) {
        n->at = patterns[i];
        struct part p = read_alternatives(n);
        n->state[p.end].accepts = (uint8_t)(1u << i);
        n->state[at].out[0] = p.in;
        n->state[at].out[1] = i + 1 < PATTERNS ? add_state(n) : NONE;
        at = n->state[at].out[1];
    }
    return start;
}

/* ---- the deterministic automaton */

#define DFA_MAX 512
#define CHARACTERS 128 /* the log is ASCII */

struct nfa_set {
    uint32_t bits[NFA_MAX / 32];
};

struct work {
    struct nfa nfa;
    uint16_t start; /* of nfa */
    uint16_t count; /* of the deterministic states, the first one starts */
    struct nfa_set sets[DFA_MAX];
    uint16_t next[DFA_MAX][CHARACTERS];
    uint8_t accepts[DFA_MAX];
    uint64_t size;
    char log[]; /* (size,) */
};

static void add_to_set(const struct nfa *n, struct nfa_set *set, uint16_t state) {
    if (state == NONE || set->bits[state / 32] >> state % 32 & 1)
        return;
    set->bits[state / 32] |= 1u << state % 32;
    if (n->state[state].consumes)
        return;
    add_to_set(n, set, n->state[state].out[0]);
    add_to_set(n, set, n->state[state].out[1]);
}

static struct nfa_set step(const struct work *w, const struct nfa_set *from, unsigned c) {
    struct nfa_set to = {{0}};
    add_to_set(&w->nfa, &to, w->start);
    for (uint16_t i = 0; i < w->nfa.count; i++) {
        const struct nfa_state *s = &w->nfa.state[i];
        if (from->bits[i / 32] >> i % 32 & 1 && s->consumes && s->set[c / 32] >> c % 32 & 1)
            add_to_set(&w->nfa, &to, s->out[0]);
    }
    return to;
}

/* The deterministic state of this set; DFA_MAX: there are too many. */
static uint16_t state_of(struct work *w, const struct nfa_set *set) {
    for (uint16_t i = 0; i < w->count; i++)
        if (memcmp(&w->sets[i], set, sizeof *set) == 0)
            return i;
    if (w->count == DFA_MAX)
        return DFA_MAX;
    w->sets[w->count] = *set;
    for (uint16_t i = 0; i < w->nfa.count; i++)
        if (set->bits[i / 32] >> i % 32 & 1)
            w->accepts[w->count] |= w->nfa.state[i].accepts;
    return w->count++;
}

static bool build(struct work *w) {
    struct nfa_set first = {{0}};
    w->start = read_all(&w->nfa);
    add_to_set(&w->nfa, &first, w->start);
    state_of(w, &first);
    for (uint16_t i = 0; i < w->count; i++) {
        for (unsigned c = 0; c < CHARACTERS; c++) {
            struct nfa_set set = step(w, &w->sets[i], c);
            w->next[i][c] = state_of(w, &set);
            if (w->next[i][c] == DFA_MAX)
                return false;
        }
    }
    return !w->nfa.full;
}

/* ---- the log */

static uint32_t draw(uint32_t *random, uint32_t below) {
    return mix_draw(random) % below;
}

static void write_log(struct work *w) {
    /* '#' becomes a digit, '@' a letter, '%' a hexadecimal digit; '~' one of the words. */
    static const char *const lines[] = {
        "~ ##:##:## request from ##.#.##.### took ## ms\n",
        "~ user=@@@@ logged in, session 0x%%%%\n",
        "~ timeout after ### ms, user=@@@# waits\n",
        "~ GET /@@/@@@/index.html ###\n",
        "~ PUT /@@@@@@ ## bytes\n",
        "~ at 0x%%%%%%%%: @@@@ @@@@@@ @@\n",
        "~ @@@@@ @@ @@@@@@@ @@@ @@@@\n",
    };
    static const char *const words[] = {"INFO", "DEBUG", "WARN", "ERROR", "TRACE", "FATAL"};
    uint32_t random = mix_seed();
    for (uint64_t at = 0; at < w->size;) {
        const char *from = lines[draw(&random, sizeof lines / sizeof lines[0])];
        for (; *from != '\0' && at < w->size; from++) {
            const char *word = *from == '~' ? words[draw(&random, 6)] : "";
            for (; *word != '\0' && at < w->size; word++)
                w->log[at++] = *word;
            if (*from == '~' || at == w->size)
                continue;
            w->log[at++] = *from == '#'   ? (char)('0' + draw(&random, 10))
                           : *from == '@' ? (char)('a' + draw(&random, 26))
                           : *from == '%' ? "0123456789abcdef"[draw(&random, 16)]
                                          : *from;
        }
    }
}

/* ---- the benchmark */

int bench_regex_dfa_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    if (bench_choose(bench, &sizes, size, err) != 0 ||
        bench_allocate(bench, sizeof(struct work) + (size_t)bench->size, err) != 0)
        return -1;
    struct work *w = bench->work;
    w->size = bench->size;
    if (!build(w))
        fluid_panic("regex_dfa: the automaton is larger than its tables");
    write_log(w);
    return 0;
}

/* Characters from .. to; the state and the set of the line go on behind them. */
struct scan {
    uint16_t state;
    uint8_t found;
    uint32_t checksum;
};

static void scan(const struct work *w, struct scan *s, uint64_t from, uint64_t to) {
    uint16_t state = s->state;
    uint8_t found = s->found;
    for (uint64_t i = from; i < to; i++) {
        if (w->log[i] == '\n') {
            s->checksum = mix(s->checksum, found);
            found = 0;
            state = 0;
            continue;
        }
        state = w->next[state][(uint8_t)w->log[i] % CHARACTERS];
        found |= w->accepts[state];
    }
    s->state = state;
    s->found = found;
}

uint32_t bench_regex_dfa_call(const struct fluid_bench *bench) {
    const struct work *w = bench->work;
    struct scan s = {.checksum = MIX_START};
    for (uint64_t at = 0; at < w->size; at += POLL_CHARACTERS) {
        uint64_t left = w->size - at;
        scan(w, &s, at, at + (left < POLL_CHARACTERS ? left : POLL_CHARACTERS));
        if (fluid_poll())
            return 0;
    }
    return mix(s.checksum, s.found); /* the last line has no end */
}

void bench_regex_dfa_close(struct fluid_bench *bench) {
    fluid_free(bench->work);
}
