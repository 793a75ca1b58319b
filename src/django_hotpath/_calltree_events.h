/* What happens to the Tracers of a context when a function is entered or left.

   No Python code may run while a stack or node is in use here, or the array that it is in may move:
   whatever could run any comes first, or last. */

#ifndef HOTPATH_CALLTREE_EVENTS_H
#define HOTPATH_CALLTREE_EVENTS_H

#include "_calltree_context.h"
#include "_calltree_runs.h"

enum { AT_START, AT_RESUME };
enum { AT_YIELD, AT_RETURN };

#define SUSPENDABLE (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE)
#define AWAITABLE (CO_COROUTINE | CO_ITERABLE_COROUTINE)

static PyObject *handover_var;
static Map handovers; /* code objects that hand work over, kept for good */

/* What a frame is known by. Of frames that follow each other at one address only those of one
   function have the same. */
static inline void *
key_of_frame(PyFrameObject *frame, PyCodeObject *code)
{
    return (void *)((uintptr_t)frame ^ ((uintptr_t)code << 1));
}

/* That of the frame which the event is about; NULL without memory. Making the frame object runs no
   Python code: on 3.11 it is there already, since 3.12 nothing is collected while one is made. */
static void *
frame_key(PyCodeObject *code)
{
    PyFrameObject *frame = PyEval_GetFrame();
    return frame == NULL ? NULL : key_of_frame(frame, code);
}

/* Where work hangs that begins in a task or thread of its own: below what handed it over. */
static uint32_t
handed_over_by(Tracer *self)
{
    PyObject *value = NULL;
    uint32_t node = ROOT;
    if (PyContextVar_Get(handover_var, NULL, &value) < 0) {
        PyErr_Clear();
        return ROOT;
    }
    if (value != NULL && PyBytes_CheckExact(value)) {
        const char *bytes = PyBytes_AS_STRING(value);
        Py_ssize_t pairs = PyBytes_GET_SIZE(value) / 8;
        for (Py_ssize_t pair = 0; pair < pairs; pair++) {
            uint32_t handed[2];
            memcpy(handed, bytes + pair * 8, 8);
            if (handed[0] == self->serial && handed[1] < self->count)
                node = handed[1];
        }
    }
    Py_XDECREF(value);
    return node;
}

/* The stack that this thread's events belong to; NULL for a guest that is not there yet. */
static inline Stack *
stack_of(Tracer *self, uint64_t thread)
{
    return self->bound && self->owner.thread == thread ? &self->owner : guest_of(self, thread);
}

/* Python functions. Both return the node's flags. */

static uint32_t
enter(Tracer *self, uint64_t thread, PyCodeObject *code, int how, int64_t now)
{
    Stack *stack;
    uint32_t parent;
    void *base = NULL;
    int is_owner = self->bound && self->owner.thread == thread;
    if (is_owner) {
        stack = &self->owner;
        if (stack->depth == 1 && how == AT_RESUME && self->outside.used &&
            map_get(&self->outside, frame_key(code)) != NONE)
            return 0;
        parent = node_on_top(stack);
    }
    else {
        if (self->awaiting && how == AT_RESUME &&
            map_get(&self->outside, frame_key(code)) != NONE) {
            self->nodes[ROOT].wait += (uint64_t)now;
            self->awaiting = 0;
            bind_owner(self, thread, now);
            return 0;
        }
        stack = guest_for(self, thread);
        if (stack == NULL) {
            self->lost += how == AT_START;
            return 0;
        }
        if (stack->depth > 0)
            parent = node_on_top(stack);
        else {
            if (code->co_flags & SUSPENDABLE)
                base = frame_key(code);
            parent = how == AT_START ? NONE : map_get(&self->resumed, base);
            /* A task may come into the work after it has begun (asgiref's): what it calls is in the
               tree, and its own coroutine is so neither before nor after a suspension. */
            if (parent == NONE && how == AT_RESUME && (code->co_flags & AWAITABLE))
                return 0;
            if (parent == NONE)
                parent = handed_over_by(self);
        }
    }
    spend(self, stack, now);
    uint32_t kind = OF_PYTHON, node = find_child(self, parent, code);
    if (node == NONE) {
        uint32_t flags = map_get(&handovers, code) == NONE ? 0 : NODE_HANDOVER;
        node = new_child(self, parent, code, (PyObject *)code, flags);
    }
    if (node == NONE) {
        self->lost += how == AT_START;
        node = parent;
        kind = OF_NO_NODE;
    }
    else if (how == AT_START)
        self->nodes[node].calls++;
    else if ((code->co_flags & AWAITABLE) && self->nodes[node].suspended > 0) {
        self->nodes[node].suspended--;
        self->nodes[node].wait += (uint64_t)now;
    }
    if (stack_push(stack, code, node, kind, now) < 0) {
        self->lost++;
        return 0;
    }
    if (!is_owner && stack->depth == 1) {
        stack->base = base;
        stack->lane = map_get(&self->spans.of_base, base);
        /* Without memory for it the frame hangs from the root when it is resumed. */
        (void)map_put(&self->resumed, base, parent);
    }
    return kind == OF_NO_NODE ? 0 : self->nodes[node].flags;
}

/* A frame that was under way at the start, or before its thread had events. */
static void
leave_unknown(Tracer *self, PyCodeObject *code, int how, int to_consumer, int64_t now)
{
    void *frame = frame_key(code);
    if (how == AT_RETURN)
        map_remove(&self->outside, frame);
    else if (!to_consumer && map_get(&self->outside, frame) != NONE) {
        /* The coroutine that holds the block awaits; what follows are others' steps. */
        unbind_owner(self, now);
        self->awaiting = 1;
        self->nodes[ROOT].wait -= (uint64_t)now;
    }
}

static uint32_t
leave(Tracer *self, uint64_t thread, PyCodeObject *code, int how, int to_consumer, int64_t now)
{
    Stack *stack = stack_of(self, thread);
    if (stack == NULL)
        return 0;
    int is_owner = stack == &self->owner;
    size_t bottom = is_owner ? 1 : 0, place = stack->depth;
    while (place > bottom && stack->entries[place - 1].ident != (void *)code)
        place--;
    if (place == bottom) {
        if (stack->depth > bottom)
            self->mismatches++;
        else if (is_owner && (code->co_flags & SUSPENDABLE))
            leave_unknown(self, code, how, to_consumer, now);
        return 0;
    }
    spend(self, stack, now);
    for (size_t above = stack->depth; above > place; above--) {
        /* A C function that raised is told of by no event on some versions. */
        if (stack->entries[above - 1].kind != OF_C)
            self->mismatches++;
        note_run(self, stack, &stack->entries[above - 1], now);
    }
    note_run(self, stack, &stack->entries[place - 1], now);
    stack->depth = place - 1;
    if (stack->depth == 0) {
        if (how == AT_RETURN)
            map_remove(&self->resumed, stack->base);
        end_in_lane(self, stack, how == AT_YIELD, now);
    }
    if (stack->entries[place - 1].kind == OF_NO_NODE)
        return 0;
    Node *node = &self->nodes[stack->entries[place - 1].node];
    if (how == AT_YIELD && (code->co_flags & AWAITABLE)) {
        node->suspended++;
        node->wait -= (uint64_t)now;
    }
    return node->flags;
}

static void
set_handover(PyObject *value)
{
    PyObject *token = value == NULL ? NULL : PyContextVar_Set(handover_var, value);
    if (token == NULL)
        PyErr_Clear();
    Py_XDECREF(token);
}

/* What begins in this context from now on hangs below the node that is on top. */
static void
hand_over(Tracer *innermost, uint64_t thread)
{
    uint32_t pairs[32];
    Py_ssize_t used = 0;
    for (Tracer *each = innermost; each != NULL && used < 32; each = each->outer) {
        Stack *stack = each->state == RUNNING ? stack_of(each, thread) : NULL;
        if (stack != NULL && stack->depth > 0) {
            pairs[used++] = each->serial;
            pairs[used++] = node_on_top(stack);
        }
    }
    PyObject *value = PyBytes_FromStringAndSize((const char *)pairs, used * 4);
    set_handover(value);
    Py_XDECREF(value);
}

static void
entered(PyCodeObject *code, int how)
{
    const PyThreadState *state = PyThreadState_Get();
    Tracer *innermost = current(state);
    if (innermost == NULL)
        return;
    int64_t now = now_ticks();
    uint32_t flags = 0;
    for (Tracer *each = innermost; each != NULL; each = each->outer) {
        if (each->state == RUNNING)
            flags |= enter(each, state->id, code, how, now);
    }
    if ((flags & NODE_HANDOVER) && how == AT_START)
        hand_over(innermost, state->id);
}

static void
left(PyCodeObject *code, int how, int to_consumer)
{
    if (code == restorer)
        forget_found();
    const PyThreadState *state = PyThreadState_Get();
    Tracer *innermost = current(state);
    if (innermost == NULL)
        return;
    int64_t now = now_ticks();
    uint32_t flags = 0;
    for (Tracer *each = innermost; each != NULL; each = each->outer) {
        if (each->state == RUNNING)
            flags |= leave(each, state->id, code, how, to_consumer, now);
    }
    if (flags & NODE_HANDOVER)
        set_handover(Py_None);
}

/* An asynchronous generator hands a value to its consumer, rather than waiting. */
static int
is_for_consumer(PyCodeObject *code, PyObject *value)
{
    if (code->co_flags & CO_ASYNC_GENERATOR)
        return strcmp(Py_TYPE(value)->tp_name, "async_generator_wrapped_value") == 0;
    return !(code->co_flags & AWAITABLE);
}

#endif
