"""``verify()``: which fixes are confirmed, which are not, and where the verdict goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import django
import pytest
from django.http import HttpResponse

import django_hotpath as hotpath
from django_hotpath import stores
from django_hotpath.capture import CallSite, Capture, Fix
from django_hotpath.deferred import Deferred
from django_hotpath.stores.base import CaptureNotFound
from django_hotpath.verification import VerifyError
from django_hotpath.verification.guard import Guard
from tests.verify import views
from tests.verify.findings import captured, finding, looped, with_loop
from tests.verify.marks import both_databases, committing, verified

pytestmark = pytest.mark.database


@both_databases
@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("url", "kind", "paths", "after"),
    [
        ("/plain/", "select_related", ["customer"], 2),
        ("/plain/", "prefetch_related", ["customer"], 2),
        ("/as-json/", "select_related", ["customer"], 2),
        ("/nested/", "select_related", ["customer__company"], 3),
        ("/items/", "prefetch_related", ["books"], 2),
        ("/iterated/", "select_related", ["customer"], 4),
        ("/raw/", "prefetch_related", ["customer"], 2),
        ("/deferred/", "defer", ["bio"], 1),
        ("/only/", "only", ["bio"], 1),
        ("/with-token/", "select_related", ["customer"], 2),
        ("/redirecting/", "select_related", ["customer"], 2),
        ("/missing/", "select_related", ["customer"], 2),
    ],
)
def test_the_fix_is_confirmed(url: str, kind: str, paths: list[str], after: int) -> None:
    capture = with_loop(url, kind, *paths)
    found = verified(capture)
    before = capture.instruments["queries"]["count"]
    assert (found.queries, found.confirmed, found.remark) == ((before, after), True, "")


@committing
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("url", ["/plain/", "/asynchronous/"])
def test_committed_data_are_read_from_a_thread_of_its_own(url: str) -> None:
    found = verified(with_loop(url))
    assert (found.queries, found.confirmed) == ((6, 2), True)


@committing
@pytest.mark.usefixtures("committed")
def test_an_asynchronous_iterator_gets_the_fix_chunk_by_chunk() -> None:
    capture = captured("/asynchronous-iterator/")
    view = views.asynchronous_iterator
    line = view.__code__.co_firstlineno + 1
    origin = CallSite(file="tests/verify/views.py", line=line, function=view.__qualname__)
    fix = Fix(summary="x", kind="prefetch_related", paths=("customer",))
    found = verified(capture.with_findings((finding(fix=fix, origin=origin),)))
    assert (found.queries, found.confirmed) == ((6, 4), True)


@both_databases
@pytest.mark.usefixtures("rows")
def test_only_the_queryset_at_the_origin_gets_the_fix() -> None:
    found = verified(with_loop("/twice/"))
    assert found.queries == (12, 8)


@both_databases
@pytest.mark.usefixtures("rows")
def test_another_queryset_on_the_same_line_does_not_get_it() -> None:
    capture = with_loop("/twice/")
    entries = capture.instruments["queries"]["orm"]
    assert len({entry["made"]["line"] for entry in entries if "relation" not in entry}) == 1
    assert verified(capture).queries == (12, 8)


@both_databases
@pytest.mark.usefixtures("rows")
@pytest.mark.skipif(django.VERSION < (6, 1), reason="fetch modes came with Django 6.1")
def test_fetch_peers() -> None:
    found = verified(with_loop("/plain/", "fetch_peers"))
    assert (found.queries, found.confirmed) == ((6, 2), True)


def of_root(capture: Capture, kind: str, *paths: str, of: str = "n_plus_one") -> Capture:
    """The capture with a fix for its first queryset itself."""
    made = capture.instruments["queries"]["orm"][0]["made"]
    origin = CallSite(file=made["file"], line=made["line"], function=made["function"])
    fix = Fix(summary="x", kind=kind, paths=paths)
    return capture.with_findings((finding(fix=fix, origin=origin, queries=(0,), kind=of),))


@both_databases
@pytest.mark.usefixtures("rows")
def test_an_eager_load_that_nobody_reads_is_left_out() -> None:
    capture = of_root(captured("/prefetched/"), "remove_eager_load", "books")
    found = verified(capture)
    assert (found.queries, found.confirmed) == ((2, 1), True)


def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL of replays, as it is made."""
    seen: list[str] = []
    run = Guard.run

    def noting(self: Guard, execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return run(self, execute, sql, *rest)

    monkeypatch.setattr(Guard, "run", noting)
    return seen


@both_databases
@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("kind", "path", "joins"),
    [
        ("remove_eager_load", "customer__company", [2, 1, 2, 1]),
        ("replace_eager_load", "customer", [2, 0, 0, 2, 0, 0]),
    ],
)
def test_a_join_is_left_out(
    monkeypatch: pytest.MonkeyPatch, kind: str, path: str, joins: list[int]
) -> None:
    capture = of_root(captured("/joined/"), kind, path)
    seen = statements(monkeypatch)
    found = verified(capture, rounds=1)
    assert [sql.count(" JOIN ") for sql in seen] == joins
    # One round does not tell whether it is quicker.
    assert (found.confirmed, found.remark) == (
        False,
        "Whether it is quicker takes 4 runs of each to tell.",
    )


@both_databases
@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("kind", "paths"), [("only", ("title", "author")), ("defer", ("summary",))]
)
def test_columns_that_nobody_reads_are_left_out(
    monkeypatch: pytest.MonkeyPatch, kind: str, paths: tuple[str, ...]
) -> None:
    capture = of_root(captured("/books/"), kind, *paths, of="unused_columns")
    seen = statements(monkeypatch)
    verified(capture, rounds=1)
    assert ["summary" in sql for sql in seen if "shop_book" in sql] == [True, False] * 2


@both_databases
@pytest.mark.usefixtures("rows")
def test_the_verdict_is_stored_and_comes_back_with_the_capture() -> None:
    capture = with_loop("/plain/")
    found = hotpath.verify(capture.id, 0, rounds=3)
    assert found.id == capture.id
    assert found.findings[0].verified is not None
    assert found.findings[0].verified.rounds == 3
    assert stores.get_store().get(capture.id) == found


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_capture_that_is_not_stored_stays_so() -> None:
    capture = with_loop("/plain/")
    stores.get_store().delete(capture.id)
    assert verified(capture).queries == (6, 2)
    with pytest.raises(CaptureNotFound):
        stores.get_store().get(capture.id)


@both_databases
@pytest.mark.usefixtures("rows")
def test_what_was_verified_of_another_finding_meanwhile_is_kept() -> None:
    capture = with_loop("/plain/")
    other = replace(capture.findings[0], title="Another")
    capture = capture.with_findings((capture.findings[0], other))
    stores.get_store().save(capture)
    hotpath.verify(capture, 1, rounds=1)
    hotpath.verify(capture, 0, rounds=1)
    assert all(found.verified for found in stores.get_store().get(capture.id).findings)


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_store_that_fails_does_not_lose_the_verdict(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    capture = with_loop("/plain/")

    def save(capture: Capture) -> None:
        raise stores.StoreError("the disk is full")

    monkeypatch.setattr(stores.get_store(), "save", save)
    assert verified(capture).queries == (6, 2)
    assert "the disk is full" in caplog.text


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_body_that_differs_by_the_fix_is_not_confirmed() -> None:
    found = verified(with_loop("/telling/"))
    assert not found.confirmed
    assert found.queries == (6, 2)
    assert "body" in found.remark


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_status_that_differs_by_the_fix_is_not_confirmed() -> None:
    found = verified(with_loop("/failing-with-fix/"))
    assert not found.confirmed
    assert "status 200 without the fix, 500 with it (LookupError: loaded already)" in found.remark


@both_databases
@pytest.mark.usefixtures("rows")
def test_advice_that_cannot_be_followed_is_not_confirmed() -> None:
    found = verified(with_loop("/plain/", "prefetch_related", "nobody"))
    assert not found.confirmed
    assert "500 with it (AttributeError" in found.remark


@both_databases
@pytest.mark.usefixtures("rows")
def test_bodies_that_always_differ_are_not_compared() -> None:
    found = verified(with_loop("/counting/"))
    assert found.confirmed
    assert "not compared" in found.remark


@both_databases
@pytest.mark.usefixtures("rows")
def test_counts_that_vary_are_not_confirmed() -> None:
    found = verified(with_loop("/unstable/"))
    assert not found.confirmed
    assert "not stable" in found.remark


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_fix_that_saves_no_query_is_not_confirmed() -> None:
    found = verified(with_loop("/books/", "prefetch_related", "author"))
    assert (found.queries, found.confirmed) == ((2, 2), False)


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_join_that_saves_the_one_read_there_is_is_confirmed() -> None:
    found = verified(with_loop("/books/", "select_related", "author"))
    assert (found.queries, found.confirmed) == ((2, 2), True)
    assert found.remark.startswith("With the join itself it takes 1")


@both_databases
@pytest.mark.usefixtures("rows")
def test_the_finding_may_be_given_itself() -> None:
    capture = with_loop("/plain/")
    found = hotpath.verify(capture, capture.findings[0], rounds=1)
    assert found.findings[0].verified is not None
    with pytest.raises(ValueError, match="not one of the capture's"):
        hotpath.verify(capture, replace(capture.findings[0], title="Another"))
    with pytest.raises(ValueError, match="no finding 7"):
        hotpath.verify(capture, 7)


@both_databases
@pytest.mark.usefixtures("rows")
def test_nothing_is_replaced_afterwards() -> None:
    from django.db.models import QuerySet

    before = QuerySet._fetch_all, QuerySet._iterator, QuerySet.aiterator
    verified(with_loop("/plain/"))
    assert (QuerySet._fetch_all, QuerySet._iterator, QuerySet.aiterator) == before


def test_an_unknown_capture_is_not_found() -> None:
    with pytest.raises(CaptureNotFound):
        hotpath.verify("0" * 26, 0)


@both_databases
@pytest.mark.usefixtures("rows")
def test_without_the_place_of_the_queryset_nothing_is_replayed() -> None:
    capture = looped(captured("/plain/"), "select_related", "customer")
    recorded = dict(capture.instruments["queries"])
    recorded["queries"] = [
        {key: value for key, value in query.items() if key != "of"} for query in recorded["queries"]
    ]
    lost = replace(
        capture,
        instruments={"queries": recorded},
        findings=(replace(capture.findings[0], origin=None),),
    )
    with pytest.raises(VerifyError, match="not known which queryset"):
        verified(lost)


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_capture_that_is_still_on_its_way_is_waited_for() -> None:
    capture = with_loop("/plain/")
    stores.get_store().delete(capture.id)
    response = HttpResponse()
    Deferred(capture.id, "/plain/", lambda: capture).attach(response)
    assert hotpath.verify(capture.id, 0, rounds=1).findings[0].verified is not None
