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
fill_lists(const Tracer *self, PyObject **lists, Map *known, double scale)
{
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

/* One column of the spans, as bytes of the machine's own 64-bit integers. */
enum { SPAN_NODE, SPAN_START, SPAN_TOOK, SPAN_LANE, COLUMNS };

static int64_t
since_start(const Tracer *self, int64_t ticks, double scale)
{
    int64_t passed = ticks - self->begun.ticks;
    return passed > 0 ? (int64_t)((double)passed * scale) : 0;
}

static PyObject *
span_column(const Tracer *self, int column, double scale)
{
    const Spans *spans = &self->spans;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(spans->count * sizeof(int64_t)));
    if (bytes == NULL)
        return NULL;
    char *place = PyBytes_AS_STRING(bytes);
    for (size_t index = 0; index < spans->count; index++, place += sizeof(int64_t)) {
        const Span *span = &spans->kept[index];
        int64_t start = since_start(self, span->start, scale), value = start;
        if (column == SPAN_NODE)
            value = span->node;
        else if (column == SPAN_LANE)
            value = span->lane;
        /* Not the ticks that it took: an end must not be before that of what was called in it. */
        else if (column == SPAN_TOOK)
            value = since_start(self, span->end, scale) - start;
        memcpy(place, &value, sizeof(value));
    }
    return bytes;
}

/* What `least` is worth, rounded up. */
static long long
least_in_ns(const Tracer *self, double scale)
{
    double exact = (double)self->spans.least * scale;
    if (exact >= 9e18)
        return LLONG_MAX;
    long long least = (long long)exact;
    return (double)least < exact ? least + 1 : least;
}

static PyObject *
tracer_result(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    Tracer *self = (Tracer *)object;
    Map known = {NULL, NULL, 0, 0};
    PyObject *lists[LISTS] = {NULL}, *columns[COLUMNS] = {NULL};
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
    double scale = ns_per_tick(self->begun, self->ended);
    if (fill_lists(self, lists, &known, scale) < 0)
        goto done;
    spans_without(&self->spans, self->spans.least);
    /* A counter that went backwards says nothing of when anything was. */
    if (scale <= 0.0)
        self->spans.count = 0;
    for (int column = 0; column < COLUMNS; column++) {
        columns[column] = span_column(self, column, scale);
        if (columns[column] == NULL)
            goto done;
    }
    result = Py_BuildValue(
        "{sOsOsOsOsOsOsKsKsOsOsOsOsLsL}", "codes", lists[CODES], "parent", lists[PARENT], "frame",
        lists[FRAME], "calls", lists[CALLS], "own_ns", lists[OWN], "wait_ns", lists[WAIT], "lost",
        (unsigned long long)self->lost, "mismatches", (unsigned long long)self->mismatches,
        "span_node", columns[SPAN_NODE], "span_start_ns", columns[SPAN_START], "span_ns",
        columns[SPAN_TOOK], "span_lane", columns[SPAN_LANE], "least_ns", least_in_ns(self, scale),
        "begun_ns", (long long)self->begun.ns);
done:
    for (int column = 0; column < COLUMNS; column++)
        Py_XDECREF(columns[column]);
    map_free(&known);
    for (int index = 0; index < LISTS; index++)
        Py_XDECREF(lists[index]);
    if (result != NULL)
        forget_nodes(self);
    return result;
}

#endif
