"""The C tracer where memory gives out, or the processor's counter jumps."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.instruments.calltree_faulty import Faulty
from tests.instruments.tracing import spans_of
from tests.require import require


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    made = Faulty.built(tmp_path_factory.mktemp("faulty"))
    made.module.handover(hand_over.__code__)
    return made


def leaf(number: int) -> int:
    return number + 1


def numbers() -> Iterator[int]:
    for number in range(3):
        yield leaf(number)


class Suspend:
    def __await__(self) -> Iterator[None]:
        yield


async def waiting() -> int:
    await Suspend()
    return leaf(4)


def down(depth: int) -> int:
    return down(depth - 1) if depth else leaf(5)


def hand_over() -> int:
    """In a thread of its own, in a copy of this context."""
    found: list[int] = []
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(lambda: found.append(program()),))
    thread.start()
    thread.join()
    return found[0]


def program() -> int:
    coroutine = waiting()
    coroutine.send(None)
    total = sum(numbers()) + len("four") + down(70)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        total += stop.value
    try:
        int("x")
    except ValueError:
        total += leaf(6)
    return total


ANSWER = 6 + 4 + 6 + 5 + 7


def work(module: Any) -> int:
    """All that is done with a Tracer; 0 when one of its own methods said that it has no memory."""
    try:
        tracer = module.Tracer(max_nodes=10_000, builtins=True, max_spans=64, least_ns=0)
        tracer.start()
    except MemoryError:
        return 0
    # What is measured must notice nothing.
    answer = hand_over()
    assert answer == ANSWER == program()
    try:
        tracer.pause()
        tracer.resume()
        leaf(1)
        tracer.stop()
        result = tracer.result()
    except MemoryError:
        return 0
    assert len(result["parent"]) == len(result["own_ns"]) == len(result["frame"])
    spans = spans_of(result)
    assert len(spans) <= 64
    # Half as many were too many once: those that were left out are shorter than all the others.
    assert result["least_ns"] > 0
    assert all(span.end - span.start >= result["least_ns"] - 1 for span in spans)
    assert all(0 < span.node < len(result["parent"]) for span in spans)
    return answer


@pytest.mark.parametrize("more", [0, 10**6], ids=["once", "from then on"])
def test_without_memory_the_work_goes_on_and_nothing_is_left(faulty: Faulty, more: int) -> None:
    successes = finished = 0
    while True:
        with faulty:
            faulty.fail_after(successes, more)
            outcome = contextvars.Context().run(work, faulty.module)
            failed = faulty.failed()
        assert faulty.module.living() == 0, f"after {successes} successes"
        if not failed:
            break
        finished += outcome == ANSWER
        successes += 1
    assert successes > 300
    assert finished > 0 or more


def _nanoseconds(faulty: Faulty, jump: Callable[[], None]) -> tuple[int, int]:
    """Of 20 ms with a jump inside: by the tracer, by the clock."""

    def slept() -> dict[str, Any]:
        tracer = faulty.module.Tracer()
        tracer.start()
        time.sleep(0.01)
        jump()
        time.sleep(0.01)
        tracer.stop()
        found: dict[str, Any] = tracer.result()
        return found

    began = time.perf_counter_ns()
    result = contextvars.Context().run(slept)
    assert min(result["own_ns"] + result["wait_ns"]) >= 0
    return sum(result["own_ns"]), time.perf_counter_ns() - began


@pytest.fixture
def counter(faulty: Faulty) -> Faulty:
    require(faulty.module.use_counter(), "needs a processor whose counter the tracer can read")
    return faulty


def test_time_that_the_machine_slept_before_a_capture_is_not_in_it(counter: Faulty) -> None:
    counter.jump(10**13)  # about an hour
    found, by_the_clock = _nanoseconds(counter, lambda: None)
    assert 20_000_000 * 0.9 < found <= by_the_clock


def test_time_that_the_machine_slept_in_a_capture_makes_none_of_it_longer(counter: Faulty) -> None:
    found, by_the_clock = _nanoseconds(counter, lambda: counter.jump(10**13))
    assert found <= by_the_clock


def test_a_counter_that_starts_again_gives_no_time_rather_than_a_wrong_one(
    counter: Faulty,
) -> None:
    found, _by_the_clock = _nanoseconds(counter, lambda: counter.jump(-(10**13)))
    assert found == 0
