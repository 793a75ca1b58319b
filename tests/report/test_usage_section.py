"""The section that shows what was made of fetched rows."""

from __future__ import annotations

from typing import Any

from django_hotpath.exporters import text
from django_hotpath.report.pages import Links, report_page
from django_hotpath.report.viewmodels.usage import usage_view
from tests.report.reading import Page
from tests.report.samples import capture, queries, query, usage, used


def shown(*querysets: dict[str, Any]) -> Page:
    found = capture(instruments={"usage": usage(*querysets)})
    return Page(report_page(found, Links(asset=lambda name: f"/static/{name}")))


def section(page: Page) -> str:
    found = page.by_id("usage")
    assert found is not None
    return " ".join(found[1].split())


def test_rows_columns_and_bytes_of_a_line() -> None:
    words = section(shown())
    assert "40 rows fetched by 1 queryset: 79.5 KiB, of which 78.5 KiB" in words
    assert "1 of 3" in words
    assert "summary 39.1 KiB, unread" in words
    assert "title 400 B, read of 40" in words
    assert "id 320 B, key" in words


def test_relations_with_how_they_were_loaded() -> None:
    words = section(shown())
    assert "author unread" in words
    assert "author by select_related: 40 objects of 2 rows, for 40; read: 0" in words


def test_what_cannot_be_seen_is_no_waste() -> None:
    rows = used(relations={})
    relation = {**used()["relations"]["author"], "seen": False, "how": "prefetch_related"}
    del relation["rows"]
    words = section(shown({**rows, "unseen": ["summary"], "relations": {"author": relation}}))
    assert "read: cannot be seen" in words
    assert "summary 39.1 KiB, not seen" in words
    assert "of which" not in words


def test_rows_that_may_be_read_by_their_dict_are_no_waste() -> None:
    words = section(shown(used(dicts=True)))
    assert "nothing of it counts as unread" in words
    assert "of which" not in words


def test_the_line_that_made_the_queryset_is_named() -> None:
    made = {"file": "shop/models.py", "line": 7, "function": "books"}
    recorded = {**queries({**query(0), "orm": 0}), "orm": [{"method": "iterate", "made": made}]}
    found = capture(instruments={"queries": recorded, "usage": usage()})
    (line,) = usage_view(found.instruments["usage"], found).lines
    assert line.site is not None
    assert line.site.full == "shop/models.py:7"


def test_what_was_left_out_is_said() -> None:
    data = {**usage(used(rows=60_000)), "truncated": 3}
    found = capture(instruments={"usage": data})
    words = section(Page(report_page(found, Links(asset=str))))
    assert "3 more querysets were counted but not kept" in words
    assert "59 960 rows were not followed, beyond 50 000 at once".replace(" ", "") in (
        words.replace(" ", "").replace("\u202f", "")
    )


def test_the_tab_has_the_unread_bytes() -> None:
    page = shown()
    assert any("Usage 78.5" in " ".join(words.split()) for _, words in page.all("a")) or any(
        "Usage 78.5" in " ".join(words.split()) for _, words in page.all("button")
    )


def test_without_rows() -> None:
    found = capture(instruments={"usage": {**usage(), "count": 0, "rows": 0, "querysets": []}})
    assert "0 rows fetched by 0 querysets" in section(Page(report_page(found, Links(asset=str))))


def test_as_text() -> None:
    lines = text.export(capture(instruments={"usage": usage()})).decode().splitlines()
    assert "ROWS (40 of 1 querysets)" in lines
    assert any(line.split()[:4] == ["40", "40", "1/3", "shop.Book"] for line in lines)
