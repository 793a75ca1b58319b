from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.exporters.text import export
from django_hotpath.report.viewmodels.eventloop import eventloop_view
from tests.report.reading import Page
from tests.report.samples import capture, eventloop
from tests.report.test_pages import ALL, read


def page(**values: Any) -> Page:
    return read(capture(instruments={"eventloop": {**eventloop(), **values}}), ALL)


def line(**values: Any) -> dict[str, Any]:
    return {**eventloop()["holds"][0]["lines"][0], **values}


def view_of(*lines: dict[str, Any]) -> Any:
    (row,) = eventloop_view(
        eventloop(holds=[{**eventloop()["holds"][0], "lines": list(lines)}])
    ).holds
    return row


def test_lag_is_given_with_what_it_means() -> None:
    text = page().text
    assert "192 ms at worst" in text.replace("\xa0", " ")
    assert "anything else had to wait" in text


def test_the_line_that_blocked_is_there_with_its_stack() -> None:
    (row,) = view_of(line()).lines
    assert row.site is not None
    assert (row.looks, row.doing, len(row.stack)) == ("11 of 12", "waiting", 2)
    assert eventloop_view(eventloop()).figure == "1 blocked"


@pytest.mark.parametrize(
    ("kind", "reason"), [("hotpath", "profiling tool"), ("library", "no code of the project")]
)
def test_a_line_that_is_not_known_says_why(kind: str, reason: str) -> None:
    inside = {**line()["inside"], "kind": kind}
    (row,) = view_of(line(call_site=None, expression=None, inside=inside)).lines
    assert reason in row.unknown


def test_a_hold_that_nobody_looked_at_says_so() -> None:
    found = {**eventloop()["holds"][0], "lines": [], "looks": 0}
    assert "it ended before it could be looked at" in page(holds=[found]).text


def test_waits_are_shown_in_order_and_the_rest_counted() -> None:
    wait = eventloop()["waits"][0]
    view = eventloop_view(eventloop(waits=[wait] * 250, truncated=7))
    assert (len(view.waits), view.more_waits) == (200, 57)


def test_without_a_loop_it_says_why_there_is_nothing() -> None:
    text = read(capture(instruments={"eventloop": {"loop": None}}), ALL).text
    assert "did not run in an event loop" in text
    assert "at worst" not in text


def test_without_a_tick_the_lag_is_not_called_zero() -> None:
    text = page(ticks=0, lag_p50_ms=None, lag_p95_ms=None, lag_max_ms=0.0).text
    assert "not known: it was over before the first timer" in text


def test_a_terminal_gets_its_figures() -> None:
    text = export(capture(instruments={"eventloop": eventloop()})).decode()
    assert "EVENT LOOP (lag at worst 192.0 ms)\n  blocked 1 times, 201.5 ms in all" in text
    assert b"EVENT LOOP" not in export(capture(instruments={"eventloop": {"loop": None}}))
