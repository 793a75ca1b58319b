/* What a Tracer keeps: the nodes of its tree, and a stack of them for each thread. */

#ifndef HOTPATH_CALLTREE_TREE_H
#define HOTPATH_CALLTREE_TREE_H

#include "_calltree_clock.h"
#include "_calltree_spans.h"

#define ROOT 0u
/* Node numbers are signed where they are handed out; 32 bits of address hold fewer. */
#define LARGEST_LIMIT (sizeof(void *) > 4 ? (Py_ssize_t)INT32_MAX - 1 : (Py_ssize_t)1 << 24)

enum { NODE_HANDOVER = 1 };
enum { NEW, STARTING, RUNNING, STOPPED };
/* An entry of a stack: a Python function, a C function, or a call that found no room in the tree
   (its time goes to the node of its caller, and nothing else). */
enum { OF_PYTHON, OF_C, OF_NO_NODE };

typedef struct {
    void *ident;     /* the code object; what a C function is told by, see c_ident() */
    PyObject *key;   /* strong: the code object, or the name or type of what is called in C */
    uint64_t calls;
    int64_t own;     /* ticks */
    uint64_t wait;   /* ticks: the moments of resuming minus those of suspending, modulo 2**64 */
    uint32_t parent;
    uint32_t last_child; /* the one used last, which is most often the next one too */
    uint32_t suspended;
    uint32_t flags;
} Node;

typedef struct {
    void *ident;
    int64_t start; /* of its run: since it was entered, resumed or given the thread back */
    uint32_t node;
    uint32_t kind;
} Entry;

typedef struct {
    uint64_t thread;
    Entry *entries;
    size_t depth, capacity;
    int64_t last; /* up to where the time of its top is counted */
    void *base;   /* key in `resumed` of the frame at its bottom, or NULL */
    uint32_t lane; /* of a guest; NONE until it has a span */
} Stack;

typedef struct Tracer {
    PyObject_HEAD
    Node *nodes;
    uint32_t count, capacity, limit;
    uint32_t *buckets;
    size_t bucket_count;
    Stack owner;   /* while `bound`: of the thread that runs the work itself; the root is below */
    Stack *guests; /* of other threads and tasks that belong to the work; they move, never keep one */
    size_t guest_count, guest_capacity;
    Map outside; /* frames that can be resumed and were under way at the start */
    Map resumed; /* frames at the bottom of a guest's stack -> node they hang from */
    struct Tracer *outer; /* strong: its work includes this one's */
    struct Tracer *above; /* strong, while paused: what had taken our place in the context */
    Spans spans;
    int64_t least_ns; /* what `spans.least` begins with */
    Moment begun, ended;
    uint64_t lost, mismatches;
    uint32_t serial;
    int bound, awaiting, paused, state, builtins;
} Tracer;

static size_t
bucket_of(const Tracer *self, uint32_t parent, void *ident)
{
    size_t mask = self->bucket_count - 1;
    size_t slot = mixed((uint64_t)(uintptr_t)ident + (uint64_t)parent * 0x632BE59BD9B4E019u) & mask;
    for (;; slot = (slot + 1) & mask) {
        uint32_t node = self->buckets[slot];
        if (node == NONE)
            return slot;
        if (self->nodes[node].ident == ident && self->nodes[node].parent == parent)
            return slot;
    }
}

static int
make_room(Tracer *self)
{
    if (self->count < self->capacity)
        return 0;
    if (self->count >= self->limit)
        return -1;
    uint32_t capacity = self->capacity ? self->capacity * 2 : 1024;
    if (capacity > self->limit)
        capacity = self->limit;
    Node *nodes = PyMem_RawRealloc(self->nodes, (size_t)capacity * sizeof(Node));
    if (nodes == NULL)
        return -1;
    self->nodes = nodes;
    size_t bucket_count = 2048;
    while (bucket_count < (size_t)capacity * 2)
        bucket_count *= 2;
    uint32_t *buckets = PyMem_RawMalloc(bucket_count * sizeof(uint32_t));
    if (buckets == NULL)
        return -1;
    memset(buckets, 0xFF, bucket_count * sizeof(uint32_t));
    PyMem_RawFree(self->buckets);
    self->buckets = buckets;
    self->bucket_count = bucket_count;
    self->capacity = capacity;
    for (uint32_t node = 1; node < self->count; node++)
        buckets[bucket_of(self, nodes[node].parent, nodes[node].ident)] = node;
    return 0;
}

/* The node of `ident` below `parent`; NONE when there is none. */
static inline uint32_t
find_child(Tracer *self, uint32_t parent, void *ident)
{
    uint32_t node = self->nodes[parent].last_child;
    if (node != ROOT && self->nodes[node].ident == ident)
        return node;
    node = self->buckets[bucket_of(self, parent, ident)];
    if (node != NONE)
        self->nodes[parent].last_child = node;
    return node;
}

/* One that find_child() did not find; NONE when there is no room. */
static uint32_t
new_child(Tracer *self, uint32_t parent, void *ident, PyObject *key, uint32_t flags)
{
    if (make_room(self) < 0)
        return NONE;
    uint32_t node = self->count++;
    Node *created = &self->nodes[node];
    memset(created, 0, sizeof(Node));
    created->ident = ident;
    created->key = Py_NewRef(key);
    created->parent = parent;
    created->flags = flags;
    self->buckets[bucket_of(self, parent, ident)] = node;
    self->nodes[parent].last_child = node;
    return node;
}

static int
stack_push(Stack *stack, void *ident, uint32_t node, uint32_t kind, int64_t now)
{
    if (stack->depth == stack->capacity) {
        size_t capacity = stack->capacity ? stack->capacity * 2 : 64;
        Entry *entries = PyMem_RawRealloc(stack->entries, capacity * sizeof(Entry));
        if (entries == NULL)
            return -1;
        stack->entries = entries;
        stack->capacity = capacity;
    }
    Entry *entry = &stack->entries[stack->depth++];
    entry->ident = ident;
    entry->start = now;
    entry->node = node;
    entry->kind = kind;
    return 0;
}

static inline uint32_t
node_on_top(const Stack *stack)
{
    return stack->entries[stack->depth - 1].node;
}

static Stack *
guest_of(Tracer *self, uint64_t thread)
{
    for (size_t index = 0; index < self->guest_count; index++) {
        if (self->guests[index].thread == thread) {
            if (index > 0) {
                /* Most often the same thread comes again. */
                Stack guest = self->guests[index];
                self->guests[index] = self->guests[0];
                self->guests[0] = guest;
            }
            return &self->guests[0];
        }
    }
    return NULL;
}

/* guest_of(), or an empty one; NULL when there is no memory. */
static Stack *
guest_for(Tracer *self, uint64_t thread)
{
    Stack *guest = guest_of(self, thread);
    if (guest != NULL)
        return guest;
    for (size_t index = 0; index < self->guest_count; index++) {
        if (self->guests[index].depth == 0) {
            self->guests[index].thread = thread;
            return &self->guests[index];
        }
    }
    if (self->guest_count == self->guest_capacity) {
        size_t capacity = self->guest_capacity ? self->guest_capacity * 2 : 4;
        Stack *guests = PyMem_RawRealloc(self->guests, capacity * sizeof(Stack));
        if (guests == NULL)
            return NULL;
        self->guests = guests;
        self->guest_capacity = capacity;
    }
    guest = &self->guests[self->guest_count++];
    memset(guest, 0, sizeof(Stack));
    guest->thread = thread;
    guest->lane = NONE;
    return guest;
}

static void
forget_nodes(Tracer *self)
{
    Node *nodes = self->nodes;
    uint32_t count = self->count;
    self->nodes = NULL;
    self->count = self->capacity = 0;
    PyMem_RawFree(self->buckets);
    self->buckets = NULL;
    self->bucket_count = 0;
    forget_spans(&self->spans);
    /* What goes with a key may run anything. */
    for (uint32_t node = 0; node < count; node++)
        Py_XDECREF(nodes[node].key);
    PyMem_RawFree(nodes);
}

static void
forget_stacks(Tracer *self)
{
    PyMem_RawFree(self->owner.entries);
    memset(&self->owner, 0, sizeof(Stack));
    for (size_t index = 0; index < self->guest_count; index++)
        PyMem_RawFree(self->guests[index].entries);
    PyMem_RawFree(self->guests);
    self->guests = NULL;
    self->guest_count = self->guest_capacity = 0;
    forget_lanes(&self->spans);
    map_free(&self->outside);
    map_free(&self->resumed);
}

#endif
