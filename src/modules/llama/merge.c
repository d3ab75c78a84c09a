/* merge.c - the merge loop that both kinds of BPE share: best pair first, by a binary heap, so that
 * the time is n log n in the length of the text. */
#include "tokenizer.h"

static bool before(const struct bigram *a, const struct bigram *b) {
    return a->key < b->key || (a->key == b->key && a->left < b->left);
}

static void heap_push(struct tokenizer *t, struct bigram b) {
    uint32_t i = t->heap_n++;
    for (; i > 0 && before(&b, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = b;
}

static struct bigram heap_pop(struct tokenizer *t) {
    struct bigram top = t->heap[0], last = t->heap[--t->heap_n];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= t->heap_n)
            break;
        if (child + 1 < t->heap_n && before(&t->heap[child + 1], &t->heap[child]))
            child++;
        if (!before(&t->heap[child], &last))
            break;
        t->heap[i] = t->heap[child];
        i = child;
    }
    t->heap[i] = last;
    return top;
}

static struct span symbol_text(const struct tokenizer *t, const struct symbol *s) {
    return (struct span){t->text + s->at, s->n};
}

static void try_pair(struct tokenizer *t, int32_t left, int32_t right, rank_fn *rank) {
    uint32_t key;
    if (left < 0 || right < 0)
        return;
    const struct symbol *l = &t->symbols[left], *r = &t->symbols[right];
    if (rank(t->vocab, symbol_text(t, l), symbol_text(t, r), &key))
        heap_push(t, (struct bigram){key, left, right, l->n + r->n});
}

void merge_symbols(struct tokenizer *t, uint32_t count, rank_fn *rank) {
    /* Each merge takes one entry out and puts at most two in, and there are fewer than count
     * merges: 2 * count entries suffice. */
    t->heap_n = 0;
    for (uint32_t i = 1; i < count; i++)
        try_pair(t, (int32_t)i - 1, (int32_t)i, rank);
    while (t->heap_n > 0) {
        struct bigram b = heap_pop(t);
        struct symbol *left = &t->symbols[b.left], *right = &t->symbols[b.right];
        if (left->n == 0 || right->n == 0 || left->n + right->n != b.n)
            continue; /* one of them was merged since */
        left->n = b.n;
        right->n = 0;
        left->next = right->next;
        if (right->next >= 0)
            t->symbols[right->next].prev = b.left;
        try_pair(t, left->prev, b.left, rank);
        try_pair(t, b.left, left->next, rank);
    }
}
