/* C functions and classes, for the Tracers that were asked to record them. */

#ifndef HOTPATH_CALLTREE_BUILTINS_H
#define HOTPATH_CALLTREE_BUILTINS_H

#include "_calltree_events.h"

static Py_ssize_t builtins_wanted; /* running tracers that record C functions */

static int
is_method_descriptor(PyObject *callable)
{
    return Py_IS_TYPE(callable, &PyMethodDescr_Type) ||
           Py_IS_TYPE(callable, &PyClassMethodDescr_Type);
}

/* A C function is told by its definition; a class by itself, an object that can be called by the
   byte after its class. */
static void *
c_ident(PyObject *callable)
{
    if (PyCFunction_Check(callable))
        return ((PyCFunctionObject *)callable)->m_ml;
    if (is_method_descriptor(callable))
        return ((PyMethodDescrObject *)callable)->d_method;
    if (PyType_Check(callable))
        return callable;
    return (char *)Py_TYPE(callable) + 1;
}

static PyObject *
name_of_method(PyMethodDescrObject *method)
{
    return PyUnicode_FromFormat("<method '%s' of '%.100s' objects>", method->d_method->ml_name,
                                method->d_common.d_type->tp_name);
}

static PyObject *
name_of_function(PyCFunctionObject *function)
{
    const char *name = function->m_ml->ml_name;
    PyObject *bound = function->m_self;
    if (bound != NULL && !PyModule_Check(bound)) {
        /* One function, whether it was bound before the call (as always on 3.11) or in it. */
        PyObject *key = PyUnicode_FromString(name);
        PyObject *method = key == NULL ? NULL : _PyType_Lookup(Py_TYPE(bound), key);
        Py_XDECREF(key);
        PyErr_Clear();
        if (method != NULL && is_method_descriptor(method) &&
            ((PyMethodDescrObject *)method)->d_method == function->m_ml)
            return name_of_method((PyMethodDescrObject *)method);
        return PyUnicode_FromFormat("<built-in method %s of %.100s object>", name,
                                    Py_TYPE(bound)->tp_name);
    }
    PyObject *module = bound == NULL ? NULL : PyModule_GetNameObject(bound);
    PyErr_Clear();
    if (module == NULL)
        return PyUnicode_FromFormat("<built-in method builtins.%s>", name);
    PyObject *result = PyUnicode_FromFormat("<built-in method %U.%s>", module, name);
    Py_DECREF(module);
    return result;
}

/* A name, or a class, which is kept so that no other takes its address; a new reference, NULL
   without memory. */
static PyObject *
c_key(PyObject *callable)
{
    PyObject *name;
    if (PyCFunction_Check(callable))
        name = name_of_function((PyCFunctionObject *)callable);
    else if (is_method_descriptor(callable))
        name = name_of_method((PyMethodDescrObject *)callable);
    else
        return Py_NewRef(PyType_Check(callable) ? callable : (PyObject *)Py_TYPE(callable));
    if (name == NULL)
        PyErr_Clear();
    return name;
}

/* What the result says for a key: a code object as it is, else a name; a new reference. */
static PyObject *
plain_key(const Node *node)
{
    if (!PyType_Check(node->key))
        return Py_NewRef(node->key);
    const char *name = ((PyTypeObject *)node->key)->tp_name;
    return node->ident == (void *)node->key ? PyUnicode_FromFormat("<class '%.100s'>", name)
                                            : PyUnicode_FromFormat("<%.100s object>", name);
}

static int
is_python(PyObject *callable)
{
    return PyFunction_Check(callable) || PyMethod_Check(callable);
}

/* What C functions do belongs to the work only where a function of the work called them. */
static Stack *
stack_in_use(Tracer *self, uint64_t thread)
{
    Stack *stack = self->state == RUNNING && self->builtins ? stack_of(self, thread) : NULL;
    return stack != NULL && stack->depth > 0 ? stack : NULL;
}

static void
c_enter(Tracer *self, uint64_t thread, PyObject *callable, int64_t now)
{
    Stack *stack = stack_in_use(self, thread);
    if (stack == NULL)
        return;
    void *ident = c_ident(callable);
    uint32_t parent = node_on_top(stack), node = find_child(self, parent, ident);
    if (node == NONE) {
        PyObject *key = c_key(callable);
        /* Anything may have run meanwhile. */
        stack = stack_in_use(self, thread);
        if (stack != NULL) {
            parent = node_on_top(stack);
            node = find_child(self, parent, ident);
            if (node == NONE && key != NULL)
                node = new_child(self, parent, ident, key, 0);
        }
        Py_XDECREF(key);
        if (stack == NULL)
            return;
    }
    spend(self, stack, now);
    if (node == NONE) {
        self->lost++;
        node = parent;
    }
    else
        self->nodes[node].calls++;
    if (stack_push(stack, ident, node, OF_C, now) < 0)
        self->lost++;
}

static void
c_entered(PyObject *callable)
{
    if (is_python(callable))
        return;
    const PyThreadState *state = PyThreadState_Get();
    Tracer *innermost = current(state);
    if (innermost == NULL)
        return;
    Py_INCREF(innermost);
    int64_t now = now_ticks();
    for (Tracer *each = innermost; each != NULL; each = each->outer)
        c_enter(each, state->id, callable, now);
    Py_DECREF(innermost);
}

static void
c_left(PyObject *callable)
{
    if (is_python(callable))
        return;
    const PyThreadState *state = PyThreadState_Get();
    Tracer *innermost = current(state);
    if (innermost == NULL)
        return;
    void *ident = c_ident(callable);
    int64_t now = now_ticks();
    for (Tracer *each = innermost; each != NULL; each = each->outer) {
        Stack *stack = stack_in_use(each, state->id);
        if (stack == NULL)
            continue;
        const Entry *top = &stack->entries[stack->depth - 1];
        if (top->kind == OF_C && top->ident == ident) {
            spend(each, stack, now);
            note_run(each, stack, top, now);
            stack->depth--;
        }
    }
}

#endif
