"""What every store does alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from django_hotpath.capture import Finding, RequestInfo, Timing, new_id
from django_hotpath.stores.base import CaptureFilter, CaptureNotFound, Store, summarise
from django_hotpath.stores.memory import MemoryStore
from django_hotpath.stores.sqlite import SQLiteStore
from tests import factories

Make = Callable[..., Store]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def build(**options: Any) -> Store:
        if request.param == "memory":
            return MemoryStore(**options)
        return SQLiteStore(path=tmp_path / "deep" / "captures.sqlite3", **options)

    return build


def saved(store: Store, *, wall_ms: float = 1.0, **request: Any) -> str:
    info = RequestInfo(**{"method": "GET", "path": "/a/", "status": 200, **request})
    capture = factories.capture(
        request=info, timing=Timing(wall_ms=wall_ms), label=f"{info.method} {info.path}"
    )
    store.save(capture)
    return capture.id


def ids(store: Store, offset: int = 0, limit: int = 50, **where: Any) -> list[str]:
    found = store.list(CaptureFilter(**where), offset=offset, limit=limit)
    return [item.id for item in found.items]


def test_gives_back_what_was_saved(make: Make) -> None:
    store = make()
    capture = factories.with_queries(factories.query(0))
    store.save(capture)
    assert store.get(capture.id) == capture


def test_saving_again_replaces(make: Make) -> None:
    store = make()
    capture = factories.capture()
    store.save(capture)
    store.save(replace(capture, label="new"))
    assert store.get(capture.id).label == "new"
    assert store.list().total == 1


def test_an_unknown_id_is_not_found(make: Make) -> None:
    store = make()
    with pytest.raises(CaptureNotFound):
        store.get(new_id())
    with pytest.raises(CaptureNotFound):
        store.delete(new_id())


def test_an_empty_store_lists_nothing(make: Make) -> None:
    page = make().list()
    assert (page.items, page.total) == ((), 0)


def test_lists_summaries_newest_first(make: Make) -> None:
    store = make()
    old, new = saved(store), saved(store)
    assert ids(store) == sorted([old, new], reverse=True)
    capture = store.get(new)
    assert summarise(capture) in store.list().items


def test_summaries_count_queries_and_findings(make: Make) -> None:
    store = make()
    finding = Finding(kind="k", severity="high", title="", detail="", count=1, cost_ms=1)
    low = replace(finding, severity="low")
    store.save(factories.with_queries(factories.query(0)).with_findings((finding, low)))
    (summary,) = store.list().items
    assert (summary.queries, summary.findings, summary.high) == (1, 2, 1)
    assert summary.instruments == ("queries",)


def test_pages(make: Make) -> None:
    store = make()
    for _ in range(5):
        saved(store)
    everything = ids(store)
    assert ids(store, offset=2, limit=2) == everything[2:4]
    assert store.list(offset=99).total == 5


@pytest.mark.parametrize(
    ("where", "paths"),
    [
        ({"path": "BOOK"}, {"/books/"}),
        ({"path": "%"}, set()),
        ({"path": "POST /"}, {"/orders/"}),
        ({"method": "post"}, {"/orders/"}),
        ({"status": "404"}, {"/orders/"}),
        ({"status": "2xx"}, {"/books/", "/slow/"}),
        ({"status": "20"}, {"/books/", "/slow/"}),
        ({"status": "%"}, set()),
        ({"min_ms": 50.0}, {"/slow/"}),
        ({"max_ms": 50.0}, {"/books/", "/orders/"}),
        ({"min_ms": 5.0, "max_ms": 15.0}, {"/orders/"}),
        ({"path": "'; DROP TABLE captures; --"}, set()),
    ],
)
def test_filters(make: Make, where: dict[str, Any], paths: set[str]) -> None:
    store = make()
    saved(store, path="/books/", wall_ms=1)
    saved(store, path="/orders/", method="POST", status=404, wall_ms=10)
    saved(store, path="/slow/", wall_ms=100)
    page = store.list(CaptureFilter(**where))
    assert {item.path for item in page.items} == paths
    assert page.total == len(paths)


@pytest.mark.parametrize("field", ["path", "status", "wall_ms"])
def test_sorts_both_ways(make: Make, field: str) -> None:
    store = make()
    first = saved(store, path="/a/", status=200, wall_ms=1)
    second = saved(store, path="/b/", status=301, wall_ms=2)
    assert ids(store, sort=field) == [first, second]
    assert ids(store, sort=f"-{field}") == [second, first]


def test_an_unknown_sort_is_the_default(make: Make) -> None:
    store = make()
    captured = [saved(store), saved(store)]
    assert ids(store, sort="body; DROP TABLE captures") == sorted(captured, reverse=True)


def test_captures_without_a_request_sort_last_downwards(make: Make) -> None:
    store = make()
    store.save(factories.capture(request=None, label="import prices"))
    with_path = saved(store)
    assert ids(store, sort="-path")[0] == with_path


def test_keeps_the_newest(make: Make) -> None:
    store = make(max_captures=3)
    captured = [saved(store) for _ in range(5)]
    assert set(ids(store)) <= set(captured)
    assert ids(store) == sorted(captured, reverse=True)[:3]


def automatic(store: Store) -> str:
    capture = factories.capture(automatic=True)
    store.save(capture)
    return capture.id


def test_captures_that_nobody_asked_for_push_out_none_that_somebody_did(make: Make) -> None:
    store = make(max_captures=3)
    asked = [saved(store) for _ in range(3)]
    others = [automatic(store) for _ in range(10)]
    assert ids(store) == sorted([*asked, *others[-3:]], reverse=True)


def test_captures_that_somebody_asked_for_push_out_no_other(make: Make) -> None:
    store = make(max_captures=3)
    others = [automatic(store) for _ in range(2)]
    asked = [saved(store) for _ in range(10)]
    assert ids(store) == sorted([*others, *asked[-3:]], reverse=True)


def test_an_automatic_capture_stays_one(make: Make) -> None:
    store = make()
    capture_id = automatic(store)
    assert store.get(capture_id).automatic
    assert [item.automatic for item in store.list().items] == [True]
    store.save(store.get(capture_id).with_findings(()))
    assert [item.automatic for item in store.list().items] == [True]


def test_what_has_only_queries_and_was_not_asked_for_is_a_request_like_any_other(
    make: Make,
) -> None:
    store = make()
    store.save(replace(factories.with_queries(factories.query(0)), automatic=True))
    store.save(replace(factories.capture(instruments={"calls": {}}), automatic=True))
    assert [line.profiled for line in store.summaries().items] == [True, False]


def test_a_clock_that_was_set_back_does_not_lose_the_new_one(make: Make) -> None:
    store = make(max_captures=2)
    saved(store), saved(store)
    capture = factories.capture(id=new_id(1.0))
    store.save(capture)
    assert store.get(capture.id) == capture
    assert store.list().total == 2


def test_forgets_the_old(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    store = make(max_age=60)
    old = saved(store)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    new = saved(store)
    assert ids(store) == [new]
    assert old != new


def test_deletes_one_and_all(make: Make) -> None:
    store = make()
    first, second = saved(store), saved(store)
    store.delete(first)
    assert ids(store) == [second]
    assert store.clear() == 1
    assert store.list().total == 0


@pytest.mark.parametrize("text", ["\udcff", "\x00", "'\"<script>", "‮ abc", "a" * 100_000])
def test_hostile_text_is_only_text(make: Make, text: str) -> None:
    store = make()
    capture_id = saved(store, path=f"/{text}/", route=text)
    assert store.get(capture_id).request.path == f"/{text}/"  # type: ignore[union-attr]
    assert ids(store) == [capture_id]
    store.list(CaptureFilter(path=text, method=text, status=text))


def test_threads_may_save_at_once(make: Make) -> None:
    store = make()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                saved(store)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.list().total == 20
