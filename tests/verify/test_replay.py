"""The request that is made again: as whom, how often, and what cannot be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.test import Client, RequestFactory
from django.urls import set_script_prefix

from django_hotpath.verification import VerifyError
from django_hotpath.verification import verify as verifying
from django_hotpath.verification.replay import Replay
from django_hotpath.verification.target import Target
from django_hotpath.verification.verdict import Run
from tests.require import require
from tests.verify import views
from tests.verify.findings import captured, looped, with_loop
from tests.verify.marks import both_databases, committing, verified

pytestmark = pytest.mark.database


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


@both_databases
@pytest.mark.usefixtures("rows")
def test_runs_without_and_with_the_fix_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = []
    run = Replay.run

    def noting(self: Replay, target: Target | None) -> Run:
        kinds.append("A" if target is None else "B")
        return run(self, target)

    monkeypatch.setattr(Replay, "run", noting)
    verified(with_loop("/plain/"), rounds=4)
    assert "".join(kinds) == "AB" + "ABBAABBA"


@both_databases
@pytest.mark.usefixtures("rows")
def test_each_run_begins_and_ends_a_request() -> None:
    capture = with_loop("/plain/")
    told = []

    def started(**kwargs: Any) -> None:
        told.append("started")

    def finished(**kwargs: Any) -> None:
        told.append("finished")

    request_started.connect(started)
    request_finished.connect(finished)
    try:
        verified(capture, rounds=1)
    finally:
        request_started.disconnect(started)
        request_finished.disconnect(finished)
    assert told == ["started", "finished"] * 4


@both_databases
@pytest.mark.usefixtures("rows")
def test_below_a_prefix_urls_are_reversed_with_it() -> None:
    capture = looped(captured("/echo/", SCRIPT_NAME="/shop"), "select_related", "customer")
    assert views.seen["request"][0] == "/shop/echo/"
    views.seen.clear()
    set_script_prefix("/shop/")
    try:
        assert verified(capture).confirmed
    finally:
        set_script_prefix("/")
    assert views.seen["request"][0] == "/shop/echo/"
    assert views.seen["reversed"] == "/shop/plain/"


@committing
@pytest.mark.usefixtures("committed")
def test_two_at_once_do_not_measure_each_other() -> None:
    capture = with_loop("/alone/")
    views.seen.clear()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: verified(capture), range(2)))
    assert [each.queries for each in found] == [(6, 2)] * 2
    assert views.seen["most"] == 1


@committing
@pytest.mark.usefixtures("committed")
def test_who_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_PATIENCE_SECONDS", 0.01)
    capture = with_loop("/plain/")
    with verifying._one_at_a_time, pytest.raises(VerifyError, match=r"just now\. Try again"):
        verified(capture)


@committing
@pytest.mark.usefixtures("committed")
def test_a_request_that_is_replayed_verifies_nothing() -> None:
    capture = with_loop("/verifying/")
    views.seen["capture"] = capture.id
    assert verified(capture).confirmed
    assert "being replayed" in views.seen["refused"]


@both_databases
@pytest.mark.usefixtures("rows")
def test_a_session_outside_of_the_databases_is_deleted(settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    user = get_user_model().objects.create_user("ada")
    client = Client()
    client.force_login(user)
    capture = with_loop("/for-members/", client=client)
    before = set(cache._cache)
    assert verified(capture, user=user).confirmed
    assert before
    assert set(cache._cache) == before


@both_databases
@pytest.mark.usefixtures("rows")
def test_the_debug_toolbar_stands_aside(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    require(find_spec("debug_toolbar") is not None, "needs django-debug-toolbar")
    from debug_toolbar import middleware

    capture = with_loop("/plain/")
    made = []
    toolbar = middleware.DebugToolbar

    class Noting(toolbar):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(args)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(middleware, "DebugToolbar", Noting)
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "debug_toolbar.middleware.DebugToolbarMiddleware",
    ]
    assert verified(capture).confirmed
    assert made == []
