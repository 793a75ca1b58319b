/* What runs at a moment: the time goes to the top of a stack, and a call that ran is a span. */

#ifndef HOTPATH_CALLTREE_RUNS_H
#define HOTPATH_CALLTREE_RUNS_H

#include "_calltree_tree.h"

static inline void
spend(Tracer *self, Stack *stack, int64_t now)
{
    if (stack->depth > 0)
        self->nodes[node_on_top(stack)].own += now - stack->last;
    stack->last = now;
}

static void
add_run(Tracer *self, Stack *stack, const Entry *entry, int64_t now)
{
    uint32_t lane = OWN_LANE;
    if (stack != &self->owner) {
        if (stack->lane == NONE)
            stack->lane = lane_take(&self->spans, stack->entries[0].start);
        lane = stack->lane;
        if (lane == NONE) {
            spans_raise_above(&self->spans, now - entry->start);
            return;
        }
    }
    spans_add(&self->spans, entry->node, lane, entry->start, now);
}

/* What this entry did up to now. */
static inline void
note_run(Tracer *self, Stack *stack, const Entry *entry, int64_t now)
{
    if (now - entry->start >= self->spans.least && entry->kind != OF_NO_NODE)
        add_run(self, stack, entry, now);
}

/* Nothing on this stack runs from here until go_on(). */
static void
cut_runs(Tracer *self, Stack *stack, int64_t now)
{
    size_t bottom = stack == &self->owner ? 1 : 0;
    for (size_t place = stack->depth; place > bottom; place--) {
        const Entry *entry = &stack->entries[place - 1];
        if (now > entry->start)
            note_run(self, stack, entry, now);
    }
}

static void
go_on(Stack *stack, int64_t now)
{
    stack->last = now;
    for (size_t place = 0; place < stack->depth; place++)
        stack->entries[place].start = now;
}

/* The bottom of a guest's stack has been left. What is only suspended goes on in the same lane. */
static void
end_in_lane(Tracer *self, Stack *stack, int suspended, int64_t now)
{
    Spans *spans = &self->spans;
    if (stack->lane == NONE)
        return;
    if (!suspended || stack->base == NULL || map_put(&spans->of_base, stack->base, stack->lane) < 0) {
        map_remove(&spans->of_base, stack->base);
        lane_give_back(spans, stack->lane, now);
    }
    stack->lane = NONE;
}

/* The thread runs the work itself from here. A guest below it there waits. */
static void
bind_owner(Tracer *self, uint64_t thread, int64_t now)
{
    Stack *guest = guest_of(self, thread);
    if (guest != NULL) {
        spend(self, guest, now);
        cut_runs(self, guest, now);
    }
    self->owner.thread = thread;
    go_on(&self->owner, now);
    self->bound = 1;
}

static void
unbind_owner(Tracer *self, int64_t now)
{
    if (!self->bound)
        return;
    spend(self, &self->owner, now);
    cut_runs(self, &self->owner, now);
    self->bound = 0;
    Stack *guest = guest_of(self, self->owner.thread);
    if (guest != NULL)
        go_on(guest, now);
}

#endif
