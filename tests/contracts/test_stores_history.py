"""The history in every store: lines of requests and of captures, in one list."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from django_hotpath.capture import Finding, RequestInfo, new_id
from django_hotpath.stores.base import Store
from django_hotpath.stores.requests import RequestFilter, RequestSummary
from tests import factories
from tests.contracts.test_stores import Make, make, saved

__all__ = ["make"]


def line(path: str = "/a/", **values: Any) -> RequestSummary:
    defaults: dict[str, Any] = {
        "started_at": "2026-11-20T12:00:00.000Z",
        "method": "GET",
        "path": path,
        "route": path.lstrip("/"),
        "status": 200,
        "wall_ms": 1.0,
        "queries": 0,
    }
    return RequestSummary(**{**defaults, **values})


def paths(store: Store, offset: int = 0, limit: int = 50, **where: Any) -> list[str | None]:
    page = store.summaries(RequestFilter(**where), offset=offset, limit=limit)
    return [item.path for item in page.items]


def test_gives_back_what_was_added(make: Make) -> None:
    store = make()
    given = line(query_string="a=1", queries=None, status=None)
    store.add_summaries([given])
    (found,) = store.summaries().items
    assert found == replace(given, seq=found.seq)


def test_an_empty_history_has_no_line(make: Make) -> None:
    page = make().summaries()
    assert (page.items, page.total, page.cursor) == ((), 0, 0)


def test_lists_the_newest_start_first(make: Make) -> None:
    store = make()
    store.add_summaries([line("/late/", started_at="2026-11-20T12:00:02.000Z"), line("/early/")])
    assert paths(store) == ["/late/", "/early/"]


def test_lines_of_one_moment_are_in_the_order_they_came(make: Make) -> None:
    store = make()
    store.add_summaries([line("/1/"), line("/2/"), line("/3/")])
    assert paths(store) == ["/3/", "/2/", "/1/"]


def test_a_capture_is_a_line_with_its_findings(make: Make) -> None:
    store = make()
    finding = Finding(kind="k", severity="high", title="", detail="", count=1, cost_ms=1)
    capture = factories.with_queries(factories.query(0)).with_findings((finding,))
    store.save(capture)
    (found,) = store.summaries().items
    assert (found.capture, found.findings, found.high) == (capture.id, 1, 1)
    assert (found.profiled, found.queries, found.instruments) == (True, 1, ("queries",))


def test_a_capture_saved_again_stays_one_line(make: Make) -> None:
    store = make()
    capture = factories.capture()
    store.save(capture)
    (before,) = store.summaries().items
    finding = Finding(kind="k", severity="low", title="", detail="", count=1, cost_ms=1)
    store.save(capture.with_findings((finding,)))
    (after,) = store.summaries().items
    assert after == replace(before, findings=1)


def test_a_deleted_capture_takes_its_line_along(make: Make) -> None:
    store = make()
    store.add_summaries([line("/stays/")])
    store.delete(saved(store))
    assert paths(store) == ["/stays/"]


def test_clearing_takes_everything(make: Make) -> None:
    store = make()
    saved(store)
    store.add_summaries([line()])
    assert store.clear() == 1
    assert store.summaries().total == 0


def test_a_capture_that_makes_room_stays_as_a_profiled_request(make: Make) -> None:
    store = make(max_captures=1)
    saved(store, path="/old/"), saved(store, path="/new/")
    found = {item.path: item for item in store.summaries().items}
    assert (found["/old/"].capture, found["/old/"].profiled) == (None, True)
    assert found["/new/"].capture is not None


def test_a_block_of_code_that_makes_room_is_gone(make: Make) -> None:
    store = make(max_captures=1)
    store.save(factories.capture(request=None, label="import prices"))
    saved(store, path="/new/")
    assert paths(store) == ["/new/"]


def test_a_capture_that_is_too_old_leaves_its_line(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    store = make(max_age=60)
    saved(store, path="/old/")
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    saved(store, path="/new/")
    assert {item.path: item.capture is None for item in store.summaries().items} == {
        "/old/": True,
        "/new/": False,
    }


def test_keeps_the_last_lines(make: Make) -> None:
    store = make(max_summaries=3)
    for number in range(5):
        store.add_summaries([line(f"/{number}/")])
    assert paths(store) == ["/4/", "/3/", "/2/"]


def test_many_lines_at_once_are_cut_to_the_last(make: Make) -> None:
    store = make(max_summaries=2)
    store.add_summaries([line(f"/{number}/") for number in range(9)])
    assert paths(store) == ["/8/", "/7/"]


def test_lines_with_a_capture_are_not_counted(make: Make) -> None:
    store = make(max_summaries=1)
    saved(store, path="/captured/")
    store.add_summaries([line("/1/"), line("/2/")])
    assert sorted(filter(None, paths(store))) == ["/2/", "/captured/"]


def test_without_summaries_only_captures_are_lines(make: Make) -> None:
    store = make(max_summaries=0, max_captures=1)
    saved(store, path="/old/"), saved(store, path="/new/")
    assert paths(store) == ["/new/"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"path": "BOOK"}, {"/books/"}),
        ({"path": "?page=2"}, {"/books/"}),
        ({"path": "import"}, {None}),
        ({"path": "%"}, set()),
        ({"method": "post"}, {"/orders/"}),
        ({"status": "4xx"}, {"/orders/", "/gone/"}),
        ({"status": "500"}, set()),
        ({"min_ms": 50.0}, {"/slow/"}),
        ({"max_ms": 5.0, "method": "GET"}, {"/books/", "/gone/", "/"}),
        ({"route": "orders/"}, {"/orders/"}),
        ({"route": ""}, {"/"}),
        ({"route": "'; DROP TABLE requests; --"}, set()),
        ({"routeless": True}, {"/gone/"}),
        ({"captured": True}, {"/slow/", None}),
        ({"since": "2026-11-20T12:00:01.000Z", "captured": False}, {"/orders/"}),
    ],
)
def test_filters(make: Make, where: dict[str, Any], expected: set[str | None]) -> None:
    store = make()
    store.save(factories.capture(request=None, label="import prices", wall_ms=1.0))
    info = RequestInfo(method="GET", path="/slow/", route="slow/", status=200)
    store.save(factories.capture(request=info, label="GET /slow/", wall_ms=100.0))
    store.add_summaries(
        [
            line("/books/", query_string="page=2"),
            line(
                "/orders/",
                method="POST",
                status=404,
                wall_ms=10,
                started_at="2026-11-20T12:00:02.000Z",
            ),
            line("/gone/", route=None, status=404),
            line("/", route=""),
        ]
    )
    page = store.summaries(RequestFilter(**where))
    assert {item.path for item in page.items} == expected
    assert page.total == len(expected)


@pytest.mark.parametrize("field", ["path", "status", "wall_ms", "queries", "findings"])
def test_sorts_both_ways(make: Make, field: str) -> None:
    store = make()
    small = line("/a/", status=200, wall_ms=1, queries=1, findings=1)
    large = line("/b/", status=301, wall_ms=2, queries=2, findings=2)
    store.add_summaries([large, small])
    assert paths(store, sort=field) == ["/a/", "/b/"]
    assert paths(store, sort=f"-{field}") == ["/b/", "/a/"]


def test_what_is_not_known_sorts_as_the_least(make: Make) -> None:
    store = make()
    store.add_summaries([line("/no/", queries=None), line("/none/", queries=0)])
    assert paths(store, sort="-queries") == ["/none/", "/no/"]


def test_an_unknown_sort_is_the_default(make: Make) -> None:
    store = make()
    store.add_summaries([line("/1/"), line("/2/")])
    assert paths(store, sort="path; DROP TABLE requests") == ["/2/", "/1/"]


def test_pages(make: Make) -> None:
    store = make()
    store.add_summaries([line(f"/{number}/") for number in range(5)])
    assert paths(store, offset=2, limit=2) == ["/2/", "/1/"]
    assert store.summaries(offset=99).total == 5


def test_what_is_new_comes_after_the_cursor(make: Make) -> None:
    store = make()
    store.add_summaries([line("/old/")])
    cursor = store.summaries().cursor
    # It started earlier, and came later: another process was slow to write it.
    store.add_summaries([line("/new/", started_at="2026-11-19T12:00:00.000Z"), line("/newest/")])
    page = store.summaries(after=cursor)
    assert [item.path for item in page.items] == ["/newest/", "/new/"]
    assert store.summaries(after=page.cursor).items == ()


def test_the_cursor_goes_on_past_what_the_filter_hides(make: Make) -> None:
    store = make()
    store.add_summaries([line("/hidden/")])
    page = store.summaries(RequestFilter(path="shown"), after=0)
    assert (page.items, page.cursor) == ((), store.summaries().cursor)


def test_new_lines_beyond_the_limit_are_counted(make: Make) -> None:
    store = make()
    store.add_summaries([line(f"/{number}/") for number in range(5)])
    page = store.summaries(after=0, limit=2)
    assert ([item.path for item in page.items], page.total) == (["/4/", "/3/"], 5)


def test_a_place_in_the_history_is_never_given_twice(make: Make) -> None:
    store = make()
    store.add_summaries([line()])
    before = store.summaries().cursor
    store.clear()
    assert store.summaries().cursor == before
    store.add_summaries([line("/new/")])
    assert [item.path for item in store.summaries(after=before).items] == ["/new/"]


def test_the_list_up_to_a_line(make: Make) -> None:
    store = make()
    store.add_summaries([line("/1/"), line("/2/"), line("/3/")])
    seq = store.summaries(RequestFilter(path="/2/")).items[0].seq
    assert paths(store, upto=seq) == ["/2/", "/1/"]


@pytest.mark.parametrize("number", [0, 10**30])
def test_numbers_that_no_store_has_find_nothing_wrong(make: Make, number: int) -> None:
    store = make()
    store.add_summaries([line()])
    assert store.summaries(RequestFilter(upto=number)).total == (1 if number else 0)
    assert len(store.summaries(after=number).items) == (0 if number else 1)


@pytest.mark.parametrize("text", ["\udcff", "\x00", "'\"<script>", "‮ abc", "a" * 100_000])
def test_hostile_text_is_only_text(make: Make, text: str) -> None:
    store = make()
    store.add_summaries([line(f"/{text}/", route=text, query_string=text, method=text)])
    assert store.summaries(RequestFilter()).total == 1
    store.summaries(RequestFilter(path=text, method=text, status=text, route=text, since=text))


def test_threads_may_add_and_save_at_once(make: Make) -> None:
    store = make()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                store.add_summaries([line(), line()])
                saved(store)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    page = store.summaries(limit=100)
    assert (page.total, page.cursor, len({item.seq for item in page.items})) == (60, 60, 60)


def test_an_id_of_a_capture_may_be_from_another_clock(make: Make, tmp_path: Path) -> None:
    store = make(max_captures=1)
    saved(store)
    store.save(factories.capture(id=new_id(1.0)))
    assert sum(item.capture is not None for item in store.summaries().items) == 1


def test_figures_are_of_requests_the_oldest_first(make: Make) -> None:
    store = make()
    store.save(factories.capture(request=None, label="import prices"))
    store.add_summaries(
        [line("/2/", started_at="2026-11-20T12:00:02.000Z"), line("/1/", wall_ms=5)]
    )
    page = store.figures()
    assert [found.route for found in page.items] == ["1/", "2/"]
    first = page.items[0]
    assert (first.method, first.status, first.wall_ms, first.queries) == ("GET", 200, 5, 0)
    assert (bool(first.profiled), first.capture) == (False, None)
    assert (page.total, page.cursor) == (2, 3)


def test_figures_are_those_of_the_last_requests(make: Make) -> None:
    store = make()
    store.add_summaries([line(f"/{number}/") for number in range(5)])
    page = store.figures(limit=2)
    assert ([found.route for found in page.items], page.total) == (["3/", "4/"], 5)


def test_figures_are_filtered(make: Make) -> None:
    store = make()
    store.add_summaries([line("/a/"), line("/b/")])
    assert [found.route for found in store.figures(RequestFilter(route="b/")).items] == ["b/"]
