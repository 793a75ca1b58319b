"""``samples`` by the engine ``thread``: sync work."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from types import CodeType
from typing import Any

import pytest

from django_hotpath import profile, trigger
from django_hotpath.instruments.base import Session, active_instrument, clock
from django_hotpath.instruments.engines import sampler_thread, vmprof
from django_hotpath.instruments.engines.sampler import ThreadSamples
from django_hotpath.instruments.samples import Samples, StackTree
from tests.instruments.sampled import compute, more_samples, names, outermost, paths, until
from tests.recording import recording


def profiled() -> profile:
    return profile("test", instruments=["thread"], save=False)


def busy() -> None:
    until(more_samples())


def waiting() -> None:
    until(more_samples(), lambda: time.sleep(0.001))


def caller() -> None:
    busy()
    waiting()


def elsewhere(stop: threading.Event) -> None:
    while not stop.is_set():
        compute(100)


def test_stacks_make_a_tree() -> None:
    with recording("thread") as run:
        caller()
    found = paths(run.capture)
    assert any(path[-4:-1] == ("caller", "busy", "until") for path in found)


def test_waiting_is_sampled() -> None:
    with recording("thread") as run:
        caller()
    rows = {row["function"]: row for row in run["samples"]["functions"]}
    assert rows["waiting"]["cumulative_ms"] > 0


def test_own_times_add_up_to_the_time_sampled() -> None:
    with recording("thread") as run:
        caller()
    samples = run["samples"]
    own = sum(row["own_ms"] for row in samples["functions"])
    assert own == pytest.approx(samples["sampled_ms"], abs=0.01)
    assert samples["total_ms"] == samples["sampled_ms"]


def test_no_more_than_the_time_that_passed_is_sampled() -> None:
    began = clock()
    with recording("thread") as run:
        caller()
    passed_ms = (clock() - began) / 1_000_000
    assert 0 < run["samples"]["sampled_ms"] <= passed_ms


def test_the_rate_is_recorded() -> None:
    with recording("thread") as run:
        caller()
    samples = run["samples"]
    assert (samples["engine"], samples["mode"], samples["wanted_period_ms"]) == (
        "thread",
        "wall",
        1.0,
    )
    assert samples["samples"] == samples["calls"] >= 10
    achieved = samples["sampled_ms"] / samples["samples"]
    assert samples["achieved_period_ms"] == pytest.approx(achieved, abs=0.001)


def test_stacks_begin_at_the_function_that_holds_the_block() -> None:
    with profiled() as run:
        busy()
    assert outermost(run.capture) == {"test_stacks_begin_at_the_function_that_holds_the_block"}


def test_stacks_begin_at_the_function_that_is_decorated() -> None:
    run = profiled()
    run(caller)()
    assert outermost(run.capture) == {"caller"}


@pytest.mark.django_db
@pytest.mark.django_db  # Django looks after its connections when a response is closed.
def test_stacks_begin_at_what_the_middleware_calls(rf: Any, settings: Any) -> None:
    from django.http import HttpResponse

    from django_hotpath import stores
    from django_hotpath.middleware import ProfilingMiddleware

    def get_response(_request: object) -> HttpResponse:
        busy()
        return HttpResponse("done")

    settings.DEBUG = True
    response = ProfilingMiddleware(get_response)(rf.get("/?profile=thread"))
    response.close()
    capture = stores.get_store().get(response.headers["Hotpath-Capture"].strip("/").split("/")[-1])
    assert outermost(capture) == {"get_response"}


def test_other_threads_are_not_in_it() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=elsewhere, args=(stop,))
    thread.start()
    with recording("thread") as run:
        caller()
    stop.set()
    thread.join()
    assert "elsewhere" not in names(run.capture)
    assert "caller" in names(run.capture)


def test_a_thread_that_the_work_starts_is_not_in_it() -> None:
    stop = threading.Event()
    with recording("thread") as run:
        thread = threading.Thread(target=elsewhere, args=(stop,))
        thread.start()
        caller()
        stop.set()
        thread.join()
    assert "elsewhere" not in names(run.capture)


def test_a_capture_in_another_thread_has_its_own_stacks() -> None:
    captures = {}

    def one() -> None:
        busy()

    def two() -> None:
        busy()

    def measured(work: Any) -> None:
        run = profiled()
        with run:
            work()
        captures[work.__name__] = names(run.capture)

    threads = [threading.Thread(target=measured, args=(work,)) for work in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "one" in captures["one"] - captures["two"]
    assert "two" in captures["two"] - captures["one"]


def test_what_a_capture_inside_measures_is_in_both() -> None:
    inner = profiled()

    def deeper() -> None:
        busy()

    with recording("thread") as outer:
        waiting()
        inner(deeper)()
        waiting()
    assert {"deeper", "waiting"} <= names(outer.capture)
    assert "deeper" in names(inner.capture)
    assert "waiting" not in names(inner.capture)


def test_work_that_is_suspended_is_not_sampled() -> None:
    run = profiled()

    @run
    def numbers() -> Iterator[int]:
        for number in range(5):
            busy()
            yield number

    instruments: list[Any] = []
    for _ in numbers():
        compute(20_000)
        instruments.append(active_instrument("samples"))
    assert instruments == [None] * 5
    assert outermost(run.capture) == {"numbers"}


def test_our_own_frames_are_never_between_those_of_the_work() -> None:
    inner = profiled()
    outer = profiled()
    outer(inner(caller))()
    found = paths(outer.capture)
    assert all("profiling tools" not in path[:-1] for path in found)
    assert ("caller", "busy", "until") in {path[:3] for path in found}


def test_a_deep_recursion_is_sampled() -> None:
    def down(left: int) -> None:
        if left:
            down(left - 1)
        else:
            busy()

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        with profiled() as run:
            down(9_000)
    finally:
        sys.setrecursionlimit(limit)
    deepest = max(paths(run.capture), key=len)
    assert deepest.count("down") == 9_001


def test_an_exception_goes_on_and_nothing_stays() -> None:
    usual = sys.getswitchinterval()
    run = profiled()

    def fails() -> None:
        busy()
        raise KeyError("theirs")

    with pytest.raises(KeyError, match="theirs"):
        run(fails)()
    assert sys.getswitchinterval() == usual
    assert "busy" in names(run.capture)


def test_the_thread_ends_with_the_last_capture() -> None:
    with recording("thread"), recording("thread"):
        busy()
        running = [each.name for each in threading.enumerate()].count("hotpath-sampler")
    until(lambda: "hotpath-sampler" not in [each.name for each in threading.enumerate()])
    assert running == 1


def test_the_switch_interval_is_short_only_meanwhile() -> None:
    usual = sys.getswitchinterval()
    with recording("thread"):
        with recording("thread"):
            inside = sys.getswitchinterval()
        between = sys.getswitchinterval()
    assert inside == between == pytest.approx(sampler_thread.SWITCH_INTERVAL)
    assert sys.getswitchinterval() == usual


def test_a_switch_interval_that_the_application_sets_stays() -> None:
    usual = sys.getswitchinterval()
    try:
        with recording("thread"):
            sys.setswitchinterval(0.01)
        assert sys.getswitchinterval() == pytest.approx(0.01)
    finally:
        sys.setswitchinterval(usual)


def test_objects_are_torn_down_by_their_own_thread_at_their_time() -> None:
    ended: list[tuple[int, int]] = []

    class Held:
        def __init__(self, number: int) -> None:
            self.number = number

        def __del__(self) -> None:
            ended.append((self.number, threading.get_ident()))

    def short(number: int) -> None:
        _held = Held(number)
        compute(20)

    made = []

    def step() -> None:
        made.append((len(made), threading.get_ident()))
        short(len(made) - 1)

    with recording("thread"):
        until(more_samples(100), step)
    assert ended == made


def test_a_hundred_captures_leave_nothing_behind() -> None:
    import gc

    def once() -> None:
        with profiled():
            until(more_samples(1))

    once()
    gc.collect()
    before = len(gc.get_objects()), len(os.listdir("/dev/fd"))
    for _ in range(100):
        once()
    gc.collect()
    after = len(gc.get_objects()), len(os.listdir("/dev/fd"))
    assert after[0] - before[0] < 100
    assert after[1] == before[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_leaves_the_sampler_to_the_parent() -> None:
    with recording("thread") as run:
        busy()
        with warnings.catch_warnings():
            # Of the threads of other tests.
            warnings.simplefilter("ignore")
            child = os.fork()
        if not child:
            right = False
            try:
                alive = [each.name for each in threading.enumerate()]
                usual = sys.getswitchinterval() > sampler_thread.SWITCH_INTERVAL
                again = profiled()
                with again:
                    busy()
                right = "hotpath-sampler" not in alive and usual and "busy" in names(again.capture)
            finally:
                os._exit(0 if right else 1)
        _pid, status = os.waitpid(child, 0)
        waiting()
    assert os.waitstatus_to_exitcode(status) == 0
    assert "waiting" in names(run.capture)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_there_is_no_thread_of_ours_while_the_work_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.12 and later would warn the application of it."""
    alive: list[list[str]] = []
    sampler = sampler_thread._sampler
    goes_on = sampler.after_fork_in_parent

    def forked() -> None:
        alive.append([each.name for each in threading.enumerate()])
        goes_on()

    monkeypatch.setattr(sampler, "after_fork_in_parent", forked)
    with recording("thread"):
        busy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        busy()
    assert len(alive) == 1
    assert "hotpath-sampler" not in alive[0]


def test_a_sampler_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()

    def look(*_args: object) -> Any:
        failed.set()
        raise RuntimeError("ours")

    monkeypatch.setattr(sampler_thread, "look", look)
    with recording("thread") as run:
        assert failed.wait(60)
        result = compute(10)
    assert result == 285
    assert run["samples"]["samples"] == 0
    assert any("samples ended early" in found for found in run.capture.environment.warnings)


def test_a_thread_that_cannot_start_leaves_the_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    usual = sys.getswitchinterval()
    until(lambda: "hotpath-sampler" not in [each.name for each in threading.enumerate()])
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with profiled() as run:
            compute(10)
    assert run.capture is not None
    assert "samples" not in run.capture.instruments
    assert any("samples failed" in found for found in run.capture.environment.warnings)
    assert sys.getswitchinterval() == usual


def test_idle_captures_are_looked_at_seldom_until_they_go_on() -> None:
    usual = sys.getswitchinterval()
    instrument = ThreadSamples(Session(started_ns=clock()))
    with instrument:
        instrument.pause()
        until(lambda: sampler_thread._sampler.resting, lambda: time.sleep(0.01))
        idle = sys.getswitchinterval()
        instrument.resume()
        awake = sys.getswitchinterval()
        until(lambda: instrument.tree.samples >= 3)
    assert idle == usual
    assert awake == pytest.approx(sampler_thread.SWITCH_INTERVAL)


def test_cprofile_beside_it_is_refused_where_it_sees_all_threads() -> None:
    with profile("both", instruments=["thread", "cprofile"], save=False) as run:
        caller_of_nothing = compute(10)
    assert caller_of_nothing == 285
    if sys.version_info >= (3, 12):
        assert "cProfile sees every thread" in (run.refused or "")
    else:
        assert run.capture is not None


def test_a_python_without_the_gil_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert "without the GIL" in (ThreadSamples.available() or "")


@pytest.mark.parametrize("target", ["cpu", "memory"])
def test_what_only_vmprof_measures_is_refused(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmprof, "_PLATFORM", "win32")
    with pytest.raises(trigger.TriggerError, match="needs the engine vmprof, which works on Linux"):
        trigger.parse(f"samples:{target}")


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(trigger.TriggerError, match="samples takes wall, cpu, memory"):
        trigger.parse("thread:fast")


# The tree alone.


def code(name: str) -> CodeType:
    return code.__code__.replace(co_name=name, co_qualname=name, co_filename="/srv/shop/views.py")


A, B, C = code("a"), code("b"), code("c")


class Any_(Samples):  # the rate's warnings need no engine
    engine = "none"
    measures = cost = disturbed_by = ""

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def result(self) -> dict[str, Any]:
        return {}


def result_of(tree: StackTree) -> tuple[dict[str, Any], list[str]]:
    samples = Any_(Session())
    return samples._result(tree, "wall"), samples.warnings


def test_alike_stacks_are_one_path() -> None:
    tree = StackTree()
    for stack in ([A, B], [A, B], [A, C], [A]):
        tree.add(stack, 1_000_000)
    result, _ = result_of(tree)
    assert result["tree"]["parent"] == [-1, 0, 1, 1]
    assert result["tree"]["calls"] == [0, 1, 2, 1]
    assert result["tree"]["total_ms"] == [4.0, 4.0, 2.0, 1.0]


def test_samples_are_told_in_the_order_they_were_taken_in() -> None:
    tree = StackTree()
    for number, stack in enumerate(([A, B], [A, C], [A, B], [A]), start=1):
        tree.add(stack, number * 1_000_000)
    result, _ = result_of(tree)
    assert result["order"] == {
        "node": [2, 3, 2, 1],
        "ms": [1.0, 2.0, 3.0, 4.0],
        "omitted": 0,
    }


def test_the_order_ends_where_there_is_no_more_room_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("django_hotpath.instruments.samples.MAX_ORDER", 2)
    tree = StackTree()
    for _ in range(5):
        tree.add([A], 1_000_000)
    result, _ = result_of(tree)
    assert (result["order"]["node"], result["order"]["omitted"]) == ([1, 1], 3)


def test_a_function_that_was_never_innermost_has_its_row() -> None:
    tree = StackTree()
    tree.add([A, B], 1_000_000)
    result, _ = result_of(tree)
    rows = {row["function"]: (row["calls"], row["cumulative_ms"]) for row in result["functions"]}
    assert rows == {"a": (0, 1.0), "b": (1, 1.0)}
    assert -1 not in result["tree"]["frame"][1:]


def test_stacks_beyond_the_bound_end_earlier_and_are_counted() -> None:
    tree = StackTree(max_nodes=2)
    tree.add([A, B], 1_000_000)
    result, found = result_of(tree)
    assert result["sampled_ms"] == 1.0
    assert tree.cut == 1
    assert any("1 samples were left out" in warning for warning in found)


def test_a_rate_far_from_the_one_asked_for_is_named() -> None:
    tree = StackTree()
    for _ in range(4):
        tree.add([A], 6_000_000)
    _, found = result_of(tree)
    assert "asked for a stack every 1 ms, got one every 6.0 ms (4 in 24 ms)" in found[0]


def test_a_rate_near_the_one_asked_for_is_not_named() -> None:
    tree = StackTree()
    for _ in range(24):
        tree.add([A], 1_100_000)
    _, found = result_of(tree)
    assert found == []


def test_no_sample_is_no_rate() -> None:
    result, found = result_of(StackTree())
    assert result["achieved_period_ms"] is None
    assert (result["samples"], result["functions"], found) == (0, [], [])
