"""Every capture says what it cost, and no frame of a tool is taken for the user's."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.test import Client
from django.urls import path

from django_hotpath import calibration, receipt, recorder, stores
from django_hotpath.calibration import Slower
from django_hotpath.capture import Capture, Overhead
from django_hotpath.exporters.text import export
from django_hotpath.instruments.base import Instrument, Session
from django_hotpath.instruments.calls import TOOLS
from django_hotpath.instruments.gc import GarbageCollector
from django_hotpath.receipt import RECORDER, Receipt
from django_hotpath.report.pages import report_page
from django_hotpath.report.viewmodels.receipt import receipt_view
from tests import known_answers
from tests.factories import capture
from tests.known_answers import QUERIES, captured, known_classes, name_of
from tests.report.test_pages import BARE


def streams(request: HttpRequest, chunks: int) -> StreamingHttpResponse:
    return StreamingHttpResponse(str(number) for number in range(chunks))


urlpatterns = [path("streams/<int:chunks>/", streams)]

CLASSES = known_classes()


def engine(name: str, engine: str = "hotpath") -> type[Instrument]:
    return next(cls for cls in CLASSES if (cls.name, cls.engine) == (name, engine))


@pytest.fixture(autouse=True)
def _async_may_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class TestTheTimes:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        clock = Clock()
        monkeypatch.setattr(receipt, "clock", clock)
        return clock

    def test_are_by_instrument_and_by_when(self, clock: Clock) -> None:
        found, instrument = Receipt(), GarbageCollector(Session())
        for into, took in ((found.before, 1), (found.after, 4), (found.after, 2)):
            with found.timing(into, instrument):
                clock.now += took * 1_000_000
        instrument.overhead_ns = 8_000_000
        found.add(instrument, None)
        overhead = found.overhead(allowed=False)
        assert overhead.by_instrument == {
            "gc": {"inside_ms": 8.0, "before_ms": 1.0, "after_ms": 6.0}
        }
        assert overhead.hotpath_ms == 8.0

    def test_are_there_when_a_block_is_interrupted(self, clock: Clock) -> None:
        found, instrument = Receipt(), GarbageCollector(Session())
        with contextlib.suppress(KeyboardInterrupt), found.timing(found.after, instrument):
            clock.now += 5_000_000
            raise KeyboardInterrupt
        assert found.after["gc"] == 5_000_000

    def test_hold_an_estimate_of_what_a_clock_does_not_see(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calibration, "event_ns", lambda name: 1_000_000)
        found, instrument = Receipt(), GarbageCollector(Session())
        instrument.overhead_ns = 500_000
        found.add(instrument, {"count": 3})
        assert found.overhead(allowed=False).by_instrument["gc"]["inside_ms"] == 3.5


@pytest.mark.django_db
class TestEveryCapture:
    @pytest.mark.parametrize("cls", CLASSES, ids=name_of)
    def test_says_what_each_instrument_cost(self, cls: type[Instrument]) -> None:
        found = self.overhead([cls])
        times = found.by_instrument[cls.name]
        assert times["before_ms"] > 0
        assert times["after_ms"] > 0
        assert times["inside_ms"] >= 0
        assert found.before_ms is not None
        assert found.after_ms is not None
        assert found.before_ms >= times["before_ms"]
        assert found.after_ms >= times["after_ms"]

    def overhead(self, classes: list[type[Instrument]]) -> Overhead:
        outcome = captured(classes)
        assert outcome.capture is not None, outcome.refused
        return outcome.capture.overhead

    def test_has_a_total_that_is_the_sum(self) -> None:
        names = ("queries", "cache", "templates", "gc", "memory")
        found = self.overhead([engine(name) for name in names])
        assert list(found.by_instrument) != []
        inside = sum(times["inside_ms"] for times in found.by_instrument.values())
        assert found.hotpath_ms == pytest.approx(inside, abs=0.001)
        assert found.by_instrument["queries"]["inside_ms"] > 0
        assert found.by_instrument["cache"]["inside_ms"] > 0
        assert found.by_instrument["templates"]["inside_ms"] > 0
        assert found.by_instrument["memory"]["inside_ms"] == 0

    def test_counts_each_event(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calibration, "event_ns", lambda name: 1_000_000_000)
        found = self.overhead([engine("queries")])
        assert found.by_instrument["queries"]["inside_ms"] >= 1000 * QUERIES

    @pytest.mark.parametrize("cls", CLASSES, ids=name_of)
    def test_names_the_engines_that_slow_code(self, cls: type[Instrument]) -> None:
        guess = calibration.slower(cls)
        expected = {}
        if guess is not None:
            slower = [guess.low, guess.high]
            expected[cls.name] = {"engine": cls.engine, "slower": slower, "measured": False}
        assert self.overhead([cls]).engines == expected

    def test_says_when_that_was_measured_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calibration, "slower", lambda *_: Slower(1.25, 1.5, measured=True))
        found = self.overhead([engine("calls", "cprofile")])
        assert found.engines["calls"]["slower"] == [1.25, 1.5]
        assert "calls by cprofile makes Python code 1.2 to 1.5 times slower (measured here)" in (
            found.note
        )

    def test_can_be_stored_and_read(self) -> None:
        outcome = captured([engine("queries"), engine("calls", "cprofile")])
        assert outcome.capture is not None
        again = Capture.from_json(outcome.capture.to_json())
        assert again.overhead == outcome.capture.overhead

    def test_of_async_work_counts_pausing(self) -> None:
        found = self.overhead([engine("eventloop"), engine("gc")])
        assert found.by_instrument[RECORDER]["inside_ms"] > 0

    def test_of_sync_work_has_nothing_to_pause(self) -> None:
        assert RECORDER not in self.overhead([engine("gc")]).by_instrument

    def test_of_an_older_version_can_still_be_read(self) -> None:
        data = json.loads(capture().to_json())
        data["overhead"] = {"hotpath_ms": 1.5, "note": "as it was"}
        found = Capture.from_dict(data).overhead
        assert (found.hotpath_ms, found.by_instrument, found.before_ms) == (1.5, {}, None)


@pytest.mark.urls(__name__)
@pytest.mark.django_db
class TestAStream:
    def pausing_ms(self, client: Client, chunks: int) -> float:
        response = client.get(f"/streams/{chunks}/?profile=gc")
        assert len(list(response)) == chunks  # type: ignore[call-overload]
        response.close()
        store = stores.get_store()
        found = store.get(store.list().items[0].id)
        assert found.request is not None
        assert found.request.stream is not None
        assert found.request.stream["chunks"] == chunks
        return found.overhead.by_instrument[RECORDER]["inside_ms"]

    def test_has_no_time_of_ours_between_two_chunks(
        self, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.DEBUG = True
        looks = itertools.count(step=1_000_000)
        monkeypatch.setattr(recorder, "clock", lambda: next(looks))
        # Once, where the stream began.
        assert self.pausing_ms(client, 5) == self.pausing_ms(client, 50) > 0


def tool(source: str, **values: Any) -> Callable[..., Any]:
    """A function ``run`` that lies in the debug toolbar, as its panels do."""
    debug_toolbar = pytest.importorskip("debug_toolbar")
    code = compile(source, f"{debug_toolbar.__path__[0]}/panels/known.py", "exec")
    exec(code, values)
    return values["run"]  # type: ignore[no-any-return]


FOLDED = [cls for cls in CLASSES if cls.name in {"calls", "samples"}]


@pytest.mark.django_db
class TestFramesOfTools:
    @pytest.mark.parametrize("cls", FOLDED, ids=name_of)
    def test_are_one_line(self, cls: type[Instrument]) -> None:
        through_toolbar = tool("def run(work): return panel(work)\ndef panel(work): return work()")
        outcome = captured(
            [cls, *(engine(name) for name in ("queries", "cache", "templates", "gc"))],
            lambda: through_toolbar(known_answers.work),
        )
        outcome.check([cls])
        assert outcome.capture is not None
        functions = outcome.capture.instruments[cls.name]["functions"]
        tools = [row for row in functions if row["kind"] == "hotpath"]
        assert [row["function"] for row in tools] in ([TOOLS], [])
        assert not [row for row in functions if "debug_toolbar" in row["file"]]
        assert not [row for row in functions if "django_hotpath" in row["file"]]

    @pytest.mark.parametrize(
        "cls", [cls for cls in FOLDED if cls.engine != "cprofile"], ids=name_of
    )
    def test_are_not_between_two_functions_of_the_user(self, cls: type[Instrument]) -> None:
        through_toolbar = tool("def run(work): return work()")
        outcome = captured([cls], lambda: through_toolbar(known_answers.work))
        assert outcome.capture is not None
        result = outcome.capture.instruments[cls.name]
        tree, functions = result["tree"], result["functions"]
        tools = [i for i, row in enumerate(functions) if row["kind"] == "hotpath"]
        parents = {tree["frame"][parent] for parent in tree["parent"] if parent > 0}
        assert not parents & set(tools)

    def test_are_no_call_site(self) -> None:
        query = "def run(cursor): cursor.execute('SELECT 1')"

        def work() -> int:
            with connection.cursor() as cursor:
                tool(query)(cursor)
            return 0

        outcome = captured([engine("queries")], work)
        assert outcome.capture is not None
        (found,) = outcome.capture.instruments["queries"]["queries"]
        assert found["call_site"]["file"] == "tests/test_receipt.py"
        assert found["call_site"]["function"].endswith("work")

    def test_are_in_no_finding(self) -> None:
        repeat = "def run(cursor):\n for number in range(9): cursor.execute('SELECT 1')"

        def work() -> int:
            with connection.cursor() as cursor:
                tool(repeat)(cursor)
            return 0

        outcome = captured([engine("queries"), engine("calls", "cprofile")], work)
        assert outcome.capture is not None
        findings = outcome.capture.findings
        assert findings
        for finding in findings:
            sites = [site for site in (finding.call_site, finding.origin) if site is not None]
            assert all("debug_toolbar" not in site.file for site in sites)


OVERHEAD = Overhead(
    hotpath_ms=0.8,
    note="django-hotpath's own code within the times shown",
    by_instrument={
        name: {"inside_ms": inside, "before_ms": 0.1, "after_ms": 0.2}
        for name, inside in (("calls", 0.0), ("queries", 0.3), ("cache", 0.1), ("gc", 0.001))
    },
    before_ms=0.5,
    after_ms=2.0,
    engines={"calls": {"engine": "native", "slower": [1.2, 1.6], "measured": True}},
)


class TestTheReport:
    def line(self, overhead: Overhead) -> str:
        view = receipt_view(capture(wall_ms=100.0, overhead=overhead))
        assert view is not None
        return view.line.replace("\u00a0", " ")

    def test_has_one_line(self) -> None:
        assert self.line(OVERHEAD) == (
            "0.80 ms within the times shown (0.8 %): queries 0.30, cache 0.10; "
            "calls by native makes Python code 1.2 to 1.6 times slower (measured here)"
        )

    def test_says_what_was_not_measured_here(self) -> None:
        engines = {"calls": {"engine": "native", "slower": [1.0, 2.3], "measured": False}}
        line = self.line(Overhead(hotpath_ms=0.8, engines=engines))
        assert line.endswith("1.0 to 2.3 times slower (not yet measured here)")

    def test_says_of_a_light_engine_that_nobody_would_notice(self) -> None:
        engines = {"lines": {"engine": "monitoring", "slower": [1.0, 1.0], "measured": True}}
        assert "not noticeably slower" in self.line(Overhead(hotpath_ms=0.8, engines=engines))

    def test_has_the_rest_behind_it(self) -> None:
        page = report_page(capture(overhead=OVERHEAD), BARE)
        assert '<details class="receipt">' in page
        for text in ("0.300", "2.000", "all there was", "measured on this machine"):
            assert text in page

    def test_shows_the_sentence_of_an_older_capture(self) -> None:
        page = report_page(capture(overhead=Overhead(note="as it was")), BARE)
        assert "as it was" in page
        assert '<details class="receipt">' not in page

    def test_shows_one_that_was_edited_by_hand(self) -> None:
        broken = Overhead(hotpath_ms=1.0, note="as it was", by_instrument={"gc": {}})
        assert "as it was" in report_page(capture(overhead=broken), BARE)

    def test_is_in_the_text_too(self) -> None:
        text = export(capture(overhead=OVERHEAD)).decode()
        assert "calls by native makes Python code 1.2 to 1.6 times slower (measured here)" in text
