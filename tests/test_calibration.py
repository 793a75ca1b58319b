"""How much slower engines make code: measured in the background, kept, never in anybody's way."""

from __future__ import annotations

import gc
import json
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db.models.signals import post_init

from django_hotpath import calibration, locks
from django_hotpath.calibration import background, events, measure, stored, typical
from django_hotpath.calibration.background import Task
from django_hotpath.calibration.measure import NotNow
from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument, current
from tests.known_answers import CREATED, QUERIES, captured, known_classes, name_of


class Clock:
    """Goes on only when somebody works."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class Engine(Instrument):
    """Makes Python code three times slower."""

    name = "fake"
    engine = "fake"
    measures = cost = disturbed_by = ""
    process_wide: ClassVar[str | None] = "tests-calibration"
    slower: ClassVar[tuple[float, float] | None] = (2.0, 4.0)
    on: ClassVar[bool] = False
    says: ClassVar[str] = ""
    taken: ClassVar[str | None] = None

    @classmethod
    def busy(cls) -> str | None:
        return cls.taken

    def start(self) -> None:
        type(self).on = True
        if self.says:
            self.warnings.append(self.says)

    def stop(self) -> None:
        type(self).on = False

    def result(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def works(clock: Clock) -> list[Callable[[], object]]:
    def in_c() -> None:
        clock.now += 1_000

    def in_python() -> None:
        clock.now += 3_000 if Engine.on else 1_000

    return [in_c, in_python]


def engine(name: str, engine: str) -> type[Instrument]:
    return next(cls for cls in registry.engines(name) if cls.engine == engine)


class TestMeasuring:
    def test_gives_the_least_and_the_most_of_the_workloads(self, clock: Clock, works: Any) -> None:
        assert measure.slowdown(Engine, works=works, clock=clock) == (1.0, 3.0)

    def test_is_not_misled_by_a_run_that_was_interrupted(self, clock: Clock, works: Any) -> None:
        runs = iter([True, True])

        def disturbed() -> None:
            works[1]()
            clock.now += 1_000_000 if next(runs, False) else 0

        assert measure.slowdown(Engine, works=[disturbed], clock=clock) == (3.0, 3.0)

    def test_never_says_that_an_engine_makes_code_quicker(self, clock: Clock) -> None:
        def odd() -> None:
            clock.now += 500 if Engine.on else 1_000

        assert measure.slowdown(Engine, works=[odd], clock=clock) == (1.0, 1.0)

    def test_takes_turns(self, clock: Clock) -> None:
        seen = []
        measure.slowdown(Engine, works=[lambda: seen.append(Engine.on)], clock=clock)
        assert seen == [False, True] * measure.ROUNDS

    def test_makes_fewer_rounds_with_a_slow_engine(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(measure, "perf_counter_ns", clock)
        seen = []

        def slow() -> None:
            seen.append(1)
            clock.now += 200_000_000

        measure.slowdown(Engine, works=[slow], clock=clock)
        assert len(seen) == 4

    def test_ends_between_two_runs_when_told_to(self, clock: Clock, works: Any) -> None:
        asked = iter(range(3))

        def before_run() -> None:
            if next(asked, None) is None:
                raise NotNow("a capture begins")

        with pytest.raises(NotNow):
            measure.slowdown(Engine, works=works, clock=clock, before_run=before_run)
        assert clock.now == 1_000 + 1_000 + 1_000
        assert not Engine.on

    def test_waits_for_no_lock(self, works: Any) -> None:
        assert locks.acquire("tests-calibration")
        try:
            with pytest.raises(NotNow):
                measure.slowdown(Engine, works=works)
        finally:
            locks.release("tests-calibration")

    def test_gives_the_lock_back_after_each_run(self, clock: Clock, works: Any) -> None:
        def before_run() -> None:
            assert locks.acquire("tests-calibration")
            locks.release("tests-calibration")

        measure.slowdown(Engine, works=works, clock=clock, before_run=before_run)
        before_run()

    def test_leaves_a_slot_that_is_taken(self, monkeypatch: Any, works: Any) -> None:
        monkeypatch.setattr(Engine, "taken", "somebody has it")
        with pytest.raises(NotNow, match="somebody has it"):
            measure.slowdown(Engine, works=works)

    def test_does_not_believe_an_engine_that_warns(self, monkeypatch: Any, works: Any) -> None:
        monkeypatch.setattr(Engine, "says", "was already tracing")
        with pytest.raises(NotNow, match="was already tracing"):
            measure.slowdown(Engine, works=works)
        assert not Engine.on

    def test_leaves_tracemalloc_to_an_application_that_uses_it(self) -> None:
        tracemalloc.start()
        try:
            with pytest.raises(NotNow):
                measure.slowdown(engine("allocations", "tracemalloc"))
            assert tracemalloc.is_tracing()
        finally:
            tracemalloc.stop()

    def test_stops_the_engine_when_a_workload_raises(self) -> None:
        def broken() -> None:
            if Engine.on:
                raise ValueError("ours")

        with pytest.raises(ValueError, match="ours"):
            measure.slowdown(Engine, works=[broken])
        assert not Engine.on
        assert current.get() is None

    @pytest.mark.parametrize(
        "cls", [cls for cls in known_classes() if typical.slower(cls)], ids=name_of
    )
    def test_of_every_engine_gives_a_range(self, cls: type[Instrument]) -> None:
        low, high = measure.slowdown(cls)
        assert 1 <= low <= high
        assert current.get() is None


class TestEvents:
    def test_are_counted_by_the_result(self) -> None:
        assert events.count("queries", {"count": 7}) == 7
        assert events.count("objects", {"created": 3}) == 3
        assert events.count("calls", {"count": 7}) == 0
        assert events.count("queries", {}) == 0

    @pytest.mark.django_db
    def test_are_those_that_an_instrument_recorded(self) -> None:
        outcome = captured([engine("queries", "hotpath"), engine("objects", "hotpath")])
        assert outcome.capture is not None
        results = outcome.capture.instruments
        assert events.count("queries", results["queries"]) == QUERIES
        assert events.count("objects", results["objects"]) == CREATED

    @pytest.mark.parametrize("name", events.UNSEEN)
    def test_cost_something_and_leave_nothing_behind(self, name: str) -> None:
        before = (list(gc.callbacks), len(post_init.receivers), threading.active_count())
        assert 0 <= events.measure(name) < 1_000_000_000
        assert (list(gc.callbacks), len(post_init.receivers), threading.active_count()) == before
        assert current.get() is None

    def test_cost_what_the_clock_of_the_instrument_does_not_see(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = Clock()

        def pair(instrument: Instrument) -> tuple[Callable[[], None], Callable[[], None]]:
            def bare() -> None:
                clock.now += 100

            def recorded() -> None:
                clock.now += 100 + 700 + 40
                instrument.overhead_ns += 700

            return bare, recorded

        unseen = events.UNSEEN["gc"]._replace(pair=pair)
        monkeypatch.setitem(events.UNSEEN, "gc", unseen)
        assert events.measure("gc", clock=clock) == 40


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / ".hotpath"
    folder.mkdir()
    settings.HOTPATH = {
        "STORE": {
            "BACKEND": "django_hotpath.stores.sqlite.SQLiteStore",
            "OPTIONS": {"path": str(folder / "captures.sqlite3")},
        }
    }
    return folder


class TestTheFile:
    def test_keeps_what_was_measured(self, folder: Path) -> None:
        stored.save({"one": (1.2, 1.6)})
        stored.save({"two": 700})
        assert stored.load() == {"one": (1.2, 1.6), "two": 700}

    def test_lies_beside_the_captures_for_its_owner_only(self, folder: Path) -> None:
        stored.save({"one": 700})
        assert [found.name for found in folder.iterdir()] == ["calibration.json"]
        assert (folder / "calibration.json").stat().st_mode & 0o777 == 0o600

    def test_is_not_made_where_captures_are_not_kept_in_files(self, tmp_path: Path) -> None:
        assert stored.path() is None
        stored.save({"one": 700})
        assert stored.load() == {}

    def test_makes_no_folder(self, folder: Path) -> None:
        folder.rmdir()
        stored.save({"one": 700})
        assert not folder.exists()

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", "null", '{"version": 2, "measured": {"one": 7}}', '{"version": 1}', "\xff"],
    )
    def test_that_cannot_be_read_is_no_error(self, folder: Path, text: str) -> None:
        (folder / "calibration.json").write_text(text, encoding="latin-1")
        assert stored.load() == {}
        stored.save({"one": 700})
        assert stored.load() == {"one": 700}

    def test_that_cannot_be_written_is_no_error(self, folder: Path) -> None:
        (folder / "calibration.json").mkdir()
        stored.save({"one": 700})
        assert stored.load() == {}
        assert [found.name for found in folder.iterdir()] == ["calibration.json"]

    @pytest.mark.parametrize(
        "figure", [-1, 1.5, True, "7", [1.2], [2.0, 1.0], [0.5, 2.0], [1.0, 1e9], [1, None]]
    )
    def test_with_a_figure_that_cannot_be_true(self, folder: Path, figure: object) -> None:
        text = json.dumps({"version": 1, "measured": {"bad": figure, "good": [1.0, 2.0]}})
        (folder / "calibration.json").write_text(text)
        assert stored.load() == {"good": (1.0, 2.0)}

    def test_does_not_grow_for_ever(self, folder: Path) -> None:
        stored.save({str(number): number for number in range(300)})
        stored.save({"last": 1})
        found = stored.load()
        assert len(found) == 200
        assert "last" in found

    def test_tells_engines_pythons_and_machines_apart(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stored, "_here", stored._here.__wrapped__)
        keys = {stored.key("calls", "native"), stored.key("calls", "native", "builtins")}
        for owner, name, value in (
            ("platform", "python_version", lambda: "3.99.0"),
            ("platform", "node", lambda: "another machine"),
            ("django_hotpath", "__version__", "99.0"),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(f"{owner}.{name}", value)
                keys.add(stored.key("calls", "native"))
        assert len(keys) == 5

    def test_does_not_name_the_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("platform.node", lambda: "buildhost-secret")
        assert "secret" not in stored._here.__wrapped__()


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[background._Background]:
    monkeypatch.setattr(background, "DELAY", 0)
    monkeypatch.setattr(background, "_REST", 0)
    found = background._Background()
    yield found
    found.end()


def finish(found: background._Background) -> None:
    thread = found._thread
    if thread is not None:
        thread.join(30)
        assert not thread.is_alive()


class Job:
    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.runs: list[str] = []

    def __call__(self, before_run: Callable[[], object]) -> None:
        before_run()
        self.runs.append(threading.current_thread().name)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome


class TestTheBackground:
    def test_measures_in_a_thread_of_its_own(self, threads: background._Background) -> None:
        job = Job()
        threads.want([Task("one", job)])
        finish(threads)
        assert job.runs == ["hotpath-calibration"]

    def test_measures_once(self, threads: background._Background) -> None:
        job = Job()
        for _ in range(3):
            threads.want([Task("one", job)])
            finish(threads)
        assert len(job.runs) == 1

    def test_waits_while_something_is_captured(self, threads: background._Background) -> None:
        job = Job()
        threads.capture_began()
        threads.capture_began()
        threads.capture_ended()
        threads.want([Task("one", job)])
        assert threads._thread is None
        threads.capture_ended()
        threads.want([])
        finish(threads)
        assert len(job.runs) == 1

    def test_ends_before_a_capture_begins(
        self, threads: background._Background, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(background, "DELAY", 60)
        job = Job()
        threads.want([Task("one", job)])
        thread = threads._thread
        threads.capture_began()
        assert thread is not None
        assert not thread.is_alive()
        assert job.runs == []

    def test_ends_after_the_run_under_way(
        self, threads: background._Background, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(background, "_PATIENCE", 30)
        under_way = threading.Event()
        runs = []

        def long(before_run: Callable[[], object]) -> None:
            while True:
                before_run()
                runs.append(1)
                under_way.set()

        threads.want([Task("one", long)])
        thread = threads._thread
        assert under_way.wait(30)
        threads.capture_began()
        assert thread is not None
        assert not thread.is_alive()
        before = len(runs)
        threads.capture_ended()
        # It is taken up again after a later capture.
        under_way.clear()
        threads.want([])
        assert under_way.wait(30)
        assert len(runs) > before

    def test_tries_again_what_could_not_be_measured_now(
        self, threads: background._Background
    ) -> None:
        job = Job(NotNow("taken"), None)
        threads.want([Task("one", job)])
        finish(threads)
        threads.want([])
        finish(threads)
        assert len(job.runs) == 2

    def test_does_not_try_again_what_fails(self, threads: background._Background) -> None:
        broken, sound = Job(ValueError("ours")), Job()
        threads.want([Task("broken", broken), Task("sound", sound)])
        finish(threads)
        threads.want([Task("broken", broken)])
        finish(threads)
        assert (len(broken.runs), len(sound.runs)) == (1, 1)

    def test_is_no_error_where_no_thread_can_be_had(
        self, threads: background._Background, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        threads.want([Task("one", Job())])
        assert threads._thread is None

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
    def test_is_gone_before_a_fork(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Python warns whoever forks beside other threads."""
        monkeypatch.setattr(background, "DELAY", 60)
        monkeypatch.setattr(background, "_background", background._Background())
        background.want([Task("one", Job())])
        thread = background._background._thread
        assert thread is not None
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert not thread.is_alive()


class TestWhenItIsWanted:
    @pytest.fixture(autouse=True)
    def _server(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        settings.DEBUG = True
        monkeypatch.setattr(calibration, "server", lambda: "runserver")
        monkeypatch.setattr(calibration, "tracers", list)
        monkeypatch.setattr(background, "want", self._note)
        self.tasks: list[Task] = []
        calibration._known.cache_clear()

    def _note(self, tasks: list[Task]) -> None:
        self.tasks = tasks

    def want(self, *classes: type[Instrument], allowed: bool = True) -> list[str]:
        self.tasks = []
        calibration.want([(cls, None) for cls in classes], allowed=allowed)
        return [task.key.split(" | ")[0] for task in self.tasks]

    def test_what_was_used_is_measured(self) -> None:
        used = [
            engine("calls", "cprofile"),
            engine("queries", "hotpath"),
            engine("memory", "hotpath"),
        ]
        assert self.want(*used) == ["calls/cprofile", "queries/event"]

    def test_not_when_it_is_switched_off(self, settings: Any) -> None:
        settings.HOTPATH = {"CALIBRATE": False}
        assert self.want(engine("calls", "cprofile")) == []

    def test_not_in_production_unless_the_request_was_allowed(self, settings: Any) -> None:
        settings.DEBUG = False
        assert self.want(engine("calls", "cprofile"), allowed=False) == []
        assert self.want(engine("calls", "cprofile"), allowed=True) == ["calls/cprofile"]

    def test_not_in_a_test_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calibration, "server", lambda: "test")
        assert self.want(engine("calls", "cprofile")) == []

    def test_not_beside_a_debugger(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calibration, "tracers", lambda: ["a debugger"])
        assert self.want(engine("calls", "cprofile")) == []

    def test_not_what_is_known(self) -> None:
        cls = engine("calls", "cprofile")
        calibration._known()[stored.key("calls", "cprofile")] = (1.0, 2.0)
        assert self.want(cls) == []

    def test_not_vmprof_which_can_crash(self) -> None:
        assert self.want(engine("samples", "vmprof")) == []

    def test_by_the_options_of_an_engine_but_not_by_the_code_it_follows(self) -> None:
        allocations, lines = engine("allocations", "tracemalloc"), engine("lines", "line_profiler")
        calibration.want([(allocations, "10"), (lines, "shop.views.index")], allowed=True)
        keys = [task.key.split(" | ")[0] for task in self.tasks]
        assert keys == ["allocations/tracemalloc:10", "lines/line_profiler"]

    def test_what_is_measured_is_known_from_then_on(self, folder: Path) -> None:
        cls = engine("calls", "cprofile")
        before = calibration.slower(cls)
        assert before == (*typical.SLOWER["calls", "cprofile"], False)
        self.want(cls, engine("gc", "hotpath"))
        for task in self.tasks:
            task.run(lambda: None)
        found = calibration.slower(cls)
        assert found is not None
        assert found.measured
        # And by the next process.
        calibration._known.cache_clear()
        assert calibration.slower(cls) == found
        assert stored.key("gc", "event") in calibration._known()
        assert self.want(cls, engine("gc", "hotpath")) == []


class TestUntilThen:
    def test_the_figures_are_those_of_our_benchmarks(self) -> None:
        for name, by_engine in typical.SLOWER:
            found = calibration.slower(engine(name, by_engine))
            assert found is not None
            assert not found.measured
            assert 1 <= found.low <= found.high

    def test_more_frames_are_known_to_be_dearer(self) -> None:
        cls = engine("allocations", "tracemalloc")
        one, ten = calibration.slower(cls), calibration.slower(cls, "10")
        assert one is not None
        assert ten is not None
        assert ten.high > one.high
        assert calibration.slower(cls, "collect") == one

    def test_a_registered_engine_says_it_itself(self) -> None:
        assert calibration.slower(Engine) == (2.0, 4.0, False)

    def test_recorders_slow_nothing_but_what_they_record(self) -> None:
        assert calibration.slower(engine("queries", "hotpath")) is None
        assert calibration.event_ns("queries") > 0
        assert calibration.event_ns("calls") == 0
