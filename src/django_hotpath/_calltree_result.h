/* What a Tracer gives when it has stopped. */

#ifndef HOTPATH_CALLTREE_RESULT_H
#define HOTPATH_CALLTREE_RESULT_H

#include "_calltree_builtins.h"

/* Steals the item. */
static int
append(PyObject *list, PyObject *item)
{
    int result = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return result;
}

static PyObject *
nanoseconds(int64_t ticks, double scale)
{
    return PyLong_FromLongLong(ticks > 0 ? (long long)((double)ticks * scale) : 0);
}

enum { CODES, PARENT, FRAME, CALLS, OWN, WAIT, LISTS };

static int
fill_lists(const Tracer *self, PyObject **lists, Map *known)
{
    double scale = ns_per_tick(self->begun, self->ended);
    for (uint32_t index = 0; index < self->count; index++) {
        const Node *node = &self->nodes[index];
        long parent = -1, frame = -1;
        if (index != ROOT) {
            uint32_t seen = map_get(known, node->ident);
            if (seen == NONE) {
                seen = (uint32_t)PyList_GET_SIZE(lists[CODES]);
                if (append(lists[CODES], plain_key(node)) < 0)
                    return -1;
                if (map_put(known, node->ident, seen) < 0) {
                    PyErr_NoMemory();
                    return -1;
                }
            }
            parent = (long)node->parent;
            frame = (long)seen;
        }
        if (append(lists[PARENT], PyLong_FromLong(parent)) < 0 ||
            append(lists[FRAME], PyLong_FromLong(frame)) < 0 ||
            append(lists[CALLS], PyLong_FromUnsignedLongLong(node->calls)) < 0 ||
            append(lists[OWN], nanoseconds(node->own, scale)) < 0 ||
            append(lists[WAIT], nanoseconds((int64_t)node->wait, scale)) < 0)
            return -1;
    }
    return 0;
}

static PyObject *
tracer_result(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    Tracer *self = (Tracer *)object;
    Map known = {NULL, NULL, 0, 0};
    PyObject *lists[LISTS] = {NULL};
    PyObject *result = NULL;
    for (int index = 0; index < LISTS; index++) {
        lists[index] = PyList_New(0);
        if (lists[index] == NULL)
            goto done;
    }
    /* Now that nothing runs any more which could take the nodes away. */
    if (self->state != STOPPED || self->nodes == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a Tracer gives its result once, after it has stopped");
        goto done;
    }
    if (fill_lists(self, lists, &known) < 0)
        goto done;
    result = Py_BuildValue("{sOsOsOsOsOsOsKsK}", "codes", lists[CODES], "parent", lists[PARENT],
                           "frame", lists[FRAME], "calls", lists[CALLS], "own_ns", lists[OWN],
                           "wait_ns", lists[WAIT], "lost", (unsigned long long)self->lost,
                           "mismatches", (unsigned long long)self->mismatches);
done:
    map_free(&known);
    for (int index = 0; index < LISTS; index++)
        Py_XDECREF(lists[index]);
    if (result != NULL)
        forget_nodes(self);
    return result;
}

#endif
