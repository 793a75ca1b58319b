/* Put before the source of the tracer (-include): memory that gives out, clocks that jump. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <time.h>

static long countdown = -1, failures, wanted_failures;
static long long jumped, jumped_seconds;

/* The call after `successes` others fails, and so do `more` after it. */
__attribute__((visibility("default"))) void
fail_after(long successes, long more)
{
    countdown = successes;
    failures = 0;
    wanted_failures = 1 + more;
}

__attribute__((visibility("default"))) long
failed(void)
{
    return failures;
}

__attribute__((visibility("default"))) void
jump_ticks(long long ticks)
{
    jumped += ticks;
}

__attribute__((visibility("default"))) void
jump_clock(long long seconds)
{
    jumped_seconds += seconds;
}

static int
fails(void)
{
    if (countdown < 0)
        return 0;
    if (countdown > 0) {
        countdown--;
        return 0;
    }
    failures++;
    if (failures == wanted_failures)
        countdown = -1;
    return 1;
}

static inline void *
fault(void)
{
    return PyErr_NoMemory();
}

#define PyMem_RawMalloc(size) (fails() ? NULL : PyMem_RawMalloc(size))
#define PyMem_RawCalloc(count, size) (fails() ? NULL : PyMem_RawCalloc(count, size))
#define PyMem_RawRealloc(old, size) (fails() ? NULL : PyMem_RawRealloc(old, size))
#define PyEval_GetFrame() (fails() ? NULL : PyEval_GetFrame())
#define PyFrame_GetBack(frame) (fails() ? (PyFrameObject *)fault() : PyFrame_GetBack(frame))
#define PyContextVar_Get(var, none, value) \
    (fails() ? (fault(), -1) : PyContextVar_Get(var, none, value))
#define PyContextVar_Set(var, value) (fails() ? (PyObject *)fault() : PyContextVar_Set(var, value))
#define PyBytes_FromStringAndSize(bytes, size) \
    (fails() ? (PyObject *)fault() : PyBytes_FromStringAndSize(bytes, size))
#define PyUnicode_FromFormat(...) \
    (fails() ? (PyObject *)fault() : PyUnicode_FromFormat(__VA_ARGS__))
#define PyUnicode_FromString(text) (fails() ? (PyObject *)fault() : PyUnicode_FromString(text))
#define PyModule_GetNameObject(module) \
    (fails() ? (PyObject *)fault() : PyModule_GetNameObject(module))
#define PyList_New(size) (fails() ? (PyObject *)fault() : PyList_New(size))
#define PyList_Append(list, item) (fails() ? (fault(), -1) : PyList_Append(list, item))
#define PyLong_FromLong(value) (fails() ? (PyObject *)fault() : PyLong_FromLong(value))
#define PyLong_FromLongLong(value) (fails() ? (PyObject *)fault() : PyLong_FromLongLong(value))
/* Which is a macro itself on some versions. */
static PyObject *(*const build_value)(const char *, ...) = Py_BuildValue;
#undef Py_BuildValue
#define Py_BuildValue(...) (fails() ? (PyObject *)fault() : build_value(__VA_ARGS__))
#if defined(__x86_64__)
#define __builtin_ia32_rdtsc() (__builtin_ia32_rdtsc() + (unsigned long long)jumped)
#endif
#define clock_gettime(id, moment) \
    (clock_gettime(id, moment) == 0 ? ((moment)->tv_sec += (time_t)jumped_seconds, 0) : -1)
