/* What takes the place of QuerySet.__init__ while queries are recorded, and notes who makes querysets. */

#ifndef HOTPATH_STACKS_INIT_H
#define HOTPATH_STACKS_INIT_H

#include <stddef.h>
#include <structmember.h>

#include "_stacks_frames.h"

/* Names that are looked up for every queryset. */
static PyObject *queries_name, *orm_name, *made_name, *hinted_name, *query_name, *hints_name,
    *own_hints_name, *own_query_name;

typedef struct {
    PyObject_HEAD
    PyObject *original; /* the method that it replaces */
    PyObject *current;  /* the variable that holds what is captured in this context */
    PyObject *note;     /* called with the instrument's ``orm``, the queryset and the frame */
    PyObject *kinds;    /* what code is, by its id; the kinds to pass over, and the project's */
    PyObject *steps;    /* whether code of the project is only a step of a chain, by its id */
    unsigned long passed;
    long limit, project;
    PyObject *dict;
    vectorcallfunc vectorcall;
} Init;

/* An argument by its name, or its place after ``self``; borrowed, NULL where it was not given. The
   names in a call are nearly always the very objects that we have. */
static PyObject *
argument(PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject *name, Py_ssize_t place)
{
    if (count > place)
        return args[place];
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t index = 0; index < named; index++) {
        if (PyTuple_GET_ITEM(names, index) == name)
            return args[count + index];
    }
    for (Py_ssize_t index = 0; index < named; index++) {
        if (PyUnicode_Compare(PyTuple_GET_ITEM(names, index), name) == 0)
            return args[count + index];
    }
    return NULL;
}

/* Django makes a queryset with an instance in mind: it is for a descriptor, and needs no look at
   the stack. 1 where that is so, and noted; -1 with an exception. */
static int
note_hints(PyObject *made, PyObject *queryset, PyObject *query, PyObject *hints)
{
    int given = hints == NULL ? 0 : PyObject_IsTrue(hints);
    if (given <= 0)
        return given;
    PyObject *hinted = PyObject_GetAttr(made, hinted_name);
    if (hinted == NULL)
        return -1;
    int same = hinted == hints;
    Py_DECREF(hinted);
    if (!same && query != NULL && query != Py_None)
        return 0;
    if (!same && PyObject_SetAttr(made, hinted_name, hints) < 0)
        return -1;
    PyObject *key = PyLong_FromVoidPtr(queryset);
    if (key == NULL)
        return -1;
    int status = PyDict_Contains(made, key);
    if (status > 0)
        status = PyDict_DelItem(made, key);
    Py_DECREF(key);
    return status < 0 ? -1 : 1;
}

/* The line of the project that made the queryset, where that is plain; 0 where ``note`` has to look,
   -1 with an exception. */
static int
note_line(Init *self, PyObject *made, PyObject *queryset, PyFrameObject *frame)
{
    PyObject *hints = PyObject_GetAttr(queryset, own_hints_name);
    int given = hints == NULL ? -1 : PyObject_IsTrue(hints);
    Py_XDECREF(hints);
    if (given != 0)
        return given > 0 ? 0 : -1;
    long kind = -1;
    frame = first_of(frame, self->kinds, self->passed, self->limit, &kind);
    if (frame == NULL)
        return PyErr_Occurred() ? -1 : 0;
    PyCodeObject *code = PyFrame_GetCode(frame);
    long offset = PyFrame_GetLasti(frame);
    Py_DECREF(frame);
    PyObject *step = kind == self->project ? known(self->steps, code) : NULL;
    int status = PyErr_Occurred() ? -1 : 0;
    if (step == Py_False) {
        PyObject *query = PyObject_GetAttr(queryset, own_query_name);
        PyObject *key = query == NULL ? NULL : PyLong_FromVoidPtr(queryset);
        PyObject *value =
            key == NULL ? NULL : Py_BuildValue("((Ol)N)", code, offset, PyLong_FromVoidPtr(query));
        status = value == NULL || PyDict_SetItem(made, key, value) < 0 ? -1 : 1;
        Py_XDECREF(query);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    Py_DECREF(code);
    return status;
}

/* May leave an exception. */
static void
note(Init *self, PyObject *active, PyObject *queryset, PyObject *query, PyObject *hints)
{
    PyObject *queries = PyDict_GetItemWithError(active, queries_name);
    PyObject *orm = queries == NULL ? NULL : PyObject_GetAttr(queries, orm_name);
    PyObject *made = orm == NULL ? NULL : PyObject_GetAttr(orm, made_name);
    PyFrameObject *frame = PyEval_GetFrame();
    if (made != NULL && PyDict_Check(made) && frame != NULL) {
        int done = note_hints(made, queryset, query, hints);
        if (done == 0)
            done = note_line(self, made, queryset, frame);
        if (done < 0)
            PyErr_Clear();
        if (done <= 0) {
            PyObject *given[] = {orm, queryset, (PyObject *)frame};
            Py_XDECREF(PyObject_Vectorcall(self->note, given, 3, NULL));
        }
    }
    Py_XDECREF(made);
    Py_XDECREF(orm);
}

static PyObject *
init_call(Init *self, PyObject *const *args, size_t flags, PyObject *names)
{
    PyObject *result = PyObject_Vectorcall(self->original, args, flags, names);
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    PyObject *active = NULL;
    if (result == NULL || count < 1)
        return result;
    if (PyContextVar_Get(self->current, NULL, &active) == 0 && active != NULL &&
        PyDict_Check(active)) {
        PyObject *query = argument(args, count, names, query_name, 2);
        note(self, active, args[0], query, argument(args, count, names, hints_name, 4));
    }
    Py_XDECREF(active);
    /* The application's queryset is made: what failed here is nothing to it. */
    if (PyErr_Occurred())
        PyErr_Clear();
    return result;
}

static PyObject *
init_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(named))
{
    PyObject *original, *current, *called, *kinds, *steps;
    unsigned long passed;
    long limit, project;
    if (!PyArg_ParseTuple(args, "OO!OO!kllO!", &original, &PyContextVar_Type, &current, &called,
                          &PyDict_Type, &kinds, &passed, &limit, &project, &PyDict_Type, &steps))
        return NULL;
    Init *self = (Init *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->original = Py_NewRef(original);
    self->current = Py_NewRef(current);
    self->note = Py_NewRef(called);
    self->kinds = Py_NewRef(kinds);
    self->steps = Py_NewRef(steps);
    self->passed = passed;
    self->limit = limit;
    self->project = project;
    self->vectorcall = (vectorcallfunc)init_call;
    return (PyObject *)self;
}

static PyObject *
init_bind(PyObject *self, PyObject *object, PyObject *Py_UNUSED(type))
{
    return object == NULL || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

static int
init_traverse(Init *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->original);
    Py_VISIT(self->current);
    Py_VISIT(self->note);
    Py_VISIT(self->kinds);
    Py_VISIT(self->steps);
    Py_VISIT(self->dict);
    return 0;
}

static int
init_clear(Init *self)
{
    Py_CLEAR(self->dict);
    return 0;
}

static void
init_dealloc(Init *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->original);
    Py_CLEAR(self->current);
    Py_CLEAR(self->note);
    Py_CLEAR(self->kinds);
    Py_CLEAR(self->steps);
    Py_CLEAR(self->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef init_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Init, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Init, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyGetSetDef init_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot init_slots[] = {
    {Py_tp_doc, "A method that tells of the querysets it makes."},
    {Py_tp_new, init_new},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, init_bind},
    {Py_tp_traverse, init_traverse},
    {Py_tp_clear, init_clear},
    {Py_tp_dealloc, init_dealloc},
    {Py_tp_members, init_members},
    {Py_tp_getset, init_getset},
    {0, NULL}};

static PyType_Spec init_spec = {
    .name = "django_hotpath._stacks.Init",
    .basicsize = sizeof(Init),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = init_slots,
};

#endif
