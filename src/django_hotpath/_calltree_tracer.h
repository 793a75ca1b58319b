/* The type Tracer: the life of one. */

#ifndef HOTPATH_CALLTREE_TRACER_H
#define HOTPATH_CALLTREE_TRACER_H

#include "_calltree_result.h"

static uint32_t serials;
static Py_ssize_t living; /* Tracer objects, for tests of leaks */

static PyObject *
tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"max_nodes", "builtins", "max_spans", "least_ns", NULL};
    Py_ssize_t limit = 1000000, max_spans = 50000;
    long long least_ns = 20000;
    int builtins = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$npnL", names, &limit, &builtins, &max_spans,
                                     &least_ns))
        return NULL;
    if (limit < 1 || limit > LARGEST_LIMIT) {
        PyErr_SetString(PyExc_ValueError, "max_nodes is out of range");
        return NULL;
    }
    if (max_spans < 1 || max_spans > LARGEST_SPANS || least_ns < 0 || least_ns > LLONG_MAX / 32) {
        PyErr_SetString(PyExc_ValueError, "max_spans or least_ns is out of range");
        return NULL;
    }
    Tracer *self = (Tracer *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    living++;
    /* The root is a node too. */
    self->limit = (uint32_t)limit + 1;
    self->builtins = builtins;
    self->spans.limit = (size_t)max_spans;
    self->least_ns = least_ns;
    self->serial = ++serials;
    if (make_room(self) < 0) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    memset(&self->nodes[ROOT], 0, sizeof(Node));
    self->nodes[ROOT].parent = NONE;
    self->count = 1;
    return (PyObject *)self;
}

static int
tracer_traverse(PyObject *object, visitproc visit, void *arg)
{
    Tracer *self = (Tracer *)object;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->outer);
    Py_VISIT(self->above);
    return 0;
}

/* `outer` stays: an event may be on its way along it. */
static int
tracer_clear(PyObject *object)
{
    Py_CLEAR(((Tracer *)object)->above);
    return 0;
}

static void
tracer_dealloc(PyObject *object)
{
    Tracer *self = (Tracer *)object;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (found.tracer == self)
        forget_found();
    if (self->state == RUNNING)
        builtins_wanted -= self->builtins;
    self->state = STOPPED;
    living--;
    forget_stacks(self);
    forget_nodes(self);
    Py_CLEAR(self->above);
    /* One by one, where each would otherwise be deallocated within the last. */
    Tracer *outer = self->outer;
    self->outer = NULL;
    while (outer != NULL && Py_REFCNT(outer) == 1) {
        Tracer *next = outer->outer;
        outer->outer = NULL;
        Py_DECREF(outer);
        outer = next;
    }
    Py_XDECREF(outer);
    type->tp_free(object);
    Py_DECREF(type);
}

static Tracer *
current_here(void)
{
    return current(PyThreadState_Get());
}

static int
set_current(Tracer *tracer)
{
    PyObject *value = tracer == NULL ? Py_None : (PyObject *)tracer;
    PyObject *token = PyContextVar_Set(current_var, value);
    forget_found();
    Py_XDECREF(token);
    return token == NULL ? -1 : 0;
}

/* The innermost, from this one outwards, that has not stopped. */
static Tracer *
not_stopped(Tracer *tracer)
{
    while (tracer != NULL && tracer->state == STOPPED)
        tracer = tracer->outer;
    return tracer;
}

static int
is_within(const Tracer *self, const Tracer *innermost)
{
    while (innermost != NULL && innermost != self)
        innermost = innermost->outer;
    return innermost == self;
}

static int
fail_to_start(Tracer *self)
{
    forget_stacks(self);
    Py_CLEAR(self->outer);
    self->state = NEW;
    return -1;
}

/* Which generators and coroutines hold the block that the tracer is started in. */
static int
remember_outside(Tracer *self)
{
    PyFrameObject *frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    while (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        int failed = (code->co_flags & SUSPENDABLE) &&
                     map_put(&self->outside, key_of_frame(frame, code), 0) < 0;
        Py_DECREF(code);
        PyFrameObject *back = failed ? NULL : PyFrame_GetBack(frame);
        Py_DECREF(frame);
        if (failed)
            PyErr_NoMemory();
        frame = back;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
tracer_start(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    Tracer *self = (Tracer *)object;
    if (self->state != NEW) {
        PyErr_SetString(PyExc_RuntimeError, "a Tracer starts once");
        return NULL;
    }
    self->state = STARTING;
    if (remember_outside(self) < 0) {
        fail_to_start(self);
        return NULL;
    }
    if (stack_push(&self->owner, NULL, ROOT, OF_PYTHON, 0) < 0) {
        fail_to_start(self);
        return PyErr_NoMemory();
    }
    self->outer = (Tracer *)Py_XNewRef((PyObject *)not_stopped(current_here()));
    if (set_current(self) < 0) {
        fail_to_start(self);
        return NULL;
    }
    self->state = RUNNING;
    builtins_wanted += self->builtins;
    self->begun = moment_now();
    self->spans.least = about_ticks(self->least_ns, self->begun);
    bind_owner(self, PyThreadState_Get()->id, now_ticks());
    Py_RETURN_NONE;
}

static PyObject *
tracer_pause(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    Tracer *self = (Tracer *)object;
    if (self->state != RUNNING || self->paused)
        Py_RETURN_NONE;
    int64_t now = now_ticks();
    unbind_owner(self, now);
    if (!self->awaiting)
        self->nodes[ROOT].wait -= (uint64_t)now;
    self->awaiting = 0;
    self->paused = 1;
    Tracer *holder = current_here();
    if (is_within(self, holder)) {
        /* A tracer that was started inside the work has no work either. */
        Tracer *above = holder == self ? NULL : holder;
        Py_XSETREF(self->above, (Tracer *)Py_XNewRef((PyObject *)above));
        if (set_current(not_stopped(self->outer)) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
tracer_resume(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    Tracer *self = (Tracer *)object;
    if (self->state != RUNNING || !self->paused)
        Py_RETURN_NONE;
    if (!is_within(self, current_here())) {
        Tracer *innermost = not_stopped(self->above);
        if (set_current(innermost == NULL ? self : innermost) < 0)
            return NULL;
    }
    Py_CLEAR(self->above);
    if (self->state != RUNNING || !self->paused)
        Py_RETURN_NONE;
    int64_t now = now_ticks();
    self->paused = 0;
    self->nodes[ROOT].wait += (uint64_t)now;
    bind_owner(self, PyThreadState_Get()->id, now);
    Py_RETURN_NONE;
}

static PyObject *
tracer_stop(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    Tracer *self = (Tracer *)object;
    if (self->state != RUNNING)
        Py_RETURN_NONE;
    int64_t now = now_ticks();
    if (!self->bound)
        self->nodes[ROOT].wait += (uint64_t)now;
    unbind_owner(self, now);
    for (size_t index = 0; index < self->guest_count; index++) {
        spend(self, &self->guests[index], now);
        cut_runs(self, &self->guests[index], now);
    }
    for (uint32_t node = 0; node < self->count; node++)
        self->nodes[node].wait += self->nodes[node].suspended * (uint64_t)now;
    self->ended = moment_now();
    note_scale(self->begun, self->ended);
    self->state = STOPPED;
    builtins_wanted -= self->builtins;
    forget_stacks(self);
    Py_CLEAR(self->above);
    if (current_here() == self && set_current(not_stopped(self->outer)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef tracer_methods[] = {
    {"start", tracer_start, METH_NOARGS, "Trace what runs in this context from here."},
    {"pause", tracer_pause, METH_NOARGS, "What runs now is somebody else's."},
    {"resume", tracer_resume, METH_NOARGS, "The work goes on, in this thread."},
    {"stop", tracer_stop, METH_NOARGS, "End for good, from any thread; safe twice."},
    {"result", tracer_result, METH_NOARGS,
     "The tree as parallel lists, once; frees everything that was held for it."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot tracer_slots[] = {
    {Py_tp_doc, "Builds the exact calling-context tree of one piece of work."},
    {Py_tp_new, tracer_new},
    {Py_tp_traverse, tracer_traverse},
    {Py_tp_clear, tracer_clear},
    {Py_tp_dealloc, tracer_dealloc},
    {Py_tp_methods, tracer_methods},
    {0, NULL}};

static PyType_Spec tracer_spec = {"django_hotpath._calltree.Tracer", sizeof(Tracer), 0,
                                  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, tracer_slots};

#endif
