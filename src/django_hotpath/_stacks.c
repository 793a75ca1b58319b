/* What is done on the stack for every queryset and every statement while queries are recorded, where
   it would be slow in Python. ``stacks.py`` has the same in Python.

   Only Python's public functions are used. Everything here runs with the GIL held. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_stacks_frames.h"
#include "_stacks_init.h"

static PyObject *
pass_over(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !(PyFrame_Check(args[0]) || args[0] == Py_None) || !PyDict_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "a frame or None, a dict and two numbers are needed");
        return NULL;
    }
    unsigned long passed = PyLong_AsUnsignedLong(args[2]);
    if (passed == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    long kind, limit = PyLong_AsLong(args[3]);
    if (limit == -1 && PyErr_Occurred())
        return NULL;
    PyFrameObject *frame = args[0] == Py_None ? NULL : (PyFrameObject *)args[0];
    frame = first_of(frame, args[1], passed, limit, &kind);
    if (frame == NULL && PyErr_Occurred())
        return NULL;
    return frame == NULL ? Py_NewRef(Py_None) : (PyObject *)frame;
}

static PyMethodDef module_methods[] = {
    {"pass_over", (PyCFunction)(void (*)(void))pass_over, METH_FASTCALL,
     "pass_over(frame, kinds, passed, limit): the first frame that is not to be passed over."},
    {NULL, NULL, 0, NULL}};

static int
module_exec(PyObject *module)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "it works in the main interpreter only");
        return -1;
    }
    struct { PyObject **place; const char *text; } names[] = {
        {&queries_name, "queries"}, {&orm_name, "orm"},     {&made_name, "made"},
        {&hinted_name, "hinted"},   {&query_name, "query"}, {&hints_name, "hints"},
        {&own_hints_name, "_hints"}, {&own_query_name, "_query"}};
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
        if (*names[index].place == NULL)
            *names[index].place = PyUnicode_InternFromString(names[index].text);
        if (*names[index].place == NULL)
            return -1;
    }
    PyObject *type = PyType_FromSpec(&init_spec);
    if (type == NULL)
        return -1;
    int status = PyModule_AddObjectRef(module, "Init", type);
    Py_DECREF(type);
    return status;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL}};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "django_hotpath._stacks",
    .m_doc = "What is done on the stack for every queryset and every statement.",
    .m_size = 0,
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__stacks(void)
{
    return PyModuleDef_Init(&module_definition);
}
