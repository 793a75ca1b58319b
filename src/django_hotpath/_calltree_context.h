/* Which Tracer a context (PEP 567) belongs to. */

#ifndef HOTPATH_CALLTREE_CONTEXT_H
#define HOTPATH_CALLTREE_CONTEXT_H

#include "_calltree_tree.h"

static PyTypeObject *tracer_type;
static PyObject *current_var;

static void *restorer;

/* What the last lookup found, for as long as the same thread stays in the same context. The tracer
   is borrowed from the context; one that is deallocated is forgotten. Setting the variable does not
   change the version, so whoever sets it forgets this: we, and asgiref, which copies all variables
   of one context into another (in the function `restorer`). */
static struct {
    uint64_t thread, version;
    Tracer *tracer;
} found;

static void
forget_found(void)
{
    found.thread = found.version = 0;
    found.tracer = NULL;
}

static Tracer *
look_up(const PyThreadState *thread)
{
    PyObject *value = NULL;
    if (PyContextVar_Get(current_var, NULL, &value) < 0) {
        PyErr_Clear();
        return NULL;
    }
    found.thread = thread->id;
    found.version = thread->context_ver;
    found.tracer = value != NULL && Py_IS_TYPE(value, tracer_type) ? (Tracer *)value : NULL;
    Py_XDECREF(value);
    return found.tracer;
}

/* The innermost tracer that this context belongs to, borrowed; NULL for most of the program. */
static inline Tracer *
current(const PyThreadState *thread)
{
    if (thread->id == found.thread && thread->context_ver == found.version)
        return found.tracer;
    return look_up(thread);
}

#endif
