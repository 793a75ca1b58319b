"""A build of the tracer whose memory gives out, and whose clocks jump, when a test says so."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from tests.instruments import calltree_build

FAULTS = Path(__file__).parent / "calltree_faults.h"


class Faulty:
    """Entered, it has events of its own."""

    def __init__(self, path: Path) -> None:
        self.module = calltree_build.load(path)
        self.library = ctypes.PyDLL(str(path))
        self.jump = self.library.jump_ticks
        self.jump.argtypes = [ctypes.c_longlong]
        self.jump.restype = None
        self.jump_clock = self.library.jump_clock
        self.jump_clock.argtypes = [ctypes.c_longlong]
        self.jump_clock.restype = None

    @classmethod
    def built(cls, directory: Path) -> Faulty:
        calltree_build.compiler()
        return cls(calltree_build.build(directory, "-include", str(FAULTS)))

    def fail_after(self, successes: int, more: int) -> None:
        self.library.fail_after(ctypes.c_long(successes), ctypes.c_long(more))

    def failed(self) -> int:
        return int(self.library.failed())

    def __enter__(self) -> Faulty:
        if sys.version_info < (3, 12):
            self.module.hook_threads()
            return self
        monitoring = sys.monitoring
        monitoring.use_tool_id(3, "faulty")
        events = monitoring.events
        for event, callback in {
            events.PY_START: self.module.on_start,
            events.PY_RESUME: self.module.on_resume,
            events.PY_THROW: self.module.on_resume,
            events.PY_YIELD: self.module.on_yield,
            events.PY_RETURN: self.module.on_return,
            events.PY_UNWIND: self.module.on_return,
            events.CALL: self.module.on_call,
            events.C_RETURN: self.module.on_c_return,
            events.C_RAISE: self.module.on_c_return,
        }.items():
            monitoring.register_callback(3, event, callback)
        monitoring.set_events(
            3,
            events.PY_START
            | events.PY_RESUME
            | events.PY_THROW
            | events.PY_YIELD
            | events.PY_RETURN
            | events.PY_UNWIND
            | events.CALL,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self.fail_after(-1, 0)
        if sys.version_info < (3, 12):
            self.module.unhook_threads()
        else:
            sys.monitoring.set_events(3, 0)
            sys.monitoring.free_tool_id(3)
