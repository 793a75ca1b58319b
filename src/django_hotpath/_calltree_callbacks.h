/* What sys.monitoring calls, from Python 3.12. */

#ifndef HOTPATH_CALLTREE_CALLBACKS_H
#define HOTPATH_CALLTREE_CALLBACKS_H

#include "_calltree_builtins.h"
#include <stddef.h>
#include <structmember.h>

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

#endif
