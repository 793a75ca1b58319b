"""tracemalloc on and off, without taking the process down.

In Python before 3.12.9 and 3.13.2 (https://github.com/python/cpython/issues/128679) a thread that
allocates without the GIL, as zlib does while it inflates a session, waits for the GIL inside
tracemalloc's hook; when another one calls ``tracemalloc.stop()`` just then, the first goes on in
memory that was freed, and the process dies. There the hook is taken out first, and those that wait
in it get time to leave it.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
import tracemalloc
from contextlib import suppress

CRASHES = sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2)

_RAW = 0
# In this time each thread that waits for the GIL gets it, and a few may get it twice.
_SECONDS_A_THREAD = 0.01
_AT_MOST = 0.25


class _Allocator(ctypes.Structure):
    """``PyMemAllocatorEx`` of CPython."""

    _fields_ = [
        ("ctx", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p),
        ("calloc", ctypes.c_void_p),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    ]


# What allocates without the GIL when tracemalloc is off, and when we have switched it on.
_off = _on = b""


def start(nframe: int) -> None:
    global _off, _on
    if not CRASHES:
        tracemalloc.start(nframe)
        return
    _off = _allocator()
    tracemalloc.start(nframe)
    _on = _allocator()


def stop() -> None:
    if CRASHES and _off and _allocator() == _on:
        _use(_off)
        others = threading.active_count() - 1
        if others:
            time.sleep(min(_SECONDS_A_THREAD * (others + 1), _AT_MOST))
    tracemalloc.stop()


def _allocator() -> bytes:
    """Empty where Python does not tell."""
    found = _Allocator()
    with suppress(AttributeError):
        ctypes.pythonapi.PyMem_GetAllocator(_RAW, ctypes.byref(found))
    return bytes(found)


def _use(allocator: bytes) -> None:
    chosen = _Allocator.from_buffer_copy(allocator)
    ctypes.pythonapi.PyMem_SetAllocator(_RAW, ctypes.byref(chosen))
