/* Single calls in time order: when each ran, and beside which others (its lane).

   Kept are all calls that took at least `least`, however many there were: where they find no room,
   `least` is raised and the shorter ones go. */

#ifndef HOTPATH_CALLTREE_SPANS_H
#define HOTPATH_CALLTREE_SPANS_H

#include "_calltree_map.h"

#define OWN_LANE 0u
#define LARGEST_SPANS ((Py_ssize_t)1 << 24)

typedef struct {
    int64_t start, end; /* ticks */
    uint32_t node, lane;
} Span;

typedef struct {
    Span *kept;
    size_t count, capacity, limit;
    int64_t least; /* ticks */
    /* Lane n + 1 is free since free_since[n]; INT64_MAX while something has it. */
    int64_t *free_since;
    size_t lanes, lane_capacity, lanes_free;
    Map of_base; /* frames at the bottom of a guest's stack, suspended -> their lane */
} Spans;

static void
spans_without(Spans *spans, int64_t shorter_than)
{
    size_t count = 0;
    for (size_t index = 0; index < spans->count; index++) {
        const Span *span = &spans->kept[index];
        if (span->end - span->start >= shorter_than)
            spans->kept[count++] = *span;
    }
    spans->count = count;
}

/* From now on only longer calls than this one are kept; those kept already are sorted out when the
   result is made. */
static void
spans_raise_above(Spans *spans, int64_t took)
{
    if (spans->least <= took)
        spans->least = took < INT64_MAX ? took + 1 : INT64_MAX;
}

static int
spans_make_room(Spans *spans)
{
    if (spans->capacity < spans->limit) {
        size_t capacity = spans->capacity ? spans->capacity * 2 : 1024;
        if (capacity > spans->limit)
            capacity = spans->limit;
        Span *kept = PyMem_RawRealloc(spans->kept, capacity * sizeof(Span));
        if (kept != NULL) {
            spans->kept = kept;
            spans->capacity = capacity;
            return 0;
        }
    }
    if (spans->capacity == 0)
        return -1;
    /* Some room at once, so that not each call makes some. */
    while (spans->count >= spans->capacity - spans->capacity / 4) {
        spans->least = spans->least < 512              ? 1024
                       : spans->least <= INT64_MAX / 2 ? spans->least * 2
                                                       : INT64_MAX;
        spans_without(spans, spans->least);
    }
    return 0;
}

static void
spans_add(Spans *spans, uint32_t node, uint32_t lane, int64_t start, int64_t end)
{
    if (spans->count == spans->capacity && spans_make_room(spans) < 0)
        spans_raise_above(spans, end - start);
    if (end - start >= spans->least)
        spans->kept[spans->count++] = (Span){start, end, node, lane};
}

/* One that nothing has had since then; NONE without memory. */
static uint32_t
lane_take(Spans *spans, int64_t since)
{
    for (size_t index = 0; spans->lanes_free > 0 && index < spans->lanes; index++) {
        if (spans->free_since[index] <= since) {
            spans->free_since[index] = INT64_MAX;
            spans->lanes_free--;
            return (uint32_t)index + 1;
        }
    }
    if (spans->lanes == spans->lane_capacity) {
        size_t capacity = spans->lane_capacity ? spans->lane_capacity * 2 : 16;
        int64_t *free_since = NULL;
        if (capacity < NONE)
            free_since = PyMem_RawRealloc(spans->free_since, capacity * sizeof(int64_t));
        if (free_since == NULL)
            return NONE;
        spans->free_since = free_since;
        spans->lane_capacity = capacity;
    }
    spans->free_since[spans->lanes++] = INT64_MAX;
    return (uint32_t)spans->lanes;
}

static void
lane_give_back(Spans *spans, uint32_t lane, int64_t now)
{
    spans->free_since[lane - 1] = now;
    spans->lanes_free++;
}

static void
forget_lanes(Spans *spans)
{
    PyMem_RawFree(spans->free_since);
    spans->free_since = NULL;
    spans->lanes = spans->lane_capacity = spans->lanes_free = 0;
    map_free(&spans->of_base);
}

static void
forget_spans(Spans *spans)
{
    PyMem_RawFree(spans->kept);
    spans->kept = NULL;
    spans->count = spans->capacity = 0;
}

#endif
