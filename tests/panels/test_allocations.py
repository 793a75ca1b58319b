"""AllocationsPanel: what the request allocated and kept, alone and over several loads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_hotpath import stores
from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.panels import allocations as panel
from django_hotpath.panels.allocations import AllocationsPanel
from tests.panels.stored import stored, subtitle
from tests.panels.toolbar import Toolbar
from tests.report.samples import HOSTILE, allocations, capture

Use = Callable[..., Toolbar]


def traced(text: str = "books = list(books)", **values: Any) -> Capture:
    return capture(instruments={"allocations": {**allocations(text), **values}})


def loads(number: int, grows_by: int) -> list[Capture]:
    """Loads of one page that each keep 1,000 blocks; the process has more blocks at each."""
    line = {**allocations()["by_line"][0], "size": 100_000, "count": 1_000}
    return [
        traced(by_line=[line], garbage=0, rss_before=0, blocks_before=50_000 + load * grows_by)
        for load in range(number)
    ]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1_258_291, "+1.20 MiB"),
        (0, "0 B"),
        (-2048, "\N{MINUS SIGN}2.00 KiB"),
        (None, "traced by another tool"),
    ],
)
def test_the_side_bar_has_what_stayed(size: int | None, text: str) -> None:
    assert subtitle(AllocationsPanel, traced(total_size=size)) == text


def test_shows_the_lines_and_the_files(use_toolbar: Use) -> None:
    use_toolbar()
    shown = stored(AllocationsPanel, traced())
    html = shown.render("AllocationsPanel")
    assert 'data-view="By line"' in html
    assert 'data-view="By file"' in html
    assert "books = list(books)" in html
    assert "views.js" in html


def test_says_when_another_tool_was_tracing(use_toolbar: Use) -> None:
    use_toolbar()
    found = traced(foreign=True, total_size=None, total_count=None, by_line=[], by_file=[])
    html = stored(AllocationsPanel, found).render("AllocationsPanel")
    assert "Another tool was tracing already" in html
    assert "still alive.</span>" not in html


def test_says_when_nothing_stayed(use_toolbar: Use) -> None:
    use_toolbar()
    found = traced(total_size=0, total_count=0, by_line=[], by_file=[])
    html = stored(AllocationsPanel, found).render("AllocationsPanel")
    assert "Nothing that this request allocated is still alive." in html


def test_one_load_says_that_more_would_tell_more(use_toolbar: Use) -> None:
    use_toolbar()
    (found,) = loads(1, grows_by=1_000)
    html = stored(AllocationsPanel, found).render("AllocationsPanel")
    assert "One run of this page in this process can be compared" in html
    assert 'class="loads"' not in html


def test_several_loads_name_what_is_not_given_back(use_toolbar: Use) -> None:
    use_toolbar()
    *earlier, newest = loads(6, grows_by=1_000)
    for found in earlier:
        stores.get_store().save(found)
    html = stored(AllocationsPanel, newest).render("AllocationsPanel")
    assert '<details class="loads" open>' in html
    assert "it is not given back" in html


def test_several_loads_that_name_nothing_stay_closed(use_toolbar: Use) -> None:
    use_toolbar()
    *earlier, newest = loads(6, grows_by=0)
    for found in earlier:
        stores.get_store().save(found)
    html = stored(AllocationsPanel, newest).render("AllocationsPanel")
    assert '<details class="loads">' in html


def test_loads_of_another_page_are_not_compared(use_toolbar: Use) -> None:
    use_toolbar()
    *earlier, newest = loads(6, grows_by=1_000)
    for found in earlier:
        elsewhere = RequestInfo(method="GET", path="/", route="", status=200)
        stores.get_store().save(capture(id=found.id, request=elsewhere))
    html = stored(AllocationsPanel, newest).render("AllocationsPanel")
    assert "One run of this page" in html


def test_loads_that_cannot_be_compared_leave_the_rest(
    use_toolbar: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise ValueError("made by another version")

    monkeypatch.setattr(panel, "growth", broken)
    use_toolbar()
    html = stored(AllocationsPanel, traced()).render("AllocationsPanel")
    assert "books = list(books)" in html


def test_source_is_text(use_toolbar: Use) -> None:
    use_toolbar()
    assert "<img" not in stored(AllocationsPanel, traced(HOSTILE)).render("AllocationsPanel")


def test_has_no_link_to_a_second_run_of_the_report(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(AllocationsPanel, traced()).render("AllocationsPanel")
    assert "a run of its own" not in html
    assert "data-hunt" not in html


def test_measures_the_request(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/sync/page/", "AllocationsPanel")
    assert "iB" in shown.button("AllocationsPanel") or " B" in shown.button("AllocationsPanel")
    assert "Still alive at the end" in shown.render("AllocationsPanel")
