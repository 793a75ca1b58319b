from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from django_hotpath.analysis.compare import compare
from django_hotpath.capture import Capture, RequestInfo, new_id
from django_hotpath.report.compare_pages import compare_page
from django_hotpath.report.compare_text import markdown
from django_hotpath.report.links import Links, capture_links
from django_hotpath.report.peers import run_sets
from django_hotpath.report.viewmodels.compare import count_rows, signed_percent
from django_hotpath.report.viewmodels.runs import asked, runs_view
from django_hotpath.report.viewmodels.strips import axis, change_bar, strip
from django_hotpath.stores.base import CaptureSummary, summarise
from django_hotpath.trigger import parse
from tests.analysis.test_difftree import with_tree
from tests.factories import function, query, with_queries
from tests.report.reading import Page
from tests.report.samples import HOSTILE, calls, capture, finding, hostile_capture

LINKS = Links(asset=lambda name: f"/assets/{name}", captures="/list/", compare="/compare/")


def page(a: Capture | list[Capture], b: Capture | list[Capture]) -> Page:
    before = [a] if isinstance(a, Capture) else a
    after = [b] if isinstance(b, Capture) else b
    return Page(compare_page(compare(before, after), before, after, LINKS))


def test_the_flame_graph_has_what_was_before_beside_what_is_now() -> None:
    a = with_tree([function("f")], [-1, 0], [-1, 0], [1.0, 5.0])
    b = with_tree([function("f"), function("g")], [-1, 0, 1], [-1, 0, 1], [1.0, 2.0, 3.0])
    shown = page(a, b)
    [attributes] = [found for found, _ in shown.all("div") if found.get("data-flame")]
    data = shown.data(attributes["data-flame"] or "")
    assert data["diff"] is True
    nodes = data["nodes"]
    assert (nodes["own0"], nodes["own"]) == ([1.0, 5.0, 0.0], [1.0, 2.0, 3.0])
    assert (nodes["total0"], nodes["total"]) == ([6.0, 5.0, 0.0], [6.0, 5.0, 3.0])
    assert [data["frames"]["name"][frame] for frame in nodes["frame"][1:]] == ["f", "g"]


def test_without_trees_there_is_no_flame_graph() -> None:
    shown = page(capture(), capture())
    assert not [found for found, _ in shown.all("div") if "data-flame" in found]


def test_a_tree_that_cannot_be_read_does_not_take_the_page_with_it() -> None:
    broken = with_tree([function("f")], [-1, 0], [-1, 7], [1.0, 5.0])
    broken.instruments["calls"]["tree"]["own_ms"] = [1.0]
    shown = page(broken, broken)
    assert "Layers cannot be compared" in shown.text
    assert "Queries" not in [text for _, text in shown.all("h2")]


def test_findings_lead_to_the_captures_that_show_them() -> None:
    a, b = capture(findings=(finding(),)), capture()
    shown = page(a, b)
    assert "Fixed" in shown.text
    hrefs = [attributes["href"] for attributes, _ in shown.all("a")]
    assert f"{reverse('hotpath:capture', args=[a.id])}#finding-0" in hrefs


def test_queries_that_changed_are_listed() -> None:
    a = with_queries(*(query(i, "SELECT 1 FROM a") for i in range(101)))
    b = with_queries(query(0, "SELECT 1 FROM a"), query(1, "SELECT 1 FROM b"))
    shown = page(a, b)
    assert "less often" in shown.text
    assert "appeared" in shown.text


def test_markdown_is_on_the_page() -> None:
    shown = page(with_queries(query(0), query(1)), with_queries(query(0)))
    assert any("| Queries | 2 | 1 |" in text for _, text in shown.all("pre"))


def test_markdown_lets_no_text_be_markup() -> None:
    text = markdown(compare(hostile_capture(), capture(findings=(finding(text="a | b `c` <d>"),))))
    assert "<img" not in text.replace("\\<img", "")
    assert "a \\| b \\`c\\` \\<d\\>" in text
    assert all(line.count("|") >= 4 for line in text.splitlines() if line.startswith("|"))


def test_markdown_writes_statements_in_more_backticks_than_they_have() -> None:
    a, b = with_queries(query(0, "SELECT ``x`` FROM `a`")), with_queries(query(0))
    assert "``` SELECT ``x`` FROM `a` ```" in markdown(compare(a, b))


def test_hostile_text_stays_on_its_line_in_markdown() -> None:
    text = markdown(compare(capture(label="a\n# b\r\nc"), capture(label=f"{HOSTILE}\n# b")))
    assert not re.search(r"^# ", text, re.MULTILINE)


def test_counts_are_written_with_their_change() -> None:
    [row] = [
        row
        for row in count_rows(
            compare(with_queries(query(0), query(1)), with_queries(query(0))).counts
        )
        if row.label == "Queries"
    ]
    assert (row.before, row.after, row.change, row.tone) == ("2", "1", "\u22121", "better")


@pytest.mark.parametrize(
    ("change", "text"),
    [(-0.453, "\u221245\u00a0%"), (0.012, "+1.2\u00a0%"), (0.0001, "0.0\u00a0%")],
)
def test_a_change_is_written_with_its_sign(change: float, text: str) -> None:
    assert signed_percent(change) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [([100.0] * 5, [100.0] * 5), ([0.0], [0.0]), ([1.0, 900.0], [3.0]), ([0.001, 0.002], [])],
)
def test_points_lie_on_the_axis(before: list[float], after: list[float]) -> None:
    shown = strip(before, after)
    assert shown.least < shown.most
    for lane in shown.lanes:
        assert all(0 <= x <= 400 for x, _ in lane.points)
        assert all(lane.top <= y <= lane.bottom for _, y in lane.points)
        assert lane.box_x <= lane.median_x <= lane.box_x + lane.box_width + 0.02


def test_the_axis_has_round_ends() -> None:
    assert axis(93.2, 128.7) == (90, 130)
    assert axis(12.0, 128.0)[0] == 0


def test_the_interval_lies_on_its_axis() -> None:
    found = change_bar(-0.4, -0.45, -0.3)
    assert found is not None
    assert found["limit"] == 0.5
    assert found["x"] == 5
    assert found["x"] + found["width"] == 20
    assert change_bar(None, None, None) is None


def test_the_same_instruments_are_asked_for_again() -> None:
    found = capture(
        instruments={
            "calls": calls(function("f"), engine="native", builtins=True),
            "queries": {},
            "gc": {},
            "plans": {},
        }
    )
    assert asked(found) == "native:builtins,queries,gc"
    assert [(spec.name, spec.target) for spec in parse(asked(found))] == [
        ("calls", "builtins"),
        ("queries", None),
        ("gc", None),
    ]


def test_an_engine_that_measures_several_things_is_asked_for_by_instrument() -> None:
    found = capture(instruments={"lines": {"engine": "monitoring", "target": "shop.views.f"}})
    assert asked(found) == "lines:shop.views.f"


def test_a_capture_without_instruments_is_run_with_the_default_ones() -> None:
    assert asked(capture()) == "1"


@pytest.mark.parametrize(
    "request_info",
    [
        None,
        RequestInfo(method="POST", path="/books/"),
        RequestInfo(method="GET", path="/reset/***/"),
        RequestInfo(method="GET", path="/books/", query_string="token=***"),
    ],
)
def test_what_cannot_be_sent_again_is_not_offered(request_info: RequestInfo | None) -> None:
    found = capture(request=request_info)
    assert runs_view(found, capture_links(found)) is None


def test_a_stored_get_can_be_run_again() -> None:
    found = capture()
    view = runs_view(found, capture_links(found))
    assert view is not None
    assert view.page == "/books/"
    assert view.peers == reverse("hotpath:peers", args=[found.id])


def summary(seconds: float, **values: Any) -> CaptureSummary:
    found = summarise(capture(id=new_id(1_800_000_000 + seconds)))
    return replace(found, **values)


def test_runs_in_a_row_are_a_set() -> None:
    rows = [summary(0), summary(1), summary(2), summary(60), summary(61)]
    assert [found.count for found in run_sets(rows)] == [2, 3]


def test_runs_by_other_instruments_are_another_set() -> None:
    rows = [summary(0), summary(1, instruments=("lines",)), summary(2)]
    assert sorted(found.count for found in run_sets(rows)) == [1, 2]


def test_slow_runs_may_be_farther_apart() -> None:
    rows = [summary(0, wall_ms=20_000), summary(21, wall_ms=20_000)]
    assert [found.count for found in run_sets(rows)] == [2]


def test_a_set_has_no_more_runs_than_can_be_compared() -> None:
    assert [found.count for found in run_sets([summary(i / 10) for i in range(60)])] == [10, 50]
