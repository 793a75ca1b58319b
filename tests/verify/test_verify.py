"""``verify()`` on views of every kind, in a transaction of a test and with committed data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import django
import pytest
from django.contrib.auth import get_user_model
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client, RequestFactory

import django_hotpath as hotpath
from django_hotpath import stores
from django_hotpath.capture import CallSite, Capture, Fix, Verified
from django_hotpath.stores.base import CaptureNotFound
from django_hotpath.verification import VerifyError
from django_hotpath.verification import verify as verifying
from django_hotpath.verification.guard import Guard
from shop.models import Author
from tests.verify import views
from tests.verify.findings import captured, finding, looped, with_loop

pytestmark = pytest.mark.database

both_databases = pytest.mark.django_db(databases=["default", "other"])
committing = pytest.mark.django_db(databases=["default", "other"], transaction=True)


def verified(capture: Capture, **values: Any) -> Verified:
    found = hotpath.verify(capture, 0, **{"rounds": 2, **values}).findings[0].verified
    assert found is not None
    return found


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


@committing
@pytest.mark.usefixtures("committed")
def test_nothing_that_the_view_commits_stays() -> None:
    capture = with_loop("/writing/")
    assert views.seen.pop("on_commit")
    authors = set(Author.objects.values_list("name", flat=True))
    views.seen["sent"] = 0
    found = verified(capture)
    assert found.confirmed
    assert set(Author.objects.values_list("name", flat=True)) == authors
    assert "on_commit" not in views.seen
    # What the page says before it is done: these are the application's own.
    assert views.seen["sent"] == 6


@both_databases
@pytest.mark.usefixtures("rows")
def test_nothing_stays_within_the_transaction_of_a_test() -> None:
    capture = with_loop("/writing/")
    authors = Author.objects.count()
    assert verified(capture).confirmed
    assert Author.objects.count() == authors


@committing
@pytest.mark.usefixtures("committed")
def test_the_transaction_around_a_replay_is_not_counted() -> None:
    capture = with_loop("/atomic/")
    assert verified(capture).queries[0] == capture.instruments["queries"]["count"]


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_closes_its_connections_is_rolled_back_too() -> None:
    capture = with_loop("/closing/")
    authors = Author.objects.count()
    assert verified(capture).confirmed
    assert Author.objects.count() == authors


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_commits_by_itself_is_refused() -> None:
    capture = with_loop("/committing/")
    with pytest.raises(VerifyError, match="in a transaction, which this view does not allow"):
        verified(capture)


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_raises_is_replayed_and_rolled_back() -> None:
    capture = with_loop("/raising/")
    authors = Author.objects.count()
    found = verified(capture)
    assert found.queries == (7, 3)
    assert Author.objects.count() == authors


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_writes_from_another_thread_is_stopped() -> None:
    capture = with_loop("/elsewhere/")
    authors = Author.objects.count()
    with pytest.raises(VerifyError, match="from another thread"):
        verified(capture)
    assert Author.objects.count() == authors


@both_databases
@pytest.mark.usefixtures("rows")
def test_an_answer_of_another_status_is_refused() -> None:
    capture = with_loop("/moody/")
    views.seen["closed"] = True
    with pytest.raises(VerifyError, match="status 503, the request with 200"):
        verified(capture)


@both_databases
@pytest.mark.usefixtures("rows")
def test_an_answer_from_the_cache_is_refused() -> None:
    capture = with_loop("/cached/")
    with pytest.raises(VerifyError, match=r"did not come to the queryset.*views\.py:"):
        verified(capture)


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_stream_is_refused() -> None:
    capture = with_loop("/streamed/")
    with pytest.raises(VerifyError, match="streamed"):
        verified(capture)
    # Also where the capture does not tell.
    assert capture.request is not None
    silent = replace(capture, request=replace(capture.request, stream=None))
    with pytest.raises(VerifyError, match="streamed"):
        verified(silent)


@both_databases
@pytest.mark.usefixtures("rows")
def test_of_slow_requests_one_round_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_LONG_MS", 10.0)
    capture = with_loop("/slow/")
    views.seen["slow"] = 0
    assert verified(capture, rounds=5).rounds == 1
    assert views.seen["slow"] == 2


@both_databases
@pytest.mark.usefixtures("rows")
def test_of_slow_requests_that_differ_another_run_tells_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying, "_LONG_MS", 0.0)
    found = verified(with_loop("/with-token/"), rounds=5)
    assert (found.rounds, found.confirmed, found.remark) == (1, True, "")
    assert not verified(with_loop("/telling/")).confirmed


@both_databases
@pytest.mark.usefixtures("rows")
def test_rounds_end_when_they_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_ALL_MS", 1.0)
    assert verified(with_loop("/slow/"), rounds=5).rounds == 1


@both_databases
@pytest.mark.usefixtures("rows")
def test_the_request_is_the_same_for_the_view() -> None:
    capture = with_loop("/echo/grün/?a=1&a=2&%20=%C3%BC")
    asked = RequestFactory().post(
        "/__hotpath__/",
        headers={"Accept-Language": "de", "Host": "localhost:81", "Cookie": "theme=dark"},
        REMOTE_ADDR="::1",
    )
    expected = views.seen["request"][0]
    views.seen.clear()
    verified(capture, request=asked, cookies={"size": "big one"})
    path, scheme, cookies = views.seen["request"]
    assert (path, scheme, cookies) == (expected, "http", {"theme": "dark", "size": "big one"})
    assert views.seen["meta"] == {
        "HTTP_HOST": "localhost:81",
        "HTTP_ACCEPT_LANGUAGE": "de",
        "REMOTE_ADDR": "::1",
        "HTTP_HOTPATH_PROFILE": None,
    }


@both_databases
@pytest.mark.usefixtures("rows")
def test_what_was_answered_with_json_is_asked_for_as_json() -> None:
    verified(with_loop("/as-json/"))
    assert views.seen["accept"].startswith("application/json")


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_user_is_logged_in_for_the_replay() -> None:
    user = get_user_model().objects.create_user("ada")
    client = Client()
    client.force_login(user)
    capture = with_loop("/for-members/", client=client)
    before = capture.instruments["queries"]["count"]
    with pytest.raises(VerifyError, match=r"status 302.*another user's"):
        verified(capture)
    assert verified(capture, user=user).queries == (before, before - 4)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    assert verified(capture, cookies=cookies).queries == (before, before - 4)


@both_databases
@pytest.mark.usefixtures("rows")
def test_no_session_is_left_of_a_login(settings: Any) -> None:
    from django.contrib.sessions.models import Session

    user = get_user_model().objects.create_user("ada")
    client = Client()
    client.force_login(user)
    capture = with_loop("/for-members/", client=client)
    sessions = Session.objects.count()
    verified(capture, user=user)
    assert Session.objects.count() == sessions


@committing
@pytest.mark.usefixtures("committed")
def test_a_database_that_nobody_needs_may_be_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = with_loop("/plain/")
    broken = {"other"}
    connect = BaseDatabaseWrapper.connect

    def refuse(self: BaseDatabaseWrapper) -> None:
        if self.alias in broken:
            raise OSError("no such host")
        connect(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", refuse)
    assert verified(capture).queries == (6, 2)
    broken.add("default")
    with pytest.raises(VerifyError, match="'default' cannot be used: OSError: no such host"):
        verified(capture)


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
