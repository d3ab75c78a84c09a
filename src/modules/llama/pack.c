/* pack.c - weights rearranged in place: groups of sixteen rows, shared by all cores. */
#include "pack.h"

#include "checked.h"
#include "fluid/tensor.h"
#include "gguf.h"

struct packing {
    pack_fn *code;
    uint8_t *data; /* group 0 */
    uint32_t cols;
    uint64_t bytes; /* of a group */
    uint8_t *room;  /* (cores, bytes) */
};

static void pack_group(void *context, uint32_t index, uint32_t core) {
    const struct packing *p = context;
    uint8_t *group = p->data + index * p->bytes, *room = p->room + core * p->bytes;
    p->code(room, group, p->cols);
    memcpy(group, room, p->bytes);
}

static uint64_t group_bytes(const struct matrix *m) {
    return checked_mul(PACK_ROWS, gguf_row_bytes(m->type, m->cols));
}

static void pack(const struct matrix *m, void *room) {
    if (m->pack == NULL)
        return;
    struct packing p = {
        .code = (pack_fn *)m->pack->code,
        .data = m->data,
        .cols = m->cols,
        .bytes = group_bytes(m),
        .room = room,
    };
    uint64_t begin = fluid_call_begin();
    fluid_parallel_for(m->rows / PACK_ROWS, pack_group, &p);
    fluid_call_end(m->pack, begin);
    fluid_poll(); /* what is typed meanwhile is for later: there is nothing to stop yet */
}

typedef void matrix_fn(const struct matrix *m, void *context);

static void each_matrix(const struct weights *w, uint32_t layers, matrix_fn *function,
                        void *context) {
    function(&w->embedding, context);
    for (uint32_t i = 0; i < layers; i++) {
        const struct layer *l = &w->layer[i];
        const struct matrix *all[] = {&l->wq, &l->wk, &l->wv, &l->wo, &l->gate, &l->up, &l->down};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            function(all[k], context);
    }
    if (w->output.data != w->embedding.data)
        function(&w->output, context);
}

static void find_largest(const struct matrix *m, void *context) {
    uint64_t *largest = context, bytes = group_bytes(m);
    if (m->pack != NULL && bytes > *largest)
        *largest = bytes;
}

int pack_weights(struct weights *w, uint32_t layers, struct fluid_error *err) {
    uint64_t largest = 1;
    each_matrix(w, layers, find_largest, &largest);
    uint64_t bytes = checked_mul(largest, fluid_core_count());
    void *room = bytes <= SIZE_MAX ? fluid_alloc((size_t)bytes, 64) : NULL;
    if (room == NULL)
        return fluid_fail(err, "E-MEM-02",
                          "weights: %llu bytes to arrange them expected, at most %zu free (give "
                          "the machine more memory or use a smaller model)",
                          (unsigned long long)bytes, fluid_memory_free());
    each_matrix(w, layers, pack, room);
    fluid_free(room);
    return 0;
}
