/* turns.h - the tokens of a conversation, and where each of its turns begins. */
#ifndef KERNEL_CONSOLE_TURNS_H
#define KERNEL_CONSOLE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/model.h"

struct turns {
    int32_t *ids; /* (ctx,) tokens so far */
    uint32_t
        *start; /* (ctx,) where each turn begins in ids; before start[0]: BOS, system message */
    uint32_t ctx;
    uint32_t count; /* tokens */
    uint32_t turns; /* 0: no conversation yet */
    uint32_t undo;  /* count before the last turn was appended */
};

/* What is said in a turn. */
struct turn {
    const char *system; /* message at the start of a conversation; NULL: the model's default */
    const char *text;   /* of the user */
    size_t length;
    bool shift; /* forget the oldest turns when there is no room */
};

/* Memory for a context of ctx tokens; false after a reported error. */
bool turns_take(struct turns *t, uint32_t ctx);
/* Appends a turn in the model's template, after closing one whose reply was stopped. Leaves room
 * for one token of the reply. false after a reported error: nothing was appended. *dropped: turns
 * were, as by turns_drop. */
bool turns_append(struct turns *t, const struct model *model, const struct turn *turn,
                  bool *dropped);
/* Takes the last turn back. */
void turns_undo(struct turns *t);
/* Forgets the oldest turns until half of the context is free, at least one, never the last. Returns
 * how many tokens went, from start[0] on; 0: there was only one turn. */
uint32_t turns_drop(struct turns *t);
#endif
