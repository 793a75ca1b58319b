/* The exact calling-context tree of one piece of work.

   A Tracer belongs to whatever runs under the context (PEP 567) that it was started in: tasks and
   worker threads inherit that context, other requests have another one. Every event of the
   interpreter is looked up there, so nothing of anybody else enters, in whichever thread it runs.

   From Python 3.12 the events come from sys.monitoring (the on_* functions are its callbacks), on
   3.11 from a profile function that hook_threads() puts into every thread.

   Everything here runs with the GIL held. Nothing here raises into the program that is measured. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_calltree_callbacks.h"
#include "_calltree_tracer.h"
#if PY_VERSION_HEX < 0x030C0000
#include "_calltree_hook.h"
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

static PyObject *
sets_variables(PyObject *Py_UNUSED(module), PyObject *code)
{
    if (!PyCode_Check(code)) {
        PyErr_SetString(PyExc_TypeError, "a code object is needed");
        return NULL;
    }
    /* For good, as above. */
    restorer = Py_NewRef(code);
    Py_RETURN_NONE;
}

/* Only where the operating system trusts the counter itself: it runs at one speed and is the same
   on all processors. */
static PyObject *
use_counter(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
#ifdef HAS_COUNTER
    if (living == 0) {
        counting = 1;
        chosen = moment_now();
    }
    return PyBool_FromLong(counting);
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
#if PY_VERSION_HEX < 0x030C0000
    {"hook_threads", hook_threads, METH_NOARGS, "Put the profile function into every thread."},
    {"unhook_threads", unhook_threads, METH_NOARGS, "Take it out again."},
    {"hook_this_thread", hook_this_thread, METH_VARARGS, "For threading.setprofile."},
    {"is_hooked", is_hooked, METH_NOARGS, "Whether this thread has it still."},
#endif
    {"handover", handover, METH_O,
     "Work that begins while this code runs, in another task or thread, hangs below it."},
    {"sets_variables", sets_variables, METH_O,
     "This code sets all variables of a context to the values of another one."},
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
    if (current_var == NULL)
        current_var = PyContextVar_New("hotpath_calltree", NULL);
    if (current_var != NULL && handover_var == NULL)
        handover_var = PyContextVar_New("hotpath_handover", NULL);
    if (handover_var != NULL && tracer_type == NULL)
        tracer_type = (PyTypeObject *)PyType_FromSpec(&tracer_spec);
    if (tracer_type == NULL)
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
