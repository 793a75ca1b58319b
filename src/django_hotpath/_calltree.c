/* The exact calling-context tree of one piece of work.

   A Tracer belongs to whatever runs under the context (PEP 567) that it was started in: tasks and
   worker threads inherit that context, other requests have another one. Every event of the
   interpreter is looked up there, so nothing of anybody else enters, in whichever thread it runs.

   From Python 3.12 the events come from sys.monitoring (the on_* functions are its callbacks), on
   3.11 from a profile function that hook_threads() puts into every thread.

   Everything here runs with the GIL held. Nothing here raises into the program that is measured. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

#if PY_VERSION_HEX < 0x030C0000
#include <opcode.h>
#define HAS_PROFILE_HOOK 1
#endif

#define NONE UINT32_MAX
#define ROOT 0u

enum { NODE_HANDOVER = 1 };
enum { NEW, RUNNING, STOPPED };
enum { AT_START, AT_RESUME };
enum { AT_YIELD, AT_RETURN };

#define SUSPENDABLE (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE)
#define AWAITABLE (CO_COROUTINE | CO_ITERABLE_COROUTINE)

typedef struct {
    void *ident;     /* the code object; of a C function its definition */
    PyObject *key;   /* strong: the code object, or the name of a C function */
    uint64_t calls;
    int64_t own;     /* ticks */
    int64_t wait;    /* ticks: the moments of resuming minus those of suspending */
    uint32_t parent;
    uint32_t last_child; /* the one used last, which is most often the next one too */
    uint32_t suspended;
    uint32_t flags;
} Node;

typedef struct {
    void *ident;
    uint32_t node;
    uint32_t is_c;
} Entry;

typedef struct {
    uint64_t thread;
    Entry *entries;
    size_t depth, capacity;
    int64_t last;
    void *base_frame;
} Stack;

/* Pointer -> number, open addressing, at most half full. */
typedef struct {
    void **keys;
    uint32_t *values;
    size_t used, size;
} Map;

typedef struct Tracer {
    PyObject_HEAD
    Node *nodes;
    uint32_t count, capacity, limit;
    uint32_t *buckets;
    size_t bucket_count;
    Stack owner;
    Stack *guests;
    size_t guest_count, guest_capacity;
    Map outside; /* frames that can be resumed and were under way at the start */
    Map resumed; /* frames at the bottom of a guest's stack -> node they hang from */
    struct Tracer *outer;
    uint64_t lost, mismatches;
    uint32_t serial;
    int bound, awaiting, paused, state, builtins;
} Tracer;

static PyTypeObject *tracer_type;
static PyObject *current_var;
static PyObject *handover_var;
static Map handovers;
static uint32_t serials;
static Py_ssize_t builtins_wanted; /* running tracers that record C functions */
static Py_ssize_t living; /* Tracer objects, for tests of leaks */

static int64_t
monotonic_ns(void)
{
#ifdef _WIN32
    static LARGE_INTEGER frequency;
    LARGE_INTEGER ticks;
    if (frequency.QuadPart == 0)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&ticks);
    return (int64_t)((double)ticks.QuadPart * 1e9 / (double)frequency.QuadPart);
#else
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (int64_t)moment.tv_sec * 1000000000 + moment.tv_nsec;
#endif
}

/* Reading the processor's own counter costs a third of asking for the time, and that is most of
   what an event costs us. Ticks become nanoseconds by the clock, over all the time since. */
#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_COUNTER 1
static int counting;
static int64_t counted_from_ticks, counted_from_ns;
#endif

static inline int64_t
now_ticks(void)
{
#ifdef HAS_COUNTER
    if (counting)
        return (int64_t)__builtin_ia32_rdtsc();
#endif
    return monotonic_ns();
}

static double
ns_per_tick(void)
{
#ifdef HAS_COUNTER
    if (counting) {
        int64_t ticks = now_ticks() - counted_from_ticks, ns = monotonic_ns() - counted_from_ns;
        return ticks > 0 ? (double)ns / (double)ticks : 1.0;
    }
#endif
    return 1.0;
}

static uint64_t
this_thread(void)
{
    return PyThreadState_Get()->id;
}

static size_t
mixed(uint64_t value)
{
    value ^= value >> 31;
    value *= 0x9E3779B97F4A7C15u;
    return (size_t)(value ^ (value >> 29));
}

/* Map */

static size_t
map_slot(const Map *map, void *key)
{
    size_t mask = map->size - 1, slot = mixed((uint64_t)(uintptr_t)key) & mask;
    while (map->keys[slot] != NULL && map->keys[slot] != key)
        slot = (slot + 1) & mask;
    return slot;
}

static uint32_t
map_get(const Map *map, void *key)
{
    if (map->used == 0)
        return NONE;
    size_t slot = map_slot(map, key);
    return map->keys[slot] == key ? map->values[slot] : NONE;
}

static void
map_free(Map *map)
{
    PyMem_RawFree(map->keys);
    PyMem_RawFree(map->values);
    memset(map, 0, sizeof(*map));
}

static int
map_put(Map *map, void *key, uint32_t value)
{
    if ((map->used + 1) * 2 > map->size) {
        Map larger = {NULL, NULL, 0, map->size ? map->size * 2 : 16};
        larger.keys = PyMem_RawCalloc(larger.size, sizeof(void *));
        larger.values = PyMem_RawCalloc(larger.size, sizeof(uint32_t));
        if (larger.keys == NULL || larger.values == NULL) {
            map_free(&larger);
            return -1;
        }
        for (size_t old = 0; old < map->size; old++) {
            if (map->keys[old] != NULL) {
                size_t slot = map_slot(&larger, map->keys[old]);
                larger.keys[slot] = map->keys[old];
                larger.values[slot] = map->values[old];
                larger.used++;
            }
        }
        map_free(map);
        *map = larger;
    }
    size_t slot = map_slot(map, key);
    if (map->keys[slot] == NULL) {
        map->keys[slot] = key;
        map->used++;
    }
    map->values[slot] = value;
    return 0;
}

static void
map_remove(Map *map, void *key)
{
    if (map->used == 0)
        return;
    size_t mask = map->size - 1, hole = map_slot(map, key);
    if (map->keys[hole] != key)
        return;
    map->used--;
    /* Whatever was pushed on by this entry moves up into its place. */
    for (size_t slot = (hole + 1) & mask; map->keys[slot] != NULL; slot = (slot + 1) & mask) {
        size_t home = mixed((uint64_t)(uintptr_t)map->keys[slot]) & mask;
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            map->keys[hole] = map->keys[slot];
            map->values[hole] = map->values[slot];
            hole = slot;
        }
    }
    map->keys[hole] = NULL;
}

/* The tree */

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

/* The node of `ident` below `parent`; NONE when there is no room for a new one. `key` is stolen. */
static uint32_t
child_of(Tracer *self, uint32_t parent, void *ident, PyObject *key)
{
    uint32_t node = self->nodes[parent].last_child;
    if (node != ROOT && self->nodes[node].ident == ident) {
        Py_DECREF(key);
        return node;
    }
    size_t slot = bucket_of(self, parent, ident);
    node = self->buckets[slot];
    if (node == NONE) {
        if (self->count == self->capacity) {
            if (make_room(self) < 0) {
                Py_DECREF(key);
                return NONE;
            }
            slot = bucket_of(self, parent, ident);
        }
        node = self->count++;
        Node *created = &self->nodes[node];
        memset(created, 0, sizeof(Node));
        created->ident = ident;
        created->key = key;
        created->parent = parent;
        if (map_get(&handovers, ident) != NONE)
            created->flags = NODE_HANDOVER;
        self->buckets[slot] = node;
    }
    else
        Py_DECREF(key);
    self->nodes[parent].last_child = node;
    return node;
}

static int
stack_push(Stack *stack, void *ident, uint32_t node, uint32_t is_c)
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
    entry->node = node;
    entry->is_c = is_c;
    return 0;
}

static Stack *
guest_of(Tracer *self, uint64_t thread, int create)
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
    if (!create)
        return NULL;
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
    Stack *guest = &self->guests[self->guest_count++];
    memset(guest, 0, sizeof(Stack));
    guest->thread = thread;
    return guest;
}

static void
spend(Tracer *self, Stack *stack, int64_t now)
{
    if (stack->depth > 0)
        self->nodes[stack->entries[stack->depth - 1].node].own += now - stack->last;
    stack->last = now;
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

static void
set_handover(PyObject *value)
{
    PyObject *token = value == NULL ? NULL : PyContextVar_Set(handover_var, value);
    if (token == NULL)
        PyErr_Clear();
    Py_XDECREF(token);
}

/* Events. `enter` returns the node's flags. */

static uint32_t
enter(Tracer *self, PyCodeObject *code, int how, int64_t now)
{
    uint64_t thread = this_thread();
    int suspendable = code->co_flags & SUSPENDABLE;
    Stack *stack;
    uint32_t parent;
    void *frame = NULL;
    if (self->bound && self->owner.thread == thread) {
        stack = &self->owner;
        if (stack->depth == 1 && how == AT_RESUME && self->outside.used &&
            map_get(&self->outside, PyEval_GetFrame()) != NONE)
            return 0;
        parent = stack->entries[stack->depth - 1].node;
    }
    else {
        if (self->awaiting && how == AT_RESUME &&
            map_get(&self->outside, PyEval_GetFrame()) != NONE) {
            self->nodes[ROOT].wait += now;
            self->awaiting = 0;
            self->bound = 1;
            self->owner.thread = thread;
            self->owner.last = now;
            return 0;
        }
        stack = guest_of(self, thread, 1);
        if (stack == NULL) {
            self->lost++;
            return 0;
        }
        if (stack->depth > 0)
            parent = stack->entries[stack->depth - 1].node;
        else {
            if (suspendable)
                frame = PyEval_GetFrame();
            parent = how == AT_START ? NONE : map_get(&self->resumed, frame);
            if (parent == NONE)
                parent = handed_over_by(self);
        }
    }
    spend(self, stack, now);
    uint32_t node = child_of(self, parent, code, Py_NewRef((PyObject *)code));
    if (node == NONE) {
        self->lost++;
        node = parent;
    }
    else if (how == AT_START)
        self->nodes[node].calls++;
    else if ((code->co_flags & AWAITABLE) && self->nodes[node].suspended > 0) {
        self->nodes[node].suspended--;
        self->nodes[node].wait += now;
    }
    int at_bottom = stack->depth == 0;
    if (stack_push(stack, code, node, 0) < 0) {
        self->lost++;
        return 0;
    }
    if (at_bottom) {
        stack->base_frame = frame;
        if (frame != NULL)
            map_put(&self->resumed, frame, parent);
    }
    return self->nodes[node].flags;
}

static uint32_t
leave(Tracer *self, PyCodeObject *code, int how, int to_consumer, int64_t now)
{
    uint64_t thread = this_thread();
    int is_owner = self->bound && self->owner.thread == thread;
    Stack *stack = is_owner ? &self->owner : guest_of(self, thread, 0);
    if (stack == NULL)
        return 0;
    size_t bottom = is_owner ? 1 : 0, place = stack->depth;
    while (place > bottom && stack->entries[place - 1].ident != (void *)code)
        place--;
    if (place == bottom) {
        /* It was under way before. */
        if (is_owner && stack->depth == 1 && (code->co_flags & SUSPENDABLE)) {
            void *frame = PyEval_GetFrame();
            if (how == AT_RETURN)
                map_remove(&self->outside, frame);
            else if (!to_consumer && map_get(&self->outside, frame) != NONE) {
                /* The coroutine that holds the block awaits; what follows are others' steps. */
                spend(self, stack, now);
                self->bound = 0;
                self->awaiting = 1;
                self->nodes[ROOT].wait -= now;
            }
        }
        else if (stack->depth > bottom)
            self->mismatches++;
        return 0;
    }
    spend(self, stack, now);
    for (size_t above = stack->depth; above > place; above--) {
        if (!stack->entries[above - 1].is_c)
            self->mismatches++;
    }
    stack->depth = place - 1;
    uint32_t node = stack->entries[place - 1].node;
    if (how == AT_YIELD && (code->co_flags & AWAITABLE)) {
        self->nodes[node].suspended++;
        self->nodes[node].wait -= now;
    }
    if (stack->depth == 0 && how == AT_RETURN && stack->base_frame != NULL)
        map_remove(&self->resumed, stack->base_frame);
    return self->nodes[node].flags;
}

/* What the last lookup found, for as long as the same thread stays in the same context. Setting the
   variable does not change the version, so whoever sets it forgets this. */
static struct {
    uint64_t thread, version;
    Tracer *tracer; /* strong */
} found;

static void
forget_found(void)
{
    Tracer *tracer = found.tracer;
    found.thread = 0;
    found.tracer = NULL;
    Py_XDECREF(tracer);
}

/* The tracer that this context belongs to, a new reference; NULL for most of the program. */
static inline Tracer *
current(void)
{
    PyThreadState *state = PyThreadState_Get();
    if (state->id == found.thread && state->context_ver == found.version)
        return (Tracer *)Py_XNewRef((PyObject *)found.tracer);
    PyObject *value = NULL;
    if (PyContextVar_Get(current_var, NULL, &value) < 0) {
        PyErr_Clear();
        return NULL;
    }
    if (value != NULL && !Py_IS_TYPE(value, tracer_type))
        Py_CLEAR(value);
    forget_found();
    found.thread = state->id;
    found.version = state->context_ver;
    found.tracer = (Tracer *)Py_XNewRef(value);
    return (Tracer *)value;
}

static void
entered(PyCodeObject *code, int how)
{
    Tracer *tracer = current();
    if (tracer == NULL)
        return;
    int64_t now = now_ticks();
    uint32_t flags = 0;
    for (Tracer *each = tracer; each != NULL; each = each->outer) {
        if (each->state == RUNNING)
            flags |= enter(each, code, how, now);
    }
    if ((flags & NODE_HANDOVER) && how == AT_START) {
        uint32_t pairs[32];
        Py_ssize_t used = 0;
        uint64_t thread = this_thread();
        for (Tracer *each = tracer; each != NULL && used < 32; each = each->outer) {
            Stack *stack = NULL;
            if (each->state != RUNNING)
                continue;
            if (each->bound && each->owner.thread == thread)
                stack = &each->owner;
            else
                stack = guest_of(each, thread, 0);
            if (stack != NULL && stack->depth > 0) {
                pairs[used++] = each->serial;
                pairs[used++] = stack->entries[stack->depth - 1].node;
            }
        }
        /* Last: it allocates, and so anything may run. */
        PyObject *value = PyBytes_FromStringAndSize((const char *)pairs, used * 4);
        set_handover(value);
        Py_XDECREF(value);
    }
    Py_DECREF(tracer);
}

static void
left(PyCodeObject *code, int how, int to_consumer)
{
    Tracer *tracer = current();
    if (tracer == NULL)
        return;
    int64_t now = now_ticks();
    uint32_t flags = 0;
    for (Tracer *each = tracer; each != NULL; each = each->outer) {
        if (each->state == RUNNING)
            flags |= leave(each, code, how, to_consumer, now);
    }
    if (flags & NODE_HANDOVER)
        set_handover(Py_None);
    Py_DECREF(tracer);
}

/* C functions, when asked for */

static void *
c_ident(PyObject *callable)
{
    if (PyCFunction_Check(callable))
        return ((PyCFunctionObject *)callable)->m_ml;
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type) || Py_IS_TYPE(callable, &PyClassMethodDescr_Type))
        return ((PyMethodDescrObject *)callable)->d_method;
    if (PyType_Check(callable))
        return callable;
    return Py_TYPE(callable);
}

static PyObject *
c_name(PyObject *callable)
{
    PyObject *name = NULL;
    if (PyCFunction_Check(callable)) {
        PyCFunctionObject *function = (PyCFunctionObject *)callable;
        PyObject *bound = function->m_self;
        if (bound == NULL || PyModule_Check(bound)) {
            const char *module = bound == NULL ? NULL : PyModule_GetName(bound);
            PyErr_Clear();
            name = PyUnicode_FromFormat("<built-in method %s.%s>", module ? module : "builtins",
                                        function->m_ml->ml_name);
        }
        else
            name = PyUnicode_FromFormat("<built-in method %s of %.100s object>",
                                        function->m_ml->ml_name, Py_TYPE(bound)->tp_name);
    }
    else if (Py_IS_TYPE(callable, &PyMethodDescr_Type) ||
             Py_IS_TYPE(callable, &PyClassMethodDescr_Type)) {
        PyMethodDescrObject *method = (PyMethodDescrObject *)callable;
        name = PyUnicode_FromFormat("<method '%s' of '%.100s' objects>",
                                    method->d_method->ml_name, method->d_common.d_type->tp_name);
    }
    else if (PyType_Check(callable))
        name = PyUnicode_FromFormat("<class '%.100s'>", ((PyTypeObject *)callable)->tp_name);
    else
        name = PyUnicode_FromFormat("<%.100s object>", Py_TYPE(callable)->tp_name);
    if (name == NULL) {
        PyErr_Clear();
        name = Py_NewRef(Py_None);
    }
    return name;
}

static Stack *
running_stack(Tracer *self)
{
    uint64_t thread = this_thread();
    if (self->bound && self->owner.thread == thread)
        return &self->owner;
    Stack *guest = guest_of(self, thread, 0);
    /* A C function at the bottom was called from outside the work. */
    return guest != NULL && guest->depth > 0 ? guest : NULL;
}

static int
is_python(PyObject *callable)
{
    return PyFunction_Check(callable) || PyMethod_Check(callable);
}

static void
c_entered(PyObject *callable)
{
    if (is_python(callable))
        return;
    Tracer *tracer = current();
    if (tracer == NULL)
        return;
    void *ident = c_ident(callable);
    for (Tracer *each = tracer; each != NULL; each = each->outer) {
        if (each->state != RUNNING || !each->builtins)
            continue;
        PyObject *name = c_name(callable);
        Stack *stack = running_stack(each);
        if (stack == NULL) {
            Py_DECREF(name);
            continue;
        }
        spend(each, stack, now_ticks());
        uint32_t parent = stack->entries[stack->depth - 1].node;
        uint32_t node = child_of(each, parent, ident, name);
        if (node == NONE) {
            each->lost++;
            node = parent;
        }
        else
            each->nodes[node].calls++;
        if (stack_push(stack, ident, node, 1) < 0)
            each->lost++;
    }
    Py_DECREF(tracer);
}

static void
c_left(PyObject *callable)
{
    if (is_python(callable))
        return;
    Tracer *tracer = current();
    if (tracer == NULL)
        return;
    void *ident = c_ident(callable);
    int64_t now = now_ticks();
    for (Tracer *each = tracer; each != NULL; each = each->outer) {
        if (each->state != RUNNING || !each->builtins)
            continue;
        Stack *stack = running_stack(each);
        if (stack == NULL || stack->depth == 0)
            continue;
        Entry *top = &stack->entries[stack->depth - 1];
        if (top->is_c && top->ident == ident) {
            spend(each, stack, now);
            stack->depth--;
        }
    }
    Py_DECREF(tracer);
}

/* Tracer */

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
    map_free(&self->outside);
    map_free(&self->resumed);
}

static PyObject *
tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"max_nodes", "builtins", NULL};
    Py_ssize_t limit = 1000000;
    int builtins = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$np", names, &limit, &builtins))
        return NULL;
    if (limit < 1 || limit > (Py_ssize_t)(UINT32_MAX - 1)) {
        PyErr_SetString(PyExc_ValueError, "max_nodes is out of range");
        return NULL;
    }
    Tracer *self = (Tracer *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    living++;
    /* The root is a node too. */
    self->limit = (uint32_t)limit + 1;
    self->builtins = builtins;
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

static void
tracer_dealloc(Tracer *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->state == RUNNING)
        builtins_wanted -= self->builtins;
    self->state = STOPPED;
    living--;
    forget_stacks(self);
    forget_nodes(self);
    Py_CLEAR(self->outer);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int
set_current(PyObject *value)
{
    PyObject *token = PyContextVar_Set(current_var, value);
    forget_found();
    Py_XDECREF(token);
    return token == NULL ? -1 : 0;
}

/* What surrounds this tracer takes its place in the context, if the place is still its own. */
static int
step_aside(Tracer *self)
{
    Tracer *holder = current();
    int result = 0;
    if (holder == self) {
        Tracer *outer = self->outer;
        while (outer != NULL && outer->state != RUNNING)
            outer = outer->outer;
        result = set_current(outer == NULL ? Py_None : (PyObject *)outer);
    }
    Py_XDECREF(holder);
    return result;
}

static void
bind(Tracer *self)
{
    self->owner.thread = this_thread();
    self->owner.last = now_ticks();
    self->bound = 1;
}

static PyObject *
tracer_start(Tracer *self, PyObject *Py_UNUSED(ignored))
{
    if (self->state != NEW) {
        PyErr_SetString(PyExc_RuntimeError, "a Tracer starts once");
        return NULL;
    }
    PyFrameObject *frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    while (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        int suspendable = code->co_flags & SUSPENDABLE;
        Py_DECREF(code);
        if (suspendable && map_put(&self->outside, frame, 0) < 0) {
            Py_DECREF(frame);
            return PyErr_NoMemory();
        }
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    if (stack_push(&self->owner, NULL, ROOT, 0) < 0)
        return PyErr_NoMemory();
    self->outer = current();
    if (self->outer == self)
        Py_CLEAR(self->outer);
    if (set_current((PyObject *)self) < 0)
        return NULL;
    self->state = RUNNING;
    builtins_wanted += self->builtins;
    self->nodes[ROOT].calls = 0;
    bind(self);
    Py_RETURN_NONE;
}

static PyObject *
tracer_pause(Tracer *self, PyObject *Py_UNUSED(ignored))
{
    if (self->state == RUNNING && !self->paused) {
        int64_t now = now_ticks();
        if (self->bound)
            spend(self, &self->owner, now);
        if (!self->awaiting)
            self->nodes[ROOT].wait -= now;
        self->bound = 0;
        self->paused = 1;
        if (step_aside(self) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
tracer_resume(Tracer *self, PyObject *Py_UNUSED(ignored))
{
    if (self->state == RUNNING && self->paused) {
        Tracer *holder = current();
        int failed = holder != self && set_current((PyObject *)self) < 0;
        Py_XDECREF(holder);
        if (failed)
            return NULL;
        self->paused = 0;
        self->awaiting = 0;
        bind(self);
        self->nodes[ROOT].wait += self->owner.last;
    }
    Py_RETURN_NONE;
}

static PyObject *
tracer_stop(Tracer *self, PyObject *Py_UNUSED(ignored))
{
    if (self->state == RUNNING) {
        int64_t now = now_ticks();
        if (self->bound)
            spend(self, &self->owner, now);
        else
            self->nodes[ROOT].wait += now;
        for (size_t index = 0; index < self->guest_count; index++)
            spend(self, &self->guests[index], now);
        for (uint32_t node = 0; node < self->count; node++)
            self->nodes[node].wait += (int64_t)self->nodes[node].suspended * now;
        self->state = STOPPED;
        builtins_wanted -= self->builtins;
        self->bound = 0;
        forget_stacks(self);
        if (step_aside(self) < 0)
            return NULL;
        forget_found();
    }
    Py_RETURN_NONE;
}

static int
append(PyObject *list, PyObject *item)
{
    int result = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return result;
}

static PyObject *
tracer_result(Tracer *self, PyObject *Py_UNUSED(ignored))
{
    if (self->state != STOPPED || self->nodes == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a Tracer gives its result once, after it has stopped");
        return NULL;
    }
    double scale = ns_per_tick();
    Map known = {NULL, NULL, 0, 0};
    PyObject *lists[6] = {NULL};
    PyObject *result = NULL;
    for (int index = 0; index < 6; index++) {
        lists[index] = PyList_New(0);
        if (lists[index] == NULL)
            goto done;
    }
    for (uint32_t index = 0; index < self->count; index++) {
        Node *node = &self->nodes[index];
        long frame = -1;
        if (index != ROOT) {
            uint32_t seen = map_get(&known, node->ident);
            if (seen == NONE) {
                seen = (uint32_t)PyList_GET_SIZE(lists[0]);
                if (PyList_Append(lists[0], node->key) < 0)
                    goto done;
                if (map_put(&known, node->ident, seen) < 0) {
                    PyErr_NoMemory();
                    goto done;
                }
            }
            frame = (long)seen;
        }
        if (append(lists[1], PyLong_FromLong(index == ROOT ? -1 : (long)node->parent)) < 0 ||
            append(lists[2], PyLong_FromLong(frame)) < 0 ||
            append(lists[3], PyLong_FromUnsignedLongLong(node->calls)) < 0 ||
            append(lists[4], PyLong_FromLongLong((long long)((double)node->own * scale))) < 0 ||
            append(lists[5], PyLong_FromLongLong((long long)((double)node->wait * scale))) < 0)
            goto done;
    }
    result = Py_BuildValue("{sOsOsOsOsOsOsKsK}", "codes", lists[0], "parent", lists[1], "frame",
                           lists[2], "calls", lists[3], "own_ns", lists[4], "wait_ns", lists[5],
                           "lost", (unsigned long long)self->lost, "mismatches",
                           (unsigned long long)self->mismatches);
done:
    map_free(&known);
    for (int index = 0; index < 6; index++)
        Py_XDECREF(lists[index]);
    if (result != NULL)
        forget_nodes(self);
    return result;
}

static PyMethodDef tracer_methods[] = {
    {"start", (PyCFunction)tracer_start, METH_NOARGS, "Trace what runs in this context from here."},
    {"pause", (PyCFunction)tracer_pause, METH_NOARGS, "What runs now is somebody else's."},
    {"resume", (PyCFunction)tracer_resume, METH_NOARGS, "The work goes on, in this thread."},
    {"stop", (PyCFunction)tracer_stop, METH_NOARGS, "End for good, from any thread; safe twice."},
    {"result", (PyCFunction)tracer_result, METH_NOARGS,
     "The tree as parallel lists, once; frees everything that was held for it."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot tracer_slots[] = {
    {Py_tp_doc, "Builds the exact calling-context tree of one piece of work."},
    {Py_tp_new, tracer_new},
    {Py_tp_dealloc, tracer_dealloc},
    {Py_tp_methods, tracer_methods},
    {0, NULL}};

static PyType_Spec tracer_spec = {"django_hotpath._calltree.Tracer", sizeof(Tracer), 0,
                                  Py_TPFLAGS_DEFAULT, tracer_slots};

/* Module */

/* An asynchronous generator hands a value to its consumer, rather than waiting. */
static int
is_for_consumer(PyCodeObject *code, PyObject *value)
{
    if (code->co_flags & CO_ASYNC_GENERATOR)
        return strcmp(Py_TYPE(value)->tp_name, "async_generator_wrapped_value") == 0;
    return !(code->co_flags & AWAITABLE);
}

/* The callbacks are objects that can be called and no more than that: a method of the module would
   cost a quarter more for each event. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
} Callback;

#define CALLBACK(name, count, action)                                                          \
    static PyObject *name(PyObject *Py_UNUSED(self), PyObject *const *args, size_t nargsf,     \
                          PyObject *Py_UNUSED(names))                                          \
    {                                                                                          \
        if (PyVectorcall_NARGS(nargsf) >= (count) && PyCode_Check(args[0])) {                  \
            PyCodeObject *code = (PyCodeObject *)args[0];                                      \
            (void)code;                                                                        \
            action;                                                                            \
        }                                                                                      \
        Py_RETURN_NONE;                                                                        \
    }

CALLBACK(on_start, 1, entered(code, AT_START))
CALLBACK(on_resume, 1, entered(code, AT_RESUME))
CALLBACK(on_yield, 3, left(code, AT_YIELD, is_for_consumer(code, args[2])))
CALLBACK(on_return, 1, left(code, AT_RETURN, 0))
CALLBACK(on_call, 3, c_entered(args[2]))
CALLBACK(on_c_return, 3, c_left(args[2]))

static void
callback_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef callback_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Callback, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot callback_slots[] = {{Py_tp_call, PyVectorcall_Call},
                                       {Py_tp_dealloc, callback_dealloc},
                                       {Py_tp_members, callback_members},
                                       {0, NULL}};

static PyType_Spec callback_spec = {
    "django_hotpath._calltree.Callback", sizeof(Callback), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    callback_slots};

static int
add_callbacks(PyObject *module)
{
    static const struct {
        const char *name;
        vectorcallfunc call;
    } callbacks[] = {{"on_start", on_start}, {"on_resume", on_resume}, {"on_yield", on_yield},
                     {"on_return", on_return}, {"on_call", on_call}, {"on_c_return", on_c_return}};
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&callback_spec);
    int result = type == NULL ? -1 : 0;
    for (size_t index = 0; result == 0 && index < Py_ARRAY_LENGTH(callbacks); index++) {
        Callback *callback = (Callback *)type->tp_alloc(type, 0);
        if (callback == NULL)
            result = -1;
        else {
            callback->call = callbacks[index].call;
            result = PyModule_AddObjectRef(module, callbacks[index].name, (PyObject *)callback);
            Py_DECREF(callback);
        }
    }
    Py_XDECREF(type);
    return result;
}

#ifdef HAS_PROFILE_HOOK
static int
profile_hook(PyObject *Py_UNUSED(self), PyFrameObject *frame, int what, PyObject *arg)
{
    if (what == PyTrace_C_CALL) {
        if (builtins_wanted > 0)
            c_entered(arg);
    }
    else if (what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION) {
        if (builtins_wanted > 0)
            c_left(arg);
    }
    else if (what == PyTrace_CALL || what == PyTrace_RETURN) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        int last = PyFrame_GetLasti(frame), opcode = -1, oparg = 0;
        if (last >= 0) {
            _Py_CODEUNIT unit = _PyCode_CODE(code)[last / (int)sizeof(_Py_CODEUNIT)];
            opcode = _Py_OPCODE(unit);
            oparg = _Py_OPARG(unit);
        }
        if (what == PyTrace_CALL)
            entered(code, (opcode == RESUME || opcode == RESUME_QUICK) && (oparg & 3) == 0 ? AT_START
                                                                               : AT_RESUME);
        else if (arg != NULL && opcode == YIELD_VALUE)
            left(code, AT_YIELD, is_for_consumer(code, arg));
        else
            left(code, AT_RETURN, 0);
        Py_DECREF(code);
    }
    return 0;
}

/* Every thread of this interpreter that has no profile function of somebody else. */
static PyObject *
hook_threads(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread != NULL; thread = PyThreadState_Next(thread)) {
        if (thread->c_profilefunc == NULL && _PyEval_SetProfile(thread, profile_hook, NULL) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
unhook_threads(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread != NULL; thread = PyThreadState_Next(thread)) {
        if (thread->c_profilefunc == profile_hook && _PyEval_SetProfile(thread, NULL, NULL) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* For threading.setprofile: the new thread takes the hook in place of this function. */
static PyObject *
hook_this_thread(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyEval_SetProfile(profile_hook, NULL);
    Py_RETURN_NONE;
}

static PyObject *
is_hooked(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(PyThreadState_Get()->c_profilefunc == profile_hook);
}
#endif

static PyObject *
handover(PyObject *Py_UNUSED(module), PyObject *code)
{
    if (!PyCode_Check(code)) {
        PyErr_SetString(PyExc_TypeError, "a code object is needed");
        return NULL;
    }
    if (map_get(&handovers, code) == NONE) {
        if (map_put(&handovers, code, 1) < 0)
            return PyErr_NoMemory();
        /* For good: the pointer must not be given to another code object. */
        Py_INCREF(code);
    }
    Py_RETURN_NONE;
}

/* Only where the operating system trusts the counter itself: it runs at one speed and is the same
   on all processors. */
static PyObject *
use_counter(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
#ifdef HAS_COUNTER
    if (!counting) {
        counted_from_ns = monotonic_ns();
        counted_from_ticks = (int64_t)__builtin_ia32_rdtsc();
        counting = 1;
    }
    Py_RETURN_TRUE;
#else
    Py_RETURN_FALSE;
#endif
}

static PyObject *
count_living(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(living);
}

static PyMethodDef module_methods[] = {
#ifdef HAS_PROFILE_HOOK
    {"hook_threads", hook_threads, METH_NOARGS, "Put the profile function into every thread."},
    {"unhook_threads", unhook_threads, METH_NOARGS, "Take it out again."},
    {"hook_this_thread", hook_this_thread, METH_VARARGS, "For threading.setprofile."},
    {"is_hooked", is_hooked, METH_NOARGS, "Whether this thread has it still."},
#endif
    {"handover", handover, METH_O,
     "Work that begins while this code runs, in another task or thread, hangs below it."},
    {"use_counter", use_counter, METH_NOARGS,
     "Take the time from the processor's counter, before any Tracer starts."},
    {"living", count_living, METH_NOARGS, "How many Tracer objects there are."},
    {NULL, NULL, 0, NULL}};

static int
module_exec(PyObject *module)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "it works in the main interpreter only");
        return -1;
    }
    if (current_var == NULL) {
        current_var = PyContextVar_New("hotpath_calltree", NULL);
        handover_var = PyContextVar_New("hotpath_handover", NULL);
        tracer_type = (PyTypeObject *)PyType_FromSpec(&tracer_spec);
    }
    if (current_var == NULL || handover_var == NULL || tracer_type == NULL)
        return -1;
    if (PyModule_AddObjectRef(module, "Tracer", (PyObject *)tracer_type) < 0)
        return -1;
    return add_callbacks(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL}};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "django_hotpath._calltree",
    .m_doc = "The exact calling-context tree of one piece of work.",
    .m_size = 0,
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__calltree(void)
{
    return PyModuleDef_Init(&module_definition);
}
