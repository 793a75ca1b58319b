from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from django_hotpath.capture import Capture, Overlap, RequestInfo, Timing
from django_hotpath.report.pages import (
    InstrumentHelp,
    Links,
    error_page,
    help_page,
    problem_page,
    report_page,
)
from tests.report.reading import Page
from tests.report.samples import (
    HOSTILE,
    calls,
    capture,
    environment,
    finding,
    function,
    hostile_capture,
    instruments,
    large_capture,
    queries,
    query,
)

BARE = Links(asset=lambda name: f"/assets/{name}")
ALL = replace(
    BARE,
    captures="/list/",
    capture="/list/1/",
    json="/list/1.json",
    pstats="/list/1.pstats",
    page="/books/",
    delete="/list/1/delete/",
    csrf_token="token",
)
SHOWN = HOSTILE.replace("\udcff", "\\udcff")

HELP = [
    InstrumentHelp(
        name="calls",
        engine="cprofile",
        measures="every call",
        cost="twice as slow",
        disturbed_by="threads",
        available=True,
        reason="",
        takes_target=False,
        default=True,
    ),
    InstrumentHelp(
        name="lines",
        engine="line_profiler",
        measures="every line",
        cost="slow",
        disturbed_by="calls",
        available=False,
        reason="pip install 'django-hotpath[line]'",
        takes_target=True,
        default=False,
    ),
]


def read(found: Capture, links: Links = ALL, **values: Any) -> Page:
    return Page(report_page(found, links, **values))


def test_hostile_texts_make_no_element() -> None:
    page = read(hostile_capture())
    assert not list(page.all("img"))
    plain = report_page(capture(instruments=instruments(), findings=(finding(),)), ALL)
    assert {name for name, *_ in page.elements} - {name for name, *_ in Page(plain).elements} <= {
        "aside",
        "i",
    }


def test_hostile_texts_make_no_attribute() -> None:
    for name, attributes, _ in read(hostile_capture()).elements:
        assert not [key for key in attributes if key.startswith("on")], name


@pytest.mark.parametrize(
    "place", ["title", "h1", "h3", "dd", "pre", "td", "summary", "li", "p", "time", "code"]
)
def test_hostile_texts_are_shown_as_they_are(place: str) -> None:
    assert any(SHOWN in text for _, text in read(hostile_capture()).all(place))


def test_hostile_texts_stay_data_in_the_json_blocks() -> None:
    html = report_page(hostile_capture(), ALL)
    for block in re.findall(r'<script id="\w+-data" type="application/json">(.*?)</script>', html):
        assert "<" not in block
        assert HOSTILE in json.dumps(json.loads(block), ensure_ascii=False).replace('\\"', '"')


def test_a_page_with_lone_surrogates_can_be_encoded() -> None:
    assert report_page(hostile_capture(), ALL).encode()


@pytest.mark.parametrize("found", [hostile_capture(), capture(instruments=instruments())])
def test_nothing_needs_a_loose_content_security_policy(found: Capture) -> None:
    page = read(found)
    for name, attributes, text in page.elements:
        assert "style" not in attributes
        assert name != "style"
        if name == "script" and attributes.get("type") != "application/json":
            assert attributes["src"]
            assert not "".join(text).strip()


def test_a_capture_without_instruments_has_a_page() -> None:
    page = read(capture(request=None, label="import prices", timing=Timing(wall_ms=3.0)), BARE)
    assert "import prices" in page.text
    assert page.by_id("raw") is not None
    assert page.by_id("calls") is None


@pytest.mark.parametrize("name", sorted(instruments()))
def test_each_instrument_can_be_there_alone(name: str) -> None:
    page = read(capture(instruments={name: instruments()[name]}))
    section = page.by_id("memory" if name in {"allocations", "line_memory"} else name)
    assert section is not None
    assert "cannot be shown" not in section[1]


@pytest.mark.parametrize("name", sorted(instruments()))
def test_a_part_that_cannot_be_read_is_named_and_the_rest_shown(name: str) -> None:
    broken = {**instruments(), name: {"unexpected": True}}
    if name in ("memory", "allocations"):
        broken[name] = [1]
    page = read(capture(instruments=broken))
    assert "cannot be shown" in page.text
    assert page.by_id("raw") is not None


def test_an_instrument_without_a_section_is_named() -> None:
    assert "heartbeat" in read(capture(instruments={"heartbeat": {}})).text


def test_twenty_thousand_statements_make_a_page_of_bounded_size() -> None:
    html = report_page(large_capture(), ALL)
    assert len(html) < 3_000_000
    assert len(gzip.compress(html.encode())) < 700_000


def test_a_typical_page_stays_under_150_kb_compressed() -> None:
    found = large_capture(200)
    assert len(gzip.compress(report_page(found, ALL).encode())) < 150_000


def test_long_texts_that_all_differ_are_bounded() -> None:
    statements = [query(i, f"SELECT {i} " + "x" * 60_000, fingerprint=str(i)) for i in range(200)]
    assert len(report_page(capture(instruments={"queries": queries(*statements)}), ALL)) < 9_000_000


def test_the_first_20_rows_are_there_without_javascript() -> None:
    page = read(large_capture(60))
    rows = [attributes for attributes, _ in page.all("tr") if "data-key" in attributes]
    assert len(rows) == 20 + 20 + 20


def test_how_many_rows_there_are_is_said_without_javascript() -> None:
    page = read(large_capture(60))
    more = [text for _, text in page.all("p", **{"class": "more"}) if text]
    assert more == ["20 of 1\u202f200 functions", "20 of 60 groups", "20 of 60 statements"]


def test_findings_come_before_the_measurements() -> None:
    html = report_page(capture(instruments=instruments(), findings=(finding(),)), ALL)
    assert html.index("Many queries") < html.index("Where the time went") < html.index('id="calls"')


def test_a_finding_says_how_bad_where_and_what_to_do() -> None:
    page = read(capture(instruments=instruments(), findings=(finding(text="Use prefetch"),)))
    card = page.by_id("finding-0")
    assert card is not None
    for text in (
        "High",
        "25.0\xa0ms",
        "25.0\xa0% of wall",
        "shop/views.py:12",
        "101 → 1",
        "2 times",
    ):
        assert text in card[1]
    link = next(page.all("a", **{"data-show-queries": "0,1"}))
    assert link[1] == "show the 2 queries"


def test_no_finding_is_not_called_fast() -> None:
    rows = (function("cheap"), function("dear", own_ms=60.0, line=7))
    text = read(capture(instruments={"calls": calls(*rows)})).text
    assert "No finding. That does not mean fast." in text
    assert "dear (shop/views.py:7) with 60.0\xa0ms" in text.replace(" ms", "\xa0ms")
    assert "Looked for: slow functions of the project, caches on methods of the view." in text


def test_what_disturbed_the_measurement_is_said() -> None:
    found = capture(
        environment=environment(warnings=("a debugger is attached",)),
        overlap=Overlap(requests=2, share=0.5),
    )
    text = read(found).text
    assert "A debugger is attached" in text
    assert "2 other requests meanwhile, during 50.0" in text


def test_an_exception_is_shown() -> None:
    request = RequestInfo(
        method="GET", path="/", status=500, exception={"type": "KeyError", "message": "'x'"}
    )
    assert "The view raised KeyError: 'x'" in read(capture(request=request)).text


def test_notices_are_on_top() -> None:
    assert read(capture(), notices=["Not stored: disk full"]).text.startswith("Not stored")


def test_without_our_urls_the_page_says_what_they_add() -> None:
    assert "django_hotpath.urls" in read(capture(), BARE).text
    assert "django_hotpath.urls" not in read(capture(), ALL).text


def test_links_that_are_none_are_absent() -> None:
    html = report_page(capture(instruments=instruments()), BARE)
    assert not [a for a, _ in Page(html).all("a") if a["href"] in {"None", ""}]
    assert "<form" not in html


def test_the_memory_lane_waits_for_a_click() -> None:
    page = read(capture(), replace(ALL, memory="/books/?profile=memory"))
    lane = page.by_id("allocations")
    assert lane is not None
    assert lane[0]["data-memory"] == "/books/?profile=memory"
    assert "data-auto" not in lane[0]


def test_the_memory_lane_starts_by_itself_when_told_so() -> None:
    page = read(capture(), replace(ALL, memory="/books/?profile=memory", memory_auto=True))
    lane = page.by_id("allocations")
    assert lane is not None
    assert "data-auto" in lane[0]


def test_allocations_are_where_the_memory_lane_looks_for_them() -> None:
    found = capture(instruments={"allocations": instruments()["allocations"]})
    section = read(found).by_id("allocations")
    assert section is not None
    assert "+2.00\xa0KiB" in section[1]
    assert "data-memory" not in section[0]


def test_figures_do_not_follow_the_locale_of_the_project(settings: Any) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    rows = [function(own_ms=1.0), function(own_ms=2000.0, line=1234)]
    page = read(capture(instruments={"calls": calls(*rows)}))
    assert "shop/views.py:1234" in page.text
    for attributes, _ in page.all("rect"):
        assert "," not in (attributes.get("width") or "") + (attributes.get("x") or "")


def test_projects_without_django_templates_get_the_page(settings: Any) -> None:
    settings.TEMPLATES = []
    assert "GET" in read(capture()).text


def test_help_lists_what_is_known_and_what_to_install() -> None:
    html = help_page(HELP, {"cpu": ["calls"]}, ALL, ["json", "text"])
    text = Page(html).text
    for part in ("calls", "twice as slow", "pip install 'django-hotpath[line]'", "cpu", "json"):
        assert part in text
    assert "lines:shop.views.BookList.get" in text


def test_a_problem_is_named_before_the_list() -> None:
    text = Page(problem_page(["Unknown: cals"], HELP, {}, ALL, ["json"])).text
    assert text.index("Unknown: cals") < text.index("every call")


@pytest.mark.parametrize("page", [help_page, problem_page])
def test_help_escapes(page: Any) -> None:
    hostile = [replace(HELP[0], name=HOSTILE, measures=HOSTILE, reason=HOSTILE, available=False)]
    first = ([HOSTILE],) if page is problem_page else ()
    html = page(*first, hostile, {HOSTILE: [HOSTILE]}, ALL, [HOSTILE])
    assert not list(Page(html).all("img"))


def test_errors_are_escaped() -> None:
    assert not list(Page(error_page("No store", HOSTILE, ALL)).all("img"))


class TestUsageRun:
    def test_the_queries_lead_to_a_run_that_tells_what_is_read(self) -> None:
        found = capture(instruments={"queries": queries(query(0))})
        html = report_page(found, replace(BARE, page="/books/?q=1"))
        assert 'href="/books/?q=1&amp;profile=usage"' in html

    def test_what_cannot_be_run_again_has_no_such_link(self) -> None:
        found = capture(instruments={"queries": queries(query(0))})
        assert "profile=usage" not in report_page(found, BARE)
