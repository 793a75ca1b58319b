/* From a frame outward, by what its code is. */

#ifndef HOTPATH_STACKS_FRAMES_H
#define HOTPATH_STACKS_FRAMES_H

#include <Python.h>

/* What a code object is known as, by its id; NULL, maybe with an exception, where it is not. */
static PyObject *
known(PyObject *table, PyCodeObject *code)
{
    PyObject *key = PyLong_FromVoidPtr(code);
    PyObject *found = key == NULL ? NULL : PyDict_GetItemWithError(table, key);
    Py_XDECREF(key);
    return found;
}

/* This frame or the first around it that is not to be passed over, with its kind, -1 for code that
   nobody has seen yet. NULL where there is none; with an exception where something failed. */
static PyFrameObject *
first_of(PyFrameObject *frame, PyObject *kinds, unsigned long passed, long limit, long *kind)
{
    Py_XINCREF(frame);
    for (; frame != NULL && limit > 0; limit--) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        PyObject *number = known(kinds, code);
        /* The frame holds it. */
        Py_DECREF(code);
        *kind = number == NULL ? -1 : PyLong_AsLong(number);
        if (PyErr_Occurred())
            break;
        if (*kind < 0 || *kind >= 32 || !(passed >> *kind & 1))
            return frame;
        PyFrameObject *outside = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = outside;
    }
    Py_XDECREF(frame);
    return NULL;
}

#endif
