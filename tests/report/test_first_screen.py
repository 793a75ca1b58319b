"""What stands above the tabs: the head, the findings, the parts of the time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django_hotpath.capture import Fix, Overlap, Predicted
from django_hotpath.report.links import Export
from django_hotpath.report.pages import report_page
from django_hotpath.report.viewmodels.findings import finding_cards
from django_hotpath.report.viewmodels.summary import summary
from tests.report.reading import Page
from tests.report.samples import calls, capture, environment, finding, function
from tests.report.test_editor import links


def fixed(saved_ms: float, **values: Any) -> Any:
    fix = Fix(summary="s", predicted=Predicted(queries=(9, 1), saved_ms=saved_ms))
    return replace(finding(values.pop("severity", "high")), fix=fix, **values)


def read(*, other: Any = None, **values: Any) -> Page:
    return Page(report_page(capture(**values), links(**(other or {}))))


def titles(*findings: Any) -> list[str]:
    return [card.title for card in finding_cards(capture(findings=findings), {})]


def test_findings_come_by_what_fixing_them_saves() -> None:
    small = fixed(2.0, title="small", cost_ms=90.0)
    unknown = replace(finding("low"), title="unknown", fix=None, cost_ms=5.0)
    large = fixed(30.0, title="large", severity="medium")
    assert titles(small, unknown, large) == ["large", "unknown", "small"]


def test_of_findings_alike_the_severe_one_comes_first() -> None:
    low = replace(finding("low"), title="low", fix=None, cost_ms=0.0)
    high = replace(finding("high"), title="high", fix=None, cost_ms=0.0)
    assert titles(low, high) == ["high", "low"]


def test_a_card_keeps_the_number_of_its_finding() -> None:
    cards = finding_cards(
        capture(findings=(fixed(1.0), fixed(2.0))), {}, verify=lambda number: f"/verify/{number}"
    )
    assert [card.key for card in cards] == [1, 0]


def test_the_first_finding_is_open_and_no_other() -> None:
    page = read(findings=(finding("low"), finding("low")))
    opened = [name for name, _ in page.all("details") if "finding" in str(name.get("class"))]
    assert ["open" in found for found in opened] == [True, False]


def test_what_moves_little_is_one_line() -> None:
    found = capture(
        environment=environment(
            warnings=("runserver is threaded", "with DEBUG on, Django", "times are inflated")
        ),
        overlap=Overlap(requests=2, share=0.5),
    )
    view = summary(found, None)
    assert view.lesser == ("Runserver is threaded", "With DEBUG on, Django")
    assert [text.split()[0] for text in view.disturbed] == ["Times", "This"]
    text = Page(report_page(found, links())).text
    assert "2 lesser things disturbed this measurement" in text


def test_every_part_of_the_time_is_a_button_by_its_layer() -> None:
    page = read(instruments={"calls": calls(function(), function(kind="stdlib", file="x"))})
    bar = [found["data-choose-layer"] for found, _ in page.all("rect", role="button")]
    legend = [
        found["data-choose-layer"]
        for found, _ in page.all("button")
        if "data-choose-layer" in found
    ]
    assert bar == legend
    assert bar[:2] == ["project", "stdlib"]


def test_without_formats_the_menu_has_what_there_is() -> None:
    page = read(other={"json": "/x.json", "pstats": "/x.pstats"})
    assert [text for found, text in page.all("a") if found.get("href") in {"/x.json", "/x.pstats"}][
        :2
    ] == ["JSON", ".pstats"]


def test_formats_are_listed_with_what_reads_them() -> None:
    formats = (Export("speedscope", "/x.speedscope", "speedscope.app"),)
    page = read(other={"exports": formats, "json": "/x.json"})
    assert next(page.all("a", href="/x.speedscope"))[1] == "speedscope"
    assert "speedscope.app" in page.text


def test_without_anything_to_take_away_there_is_no_menu() -> None:
    assert not any("menu" in str(found.get("class")) for found, _ in read().all("details"))


def test_comparing_is_offered_where_there_is_something_to_compare() -> None:
    assert "Compare…" in read(other={"compare": "/compare/"}).text
    assert "Compare…" not in read().text
