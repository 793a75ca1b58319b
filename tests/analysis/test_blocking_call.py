"""``blocking_call``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.analysis.findings import find
from django_hotpath.capture import Finding
from tests.analysis.found import kinds, only
from tests.analysis.loops import ENTERED, hold, line, with_eventloop
from tests.factories import SITE, capture


def found(ms: float = 120.0, **values: Any) -> Finding:
    """The finding of one hold at one line."""
    return only(with_eventloop(holds=[hold(line(about_ms=ms, seen_ms=ms, **values), ms=ms)]))


def test_found() -> None:
    finding = found(230.0)
    assert (finding.kind, finding.severity, finding.count) == ("blocking_call", "high", 1)
    assert finding.title == "The event loop was blocked for 230 ms, at shop/views.py:12"
    assert "No other request" in finding.detail
    assert finding.cost_ms == 230.0


def test_gone_after_the_fix() -> None:
    assert kinds(with_eventloop()) == []


def test_silent_without_a_loop() -> None:
    assert kinds(capture(instruments={"eventloop": {"loop": None}})) == []


def test_silent_on_others() -> None:
    others = {"count": 3, "total_ms": 900.0, "max_ms": 500.0}
    assert kinds(with_eventloop(others=others)) == []


def test_silent_where_no_line_is_known() -> None:
    assert kinds(with_eventloop(holds=[hold(line(call_site=None))])) == []
    assert kinds(with_eventloop(holds=[hold(lines=[], looks=0)])) == []


def test_silent_on_a_look_in_passing() -> None:
    assert kinds(with_eventloop(holds=[hold(line(looks=1, seen_ms=2.0), looks=1)])) == []


def test_one_line_is_one_finding() -> None:
    finding = only(with_eventloop(holds=[hold(), hold(ms=80.0), hold(ms=60.0)]))
    assert (finding.count, finding.cost_ms) == (3, 260.0)
    assert "120 ms, 3 times, at" in finding.title


def test_two_lines_are_two_findings() -> None:
    other = line(call_site={**SITE, "line": 40})
    findings = with_eventloop(holds=[hold(), hold(other)])
    assert kinds(findings) == ["blocking_call", "blocking_call"]


def test_two_lines_of_one_step_are_two_findings() -> None:
    first = line(about_ms=180.0, seen_ms=150.0, looks=6)
    second = line(about_ms=60.0, seen_ms=50.0, looks=4, call_site={**SITE, "line": 40})
    longer, shorter = find(with_eventloop(holds=[hold(first, second, ms=240.0)]))
    assert "about 180 ms, at shop/views.py:12" in longer.title
    assert "about 60 ms, at shop/views.py:40" in shorter.title
    assert "in a step of 240 ms: its share of that is an estimate" in longer.detail


def test_silent_on_lines_that_took_a_small_part_of_a_step() -> None:
    first = line(about_ms=180.0, seen_ms=150.0)
    second = line(about_ms=20.0, seen_ms=18.0, call_site={**SITE, "line": 40})
    assert kinds(with_eventloop(holds=[hold(first, second, ms=200.0)])) == ["blocking_call"]


def test_a_little_over_the_limit_is_medium() -> None:
    assert found(51.0).severity == "medium"


def test_importing_happens_once() -> None:
    finding = found(900.0, importing=True)
    assert (finding.severity, finding.fix) == ("low", None)
    assert "happens once" in finding.detail


def test_a_time_that_is_the_lag_is_called_so() -> None:
    finding = only(with_eventloop(holds=[hold(task="started", exact=False)]))
    assert "for about 120 ms" in finding.title
    assert "a task that the request started" in finding.detail
    assert "how late the loop was" in finding.detail


@pytest.mark.parametrize(
    ("doing", "words"),
    [
        ("waiting", "did not compute"),
        ("computing", "computing"),
        ("both", "a part"),
        (None, ""),
    ],
)
def test_waiting_and_computing_are_told_apart(doing: str | None, words: str) -> None:
    assert words in found(doing=doing).detail


def test_the_coroutine_that_led_there_is_named() -> None:
    assert "Reached from view() at shop/views.py:30." in found().detail
    here = {**ENTERED, "line": SITE["line"]}
    assert "Reached from" not in found(entered=here).detail


class TestAdvice:
    def test_sleep(self) -> None:
        text = "time.sleep(0.2)"
        fix = found(expression=text, entered={**ENTERED, "expression": text}).fix
        assert fix is not None
        assert fix.code == "await asyncio.sleep(0.2)"

    def test_a_helper_that_sleeps_is_handed_over_where_one_can_await(self) -> None:
        entered = {**ENTERED, "expression": "helper(x, retries=3)"}
        fix = found(expression="time.sleep(0.2)", entered=entered).fix
        assert fix is not None
        assert fix.code == "await sync_to_async(helper)(x, retries=3)"
        assert "shop/views.py:30" in fix.summary

    def test_the_network(self) -> None:
        text = "requests.get(url)"
        inside = {**SITE, "kind": "library", "package": "urllib3", "function": "urlopen"}
        finding = found(expression=text, inside=inside, entered={**ENTERED, "expression": text})
        assert finding.fix is not None
        assert finding.fix.code == "await sync_to_async(requests.get)(url)"
        assert "httpx.AsyncClient" in finding.fix.summary
        assert "Inside urlopen() of urllib3" in finding.detail

    def test_computing_is_not_helped_by_a_thread(self) -> None:
        fix = found(doing="computing").fix
        assert fix is not None
        assert fix.code is None
        assert "no faster" in fix.summary

    @pytest.mark.parametrize("expression", [None, "value * 2", "cut off (…", "[f(x) for x in y"])
    def test_what_is_no_call_gives_words_alone(self, expression: str | None) -> None:
        fix = found(expression=expression, entered=None).fix
        assert fix is not None
        assert fix.code is None
