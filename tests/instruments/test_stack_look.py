"""Looking at other threads' stacks."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_hotpath.instruments.engines.stack_look import local_of, look


class Standing:
    """A thread that stands in ``inner``, called by ``outer``."""

    def __init__(self) -> None:
        self.there, self.go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.outer)
        self.frame: Any = None

    def outer(self) -> None:
        marked = "of the outer one"
        self.inner()
        del marked

    def inner(self) -> None:
        self.frame = sys._getframe()
        self.there.set()
        self.go.wait()

    @property
    def ident(self) -> int:
        assert self.thread.ident is not None
        return self.thread.ident


@contextmanager
def standing() -> Iterator[Standing]:
    found = Standing()
    found.thread.start()
    found.there.wait()
    # Not before it rests: what it calls on its way comes and goes.
    while "wait" not in [code.co_name for code in look([found.ident])[found.ident].codes]:
        time.sleep(0.001)
    try:
        yield found
    finally:
        found.go.set()
        found.thread.join()


def test_a_stack_is_given_innermost_first() -> None:
    with standing() as other:
        stack = look([other.ident])[other.ident]
    called = [code.co_name for code in stack.codes]
    inner = called.index("inner")
    assert called[inner : inner + 2] == ["inner", "outer"]
    assert called[-1] == "_bootstrap"


def test_frames_are_told_by_their_ids() -> None:
    with standing() as other:
        stack = look([other.ident])[other.ident]
        assert id(other.frame) in stack.frames
        assert id(other.frame.f_back) == stack.frames[stack.frames.index(id(other.frame)) + 1]


def test_all_threads_are_looked_at_where_none_is_named() -> None:
    with standing() as one, standing() as two:
        found = look()
    assert {one.ident, two.ident, threading.get_ident()} <= set(found)
    assert "inner" in [code.co_name for code in found[two.ident].codes]


def test_a_thread_that_is_gone_has_no_stack() -> None:
    with standing() as other:
        pass
    assert look([other.ident])[other.ident].codes == []


def test_no_frame_is_held_afterwards() -> None:
    with standing() as other:
        before = sys.getrefcount(other.frame)
        look([other.ident])
        look()
        local_of(other.ident, 0, other.frame.f_code, "self")
        after = sys.getrefcount(other.frame)
    assert after == before


def test_a_local_variable_is_read_by_its_depth() -> None:
    with standing() as other:
        codes = look([other.ident])[other.ident].codes
        depth = [code.co_name for code in codes].index("outer")
        assert local_of(other.ident, depth, codes[depth], "marked") == "of the outer one"


def test_a_local_variable_of_another_function_is_not_read() -> None:
    with standing() as other:
        codes = look([other.ident])[other.ident].codes
        depth = [code.co_name for code in codes].index("outer")
        assert local_of(other.ident, depth, codes[0], "marked") is None
        assert local_of(other.ident, 10_000, codes[0], "marked") is None
        assert local_of(0, 0, codes[0], "marked") is None
