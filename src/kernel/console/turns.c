/* turns.c - appending turns to a conversation and dropping the oldest ones. What is left after a
 * drop is, token for token, the conversation as if the dropped turns had never been. */
#include "console/turns.h"

#include "console/event.h"
#include "lib/string.h"
#include "mm/heap.h"

bool turns_take(struct turns *t, uint32_t ctx) {
    struct fluid_error err;
    size_t size = ctx * (sizeof(*t->ids) + sizeof(*t->start));

    t->ids = kmalloc(size);
    if (!t->ids) {
        fluid_fail(
            &err, "E-MEM-03",
            "%zu bytes of memory expected for the conversation, found none; give the machine more",
            size);
        report_error(&err);
        return false;
    }
    t->start = (uint32_t *)(t->ids + ctx);
    t->ctx = ctx;
    t->count = t->turns = 0;
    return true;
}

/* Renders a turn at ids[at ..]; returns its tokens, *lead of them BOS and system message (of the
 * first turn) or a line feed (of the others). */
static int64_t render(const struct turns *t, const struct turn *turn, uint32_t at, int64_t *lead,
                      struct fluid_error *err) {
    bool first = t->turns == 0;

    *lead = engine_chat_turn(turn->system, NULL, 0, first, t->ids + at, t->ctx - at, err);
    if (*lead < 0)
        return -1;
    return engine_chat_turn(turn->system, turn->text, turn->length, first, t->ids + at, t->ctx - at,
                            err);
}

static int no_room(const struct turns *t, uint32_t at, int64_t n, struct fluid_error *err) {
    return fluid_fail(
        err, "E-CTX-01",
        "at most %u more tokens fit into the context of %u, found %u; /clear starts a new "
        "conversation, /set shift on forgets the oldest turns",
        at < t->ctx ? t->ctx - at - 1 : 0, t->ctx, (unsigned)n);
}

bool turns_append(struct turns *t, const struct model *model, const struct turn *turn,
                  bool *dropped) {
    struct fluid_error err;
    int64_t lead, n;
    uint32_t at;

    *dropped = false;
    for (;;) {
        at = t->count;
        if (at > 0 && model->info.eot >= 0 && !engine_is_eog(t->ids[at - 1]) && at < t->ctx)
            t->ids[at++] = model->info.eot; /* the last reply was stopped: close its turn */
        n = render(t, turn, at, &lead, &err);
        if (n < 0 || (uint64_t)n < t->ctx - at) /* the reply needs room for a token, too */
            break;
        if (!turn->shift || turns_drop(t) == 0) {
            n = no_room(t, at, n, &err);
            break;
        }
        *dropped = true;
    }
    if (n == 0)
        n = fluid_fail(&err, "E-CON-06",
                       "text of at least one token expected, found none that this model knows; say "
                       "something else");
    if (n < 0) {
        report_error(&err);
        return false;
    }
    t->undo = t->count;
    t->start[t->turns++] = at + (uint32_t)lead;
    t->count = at + (uint32_t)n;
    return true;
}

void turns_undo(struct turns *t) {
    t->turns--;
    t->count = t->undo;
}

uint32_t turns_drop(struct turns *t) {
    uint32_t keep = t->turns > 0 ? t->start[0] : 0, first = 0, gone;

    while (first + 1 < t->turns && (first == 0 || t->count - t->start[first] + keep > t->ctx / 2))
        first++;
    if (first == 0)
        return 0;
    gone = t->start[first] - keep;
    memmove(t->ids + keep, t->ids + keep + gone, (t->count - keep - gone) * sizeof(*t->ids));
    t->count -= gone;
    t->turns -= first;
    for (uint32_t i = 0; i < t->turns; i++)
        t->start[i] = t->start[i + first] - gone;
    return gone;
}
