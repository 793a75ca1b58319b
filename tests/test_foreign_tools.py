"""Beside tools that the application itself uses: its answer and theirs are as without us."""

from __future__ import annotations

import cProfile
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

import pytest

from django_hotpath.instruments.base import Instrument
from tests import known_answers
from tests.known_answers import ANSWER, CALLS, Outcome, captured, known_classes, name_of
from tests.require import require

# Gives whether the tool has measured what it should have, and is still what is active.
Foreign = Callable[[], AbstractContextManager[Callable[[], bool]]]

MONITORING = sys.version_info >= (3, 12)


class Counter:
    """A trace or profile function that counts the calls of ``helper``."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, frame: FrameType, event: str, _value: object) -> Any:
        self.calls += event == "call" and frame.f_code is known_answers.helper.__code__
        return self


@contextmanager
def settrace() -> Iterator[Callable[[], bool]]:
    tool = Counter()
    sys.settrace(tool)
    try:
        yield lambda: tool.calls == CALLS and sys.gettrace() is tool
    finally:
        sys.settrace(None)


@contextmanager
def setprofile() -> Iterator[Callable[[], bool]]:
    tool = Counter()
    sys.setprofile(tool)
    try:
        yield lambda: tool.calls == CALLS and sys.getprofile() is tool
    finally:
        sys.setprofile(None)


@contextmanager
def cprofile() -> Iterator[Callable[[], bool]]:
    tool = cProfile.Profile()
    tool.enable()

    def counted() -> bool:
        tool.disable()
        codes = {entry.code: entry.callcount for entry in tool.getstats()}
        return codes.get(known_answers.helper.__code__) == CALLS

    try:
        yield counted
    finally:
        tool.disable()


@contextmanager
def tracing() -> Iterator[Callable[[], bool]]:
    tracemalloc.start()
    allocated = bytearray(100)
    try:
        yield lambda: tracemalloc.get_object_traceback(allocated) is not None
    finally:
        tracemalloc.stop()


@contextmanager
def all_monitoring_ids() -> Iterator[Callable[[], bool]]:
    monitoring = sys.monitoring
    free = [number for number in range(6) if monitoring.get_tool(number) is None]
    for number in free:
        monitoring.use_tool_id(number, f"theirs {number}")
    try:
        yield lambda: all(monitoring.get_tool(number) == f"theirs {number}" for number in free)
    finally:
        for number in free:
            monitoring.free_tool_id(number)


TOOLS: dict[str, Foreign] = {
    "settrace": settrace,
    "setprofile": setprofile,
    "cprofile": cprofile,
    "tracemalloc": tracing,
}
if MONITORING:
    TOOLS["monitoring"] = all_monitoring_ids

ENGINES = [cls for cls in known_classes() if cls.engine not in {"hotpath", "pympler"}]
# Those of ours that use no slot of the interpreter go together.
RECORDERS = [cls for cls in known_classes() if cls.engine == "hotpath" and cls.name != "eventloop"]


@pytest.fixture(autouse=True)
def _no_other_tool() -> None:
    require(sys.gettrace() is None, "runs without a debugger or coverage")


def is_right_or_says_why_not(outcome: Outcome, classes: list[type[Instrument]]) -> None:
    if outcome.capture is None:
        assert all(cls.name in outcome.refused for cls in classes)
        return
    try:
        outcome.check(classes)
    except (AssertionError, KeyError, ValueError):
        warnings = outcome.capture.environment.warnings
        names = {cls.name for cls in classes}
        said = [text for text in warnings if text.split(":")[0] in names]
        if not said:
            raise


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("cls", ENGINES, ids=name_of)
@pytest.mark.django_db
class TestEveryEngine:
    def test_beside_a_tool_that_was_there_before(self, cls: type[Instrument], tool: str) -> None:
        with TOOLS[tool]() as works:
            outcome = captured([cls])
            assert works()
        assert outcome.answer == ANSWER
        is_right_or_says_why_not(outcome, [cls])

    def test_beside_a_tool_that_the_work_starts(self, cls: type[Instrument], tool: str) -> None:
        worked = []

        def work() -> int:
            with TOOLS[tool]() as works:
                answer = known_answers.work()
                worked.append(works())
            return answer

        outcome = captured([cls], work)
        assert outcome.answer == ANSWER
        assert worked == [True]
        is_right_or_says_why_not(outcome, [cls])

    def test_leaves_nothing_behind(self, cls: type[Instrument], tool: str) -> None:
        with TOOLS[tool]():
            captured([cls])
        assert (sys.gettrace(), sys.getprofile(), threading.gettrace()) == (None, None, None)
        assert not tracemalloc.is_tracing()
        assert "enable" not in vars(cProfile.Profile)
        if MONITORING:
            assert [sys.monitoring.get_tool(number) for number in range(6)] == [None] * 6


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.django_db
def test_our_recorders_are_right_beside_it(tool: str) -> None:
    with TOOLS[tool]() as works:
        outcome = captured(RECORDERS)
        assert works()
    assert outcome.answer == ANSWER
    outcome.check(RECORDERS)


@pytest.mark.django_db
def test_another_thread_may_start_cprofile_while_it_runs() -> None:
    """On Python 3.12 and later its slot is of the whole process, and taking it twice raises."""
    (cls,) = (cls for cls in ENGINES if cls.engine == "cprofile")
    theirs: list[object] = []

    def other() -> None:
        try:
            with cprofile() as works:
                known_answers.measured()
                theirs.append(works())
        except ValueError as error:
            theirs.append(error)

    def work() -> int:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return known_answers.work()

    outcome = captured([cls], work)
    assert theirs == [True]
    assert outcome.answer == ANSWER
    is_right_or_says_why_not(outcome, [cls])
