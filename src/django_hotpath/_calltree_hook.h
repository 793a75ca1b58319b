/* Python 3.11: the events come from a profile function in every thread. */

#ifndef HOTPATH_CALLTREE_HOOK_H
#define HOTPATH_CALLTREE_HOOK_H

#include "_calltree_builtins.h"
#include <frameobject.h>
#include <opcode.h>

static int hooking;

static int
opcode_at(PyFrameObject *frame, PyCodeObject *code, int *oparg)
{
    int last = PyFrame_GetLasti(frame);
    if (last < 0)
        return -1;
    _Py_CODEUNIT unit = _PyCode_CODE(code)[last / (int)sizeof(_Py_CODEUNIT)];
    *oparg = _Py_OPARG(unit);
    return _Py_OPCODE(unit);
}

static int
profile_hook(PyObject *Py_UNUSED(self), PyFrameObject *frame, int what, PyObject *arg)
{
    if (what == PyTrace_CALL || what == PyTrace_RETURN) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        int how = what == PyTrace_CALL ? AT_START : AT_RETURN, to_consumer = 0;
        if (code->co_flags & SUSPENDABLE) {
            int oparg = 0, opcode = opcode_at(frame, code, &oparg);
            if (what == PyTrace_CALL) {
                int resumes = opcode == RESUME || opcode == RESUME_QUICK;
                if (!resumes || (oparg & 3) != 0)
                    how = AT_RESUME;
            }
            else if (arg != NULL && opcode == YIELD_VALUE) {
                how = AT_YIELD;
                to_consumer = is_for_consumer(code, arg);
            }
        }
        if (what == PyTrace_CALL)
            entered(code, how);
        else
            left(code, how, to_consumer);
        Py_DECREF(code);
    }
    else if (builtins_wanted > 0) {
        if (what == PyTrace_C_CALL)
            c_entered(arg);
        else if (what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION)
            c_left(arg);
    }
    return 0;
}

/* Gives the function to all threads of this interpreter that have `instead`. Setting it may run
   Python code (of an audit hook) and so threads may end: each time it begins again. */
static int
replace_everywhere(Py_tracefunc instead, Py_tracefunc function)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (thread != NULL) {
        if (thread->c_profilefunc != instead)
            thread = PyThreadState_Next(thread);
        else if (_PyEval_SetProfile(thread, function, NULL) < 0)
            return -1;
        else
            thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    }
    return 0;
}

/* Threads with somebody else's profile function keep it. */
static PyObject *
hook_threads(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    hooking = 1;
    if (replace_everywhere(NULL, profile_hook) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
unhook_threads(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    hooking = 0;
    if (replace_everywhere(profile_hook, NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* For threading.setprofile: the new thread takes the hook in place of this function, or nothing
   when the last capture has ended since. */
static PyObject *
hook_this_thread(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyEval_SetProfile(hooking ? profile_hook : NULL, NULL);
    Py_RETURN_NONE;
}

static PyObject *
is_hooked(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(PyThreadState_Get()->c_profilefunc == profile_hook);
}

#endif
