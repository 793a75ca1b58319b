"""Tracers to trust: slow, in Python, and simple enough to be seen right."""

from __future__ import annotations

import opcode
import sys
from collections import Counter
from types import BuiltinFunctionType, CodeType, FrameType, MethodDescriptorType, ModuleType
from typing import Any

Path = tuple[CodeType, ...]
# A code object, or the name of a function written in C.
Step = CodeType | str


class Begun:
    """Which frames began, and which were only resumed or thrown into."""

    def __init__(self) -> None:
        # Kept, so that no other frame takes the place of one that is known.
        self._frames: dict[int, FrameType] = {}

    def begins(self, frame: FrameType) -> bool:
        # A generator that is thrown into before it began does not begin.
        if id(frame) in self._frames or frame.f_lasti < 0 or _is_thrown_into(frame):
            return False
        self._frames[id(frame)] = frame
        return True

    def forget(self) -> None:
        self._frames.clear()


def _is_thrown_into(frame: FrameType) -> bool:
    name = opcode.opname[frame.f_code.co_code[frame.f_lasti]]
    return name == "RETURN_GENERATOR" or name == "POP_TOP"


class Reference:
    """The calling-context tree by ``sys.settrace``: path of code objects -> calls."""

    def __init__(self) -> None:
        self.calls: Counter[Path] = Counter()
        self._stack: list[CodeType] = []
        self._begun = Begun()

    def __enter__(self) -> Reference:
        sys.settrace(self._event)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)
        self._begun.forget()

    def _event(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "call":
            self._stack.append(frame.f_code)
            self.calls[tuple(self._stack)] += self._begun.begins(frame)
        elif event == "return" and self._stack and self._stack[-1] is frame.f_code:
            self._stack.pop()
        return self._event


class BuiltinsReference:
    """The tree with functions written in C, by ``sys.setprofile``; only what ``within`` calls."""

    def __init__(self, within: CodeType) -> None:
        self.calls: Counter[tuple[Step, ...]] = Counter()
        self._within = within
        self._stack: list[Step] = []
        self._begun = Begun()

    def __enter__(self) -> BuiltinsReference:
        sys.setprofile(self._event)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)
        self._begun.forget()

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        code, stack = frame.f_code, self._stack
        if event == "call":
            if stack or code is self._within:
                stack.append(code)
                self.calls[tuple(stack)] += self._begun.begins(frame)
        elif not stack:
            return
        elif event == "return":
            assert stack.pop() is code
        elif event == "c_call":
            stack.append(name_of(argument))
            self.calls[tuple(stack)] += 1
        else:
            assert stack.pop() == name_of(argument)


def name_of(function: BuiltinFunctionType) -> str:
    owner, name = function.__self__, function.__name__
    if isinstance(owner, ModuleType):
        return f"<built-in method {owner.__name__}.{name}>"
    for cls in type(owner).__mro__:
        found = vars(cls).get(name)
        if isinstance(found, MethodDescriptorType):
            return f"<method '{name}' of '{found.__objclass__.__name__}' objects>"
        if found is not None:
            break
    return f"<built-in method {name} of {type(owner).__name__} object>"
