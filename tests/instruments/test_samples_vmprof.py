"""``samples`` by the engine ``vmprof``."""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from django_hotpath import profile, trigger
from django_hotpath.instruments.base import clock
from django_hotpath.instruments.engines import vmprof, vmprof_signals
from django_hotpath.instruments.engines.vmprof import VmprofSamples
from tests.instruments.sampled import compute, more_samples, names, outermost, paths, until
from tests.recording import recording
from tests.require import require

pytestmark = [
    pytest.mark.skipif(
        sys.version_info < (3, 13), reason="VMProf crashes where a stack is shallow too"
    ),
    pytest.mark.usefixtures("no_frozen_objects"),
]


@pytest.fixture(autouse=True)
def _vmprof(settings: Any) -> None:
    require(find_spec("vmprof") is not None, "needs vmprof")
    settings.HOTPATH = {**settings.HOTPATH, "VMPROF_UNSAFE": True}


def profiled(mode: str = "vmprof") -> profile:
    return profile("test", instruments=[mode], save=False)


def busy() -> None:
    until(more_samples())


def waiting() -> None:
    until(more_samples(), lambda: time.sleep(0.001))


def caller() -> None:
    busy()


def fork() -> int:
    with warnings.catch_warnings():
        # Of the threads of other tests.
        warnings.simplefilter("ignore")
        return os.fork()


def handler_of(number: int) -> bytes:
    return vmprof_signals._action(number)


def test_stacks_make_a_tree() -> None:
    with profiled() as run:
        caller()
        waiting()
    found = {path[:4] for path in paths(run.capture)}
    test = "test_stacks_make_a_tree"
    assert {(test, "caller", "busy", "until"), (test, "waiting", "until")} <= {
        *found,
        *(path[:3] for path in found),
    }
    assert outermost(run.capture) == {test}


def test_own_times_add_up_to_the_time_sampled() -> None:
    with recording("vmprof") as run:
        caller()
    samples = run["samples"]
    own = sum(row["own_ms"] for row in samples["functions"])
    assert own == pytest.approx(samples["sampled_ms"], abs=0.01)
    assert (samples["engine"], samples["mode"]) == ("vmprof", "wall")
    assert samples["samples"] == samples["calls"] > 0


def test_no_more_than_the_time_that_passed_is_sampled() -> None:
    began = clock()
    with recording("vmprof") as run:
        caller()
    passed_ms = (clock() - began) / 1_000_000
    assert 0 < run["samples"]["sampled_ms"] <= passed_ms


def test_stacks_begin_at_the_function_that_is_decorated() -> None:
    run = profiled()
    run(caller)()
    assert outermost(run.capture) == {"caller"}


def test_another_thread_can_be_measured_and_others_are_not() -> None:
    stop = threading.Event()
    run = profiled()

    def elsewhere() -> None:
        while not stop.is_set():
            compute(100)

    other = threading.Thread(target=elsewhere)
    measured = threading.Thread(target=run(caller))
    other.start()
    measured.start()
    measured.join()
    stop.set()
    other.join()
    assert "caller" in names(run.capture)
    assert "elsewhere" not in names(run.capture)


def test_cpu_mode_samples_no_waiting_and_no_other_thread() -> None:
    stop = threading.Event()

    def elsewhere() -> None:
        while not stop.is_set():
            compute(100)

    def asleep() -> None:
        time.sleep(0.2)

    other = threading.Thread(target=elsewhere)
    with profiled("samples:cpu") as run:
        asleep()
        other.start()
        busy()
        stop.set()
        other.join()
    assert run.capture is not None
    assert run.capture.instruments["samples"]["mode"] == "cpu"
    assert "busy" in names(run.capture)
    assert not {"asleep", "elsewhere"} & names(run.capture)


def test_memory_mode_notes_the_memory_of_the_process() -> None:
    kept: list[mmap.mmap] = []

    def take() -> None:
        # Straight from the system: what other tests have freed cannot be used again.
        kept.append(mmap.mmap(-1, 1_000_000))
        kept[-1].write(bytes(1_000_000))

    with profiled("samples:memory") as run:
        until(more_samples(), take)
    assert run.capture is not None
    memory = run.capture.instruments["samples"]["memory"]
    assert memory["rss_last"] - memory["rss_first"] > 1_000_000
    assert memory["rss_peak"] >= memory["rss_last"]
    assert memory["points"][0][1] == memory["rss_first"]


def test_work_that_is_suspended_is_not_sampled() -> None:
    run = profiled()

    @run
    def numbers() -> Iterator[int]:
        for number in range(5):
            busy()
            yield number

    def between() -> None:
        until(lambda: time.monotonic() > ends)

    for _ in numbers():
        ends = time.monotonic() + 0.02
        between()
    assert outermost(run.capture) == {"numbers"}
    assert "between" not in names(run.capture)


def test_cpu_work_that_is_suspended_is_not_sampled() -> None:
    run = profiled("samples:cpu")

    @run
    def numbers() -> Iterator[int]:
        for number in range(3):
            busy()
            yield number

    def between() -> None:
        until(lambda: time.monotonic() > ends)

    for _ in numbers():
        ends = time.monotonic() + 0.05
        between()
    assert outermost(run.capture) == {"numbers"}


async def test_async_work_is_sampled_by_the_thread_instead() -> None:
    run = profiled("samples")

    @run
    async def mine() -> None:
        busy()

    await mine()
    assert run.capture is not None
    assert run.capture.instruments["samples"]["engine"] == "thread"


async def test_async_work_by_its_name_is_refused_in_words() -> None:
    with profiled("vmprof") as run:
        pass
    assert "cannot follow async work" in (run.refused or "")


async def test_a_mode_that_async_work_cannot_have_is_named() -> None:
    run = profiled("samples:cpu")

    @run
    async def mine() -> None:
        busy()

    await mine()
    assert run.capture is not None
    assert run.capture.instruments["samples"]["mode"] == "wall"
    assert any("cpu is measured by vmprof only" in each for each in warnings_of(run))


def warnings_of(run: profile) -> tuple[str, ...]:
    assert run.capture is not None
    return tuple(run.capture.environment.warnings)


@pytest.mark.parametrize("mode", ["vmprof", "samples:cpu"])
def test_handlers_and_timers_are_as_before(mode: str) -> None:
    faulthandler.disable()
    faulthandler.enable()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    numbers = (signal.SIGALRM, signal.SIGPROF, signal.SIGSEGV)
    before = [handler_of(number)[:8] for number in numbers]
    flags = vmprof_signals._action(signal.SIGSEGV)[136:140]
    with profiled(mode):
        busy()
    assert [handler_of(number)[:8] for number in numbers] == before
    assert vmprof_signals._action(signal.SIGSEGV)[136:140] == flags
    assert signal.getitimer(signal.ITIMER_REAL) == signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_an_alarm_that_the_work_sets_stays_and_is_named() -> None:
    rang: list[int] = []
    try:
        with profiled() as run:
            busy()
            signal.signal(signal.SIGALRM, lambda number, _frame: rang.append(number))
            signal.setitimer(signal.ITIMER_REAL, 1_000)
        left, _period = signal.getitimer(signal.ITIMER_REAL)
        signal.setitimer(signal.ITIMER_REAL, 0)
        del rang[:]
        signal.raise_signal(signal.SIGALRM)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert left > 900
    assert rang == [signal.SIGALRM]
    assert any("set an alarm or timer of its own" in each for each in warnings_of(run))


def test_where_the_application_uses_the_signal_the_thread_samples() -> None:
    signal.signal(signal.SIGALRM, lambda _number, _frame: None)
    try:
        reason = VmprofSamples.busy()
        with profiled("samples") as run:
            busy()
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert "has a handler of the application" in (reason or "")
    assert run.capture is not None
    assert run.capture.instruments["samples"]["engine"] == "thread"


def test_where_the_application_has_a_timer_it_is_refused() -> None:
    signal.setitimer(signal.ITIMER_REAL, 1_000)
    try:
        assert "which the application has set" in (VmprofSamples.busy() or "")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_a_second_capture_is_told_that_it_is_in_use() -> None:
    with recording("vmprof"), profiled() as second:
        pass
    assert "another capture is using it" in (second.refused or "")


def test_beside_another_capture_the_thread_samples() -> None:
    with recording("vmprof"), recording("samples") as second:
        busy()
    assert second["samples"]["engine"] == "thread"


def test_another_user_of_vmprof_is_a_reason(tmp_path: Any) -> None:
    import _vmprof

    with (tmp_path / "theirs").open("wb") as theirs:
        _vmprof.enable(theirs.fileno(), 0.5, 0, 0, 0, 0)
        try:
            with profiled() as run:
                pass
        finally:
            _vmprof.stop_sampling()
            _vmprof.disable()
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
    assert "already enabled" in (run.refused or "")


def test_a_function_that_was_freed_is_named() -> None:
    def short_lived() -> None:
        names_: dict[str, Any] = {"until": until, "more_samples": more_samples}
        exec("def gone():\n    until(more_samples())\ngone()", names_)

    with profiled() as run:
        short_lived()
    assert "gone" in names(run.capture)


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
    assert "(deeper than vmprof sees)" in {path[0] for path in paths(run.capture)}
    assert deepest.count("down") > 500


def test_an_exception_goes_on_and_nothing_stays() -> None:
    files = len(os.listdir("/dev/fd"))
    run = profiled()

    def fails() -> None:
        busy()
        raise KeyError("theirs")

    with pytest.raises(KeyError, match="theirs"):
        run(fails)()
    assert "busy" in names(run.capture)
    with recording("vmprof"):
        busy()
    assert len(os.listdir("/dev/fd")) == files


def test_a_fork_takes_no_handler_along() -> None:
    with recording("vmprof") as run:
        ours = handler_of(signal.SIGALRM)[:8]
        child = fork()
        if not child:
            os._exit(int(handler_of(signal.SIGALRM)[:8] == ours))
        _pid, status = os.waitpid(child, 0)
        busy()
    assert os.waitstatus_to_exitcode(status) == 0
    assert "busy" in names(run.capture)


def test_a_capture_may_end_in_a_child() -> None:
    with profiled() as run:
        busy()
        child = fork()
        if child:
            _pid, status = os.waitpid(child, 0)
    if not child:
        os._exit(0 if run.capture is not None else 1)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "busy" in names(run.capture)


def test_a_file_that_cannot_be_read_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmprof, "_contents", lambda _file: b"not what vmprof writes" * 10)
    with profiled() as run:
        result = compute(10)
    assert result == 285
    assert any("samples failed" in each for each in warnings_of(run))


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(trigger.TriggerError, match="samples takes wall, cpu, memory, not 'fast'"):
        trigger.parse("samples:fast")
