"""The pages: who may, what they answer, what they keep."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from django_hotpath import stores
from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.stores.base import StoreError
from tests.explain.capturing import captured, found, newest_pending
from tests.factories import query, with_queries

pytestmark = pytest.mark.usefixtures("debug")


@pytest.fixture
def debug(settings: Any) -> None:
    settings.DEBUG = True


def kept(capture: Capture) -> Capture:
    stores.get_store().save(capture)
    return capture


@pytest.fixture
def capture(deliveries: int) -> Capture:
    request = RequestInfo(method="GET", path="/deliveries/", status=200)
    return kept(replace(captured(newest_pending), request=request))


def url(capture: Capture, index: int = 0) -> str:
    return reverse("hotpath:explain", args=[capture.id, index])


def stored(capture: Capture) -> Capture:
    return stores.get_store().get(capture.id)


class TestExplain:
    def test_a_post_explains_and_keeps_it(self, client: Client, capture: Capture) -> None:
        response = client.post(url(capture), follow=True)
        assert response.redirect_chain == [(url(capture), 302)]
        assert "Reads all of shop_delivery" in response.text
        assert found(stored(capture), "full_scan")
        assert not stored(capture).instruments["plans"]["0"]["analyze"]

    def test_a_get_runs_nothing(self, client: Client, capture: Capture) -> None:
        page = client.get(url(capture)).text
        assert 'name="analyze"' in page
        assert "csrfmiddlewaretoken" in page
        assert "plans" not in stored(capture).instruments

    def test_analyze_is_an_explicit_choice(self, client: Client, capture: Capture) -> None:
        client.post(url(capture), {"analyze": "1"})
        assert stored(capture).instruments["plans"]["0"]["analyze"]

    def test_the_report_shows_it_on_reload(self, client: Client, capture: Capture) -> None:
        client.post(url(capture))
        page = client.get(reverse("hotpath:capture", args=[capture.id])).text
        assert "Reads all of shop_delivery" in page
        assert 'data-explained="0,"' in page
        assert "Try this index" in page

    def test_the_report_offers_it_at_each_read(self, client: Client, db: None) -> None:
        capture = kept(
            with_queries(
                query(0, "SELECT a FROM t"),
                query(1, "UPDATE t SET a = 1"),
                query(2, "SELECT b FROM t", error="OperationalError: no"),
            )
        )
        page = client.get(reverse("hotpath:capture", args=[capture.id])).text
        assert re.findall(r'href="[^"]*/explain/(\d+)/"', page) == ["0"]

    def test_a_refusal_is_shown_and_nothing_kept(self, client: Client, db: None) -> None:
        capture = kept(with_queries(query(0, "UPDATE t SET a = 1")))
        response = client.post(url(capture))
        assert response.status_code == 409
        assert "Only SELECT is explained" in response.text
        assert stored(capture) == capture

    def test_an_error_of_the_database_is_shown(self, client: Client, db: None) -> None:
        capture = kept(with_queries(query(0, "SELECT a FROM shop_vanished", params=None)))
        response = client.post(url(capture))
        assert response.status_code == 409
        assert "shop_vanished" in response.text
        assert stored(capture) == capture

    def test_a_store_that_fails_shows_the_plan_all_the_same(
        self, client: Client, capture: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def save(capture: Capture) -> None:
            raise StoreError("disc full")

        monkeypatch.setattr(stores.get_store(), "save", save)
        page = client.post(url(capture)).text
        assert "disc full" in page
        assert "Reads all of shop_delivery" in page

    def test_what_another_did_meanwhile_is_kept(
        self, client: Client, capture: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django_hotpath.report import explain_views

        original = explain_views.explain_query

        def explain_query(*args: Any, **kwargs: Any) -> Capture:
            done = original(*args, **kwargs)
            plans = {"9": {"plan": {}}}
            changed = {**capture.instruments, "plans": plans}
            kept(Capture.from_dict({**capture.to_dict(), "instruments": changed}))
            return done

        monkeypatch.setattr(explain_views, "explain_query", explain_query)
        client.post(url(capture))
        assert set(stored(capture).instruments["plans"]) == {"0", "9"}


class TestTry:
    def test_it_is_kept_with_the_finding(self, client: Client, capture: Capture) -> None:
        client.post(url(capture))
        response = client.post(f"{url(capture)}try/0/", follow=True)
        if connection.features.can_rollback_ddl:
            assert "SCAN → SEARCH" in response.text
            assert found(stored(capture), "full_scan").verified is not None
        else:
            assert response.status_code == 409
            assert "could not be taken back" in response.text
            assert found(stored(capture), "full_scan").verified is None

    def test_a_get_does_nothing(self, client: Client, capture: Capture) -> None:
        assert client.get(f"{url(capture)}try/0/").status_code == 405

    def test_without_a_plan_there_is_nothing_to_try(self, client: Client, capture: Capture) -> None:
        assert client.post(f"{url(capture)}try/0/").status_code == 409


@pytest.mark.django_db
class TestAccess:
    @pytest.fixture
    def urls(self) -> list[str]:
        capture = kept(with_queries(query(0, "SELECT 1 FROM t")))
        return [url(capture), f"{url(capture)}try/0/"]

    def test_a_stranger_gets_the_404_of_an_unknown_url(
        self, client: Client, urls: list[str], settings: Any
    ) -> None:
        settings.DEBUG = False
        for one in urls:
            assert client.post(one).status_code == 404
            assert client.get(one, REMOTE_ADDR="203.0.113.7").status_code == 404

    def test_a_token_is_needed(self, urls: list[str]) -> None:
        careful = Client(enforce_csrf_checks=True)
        for one in urls:
            assert careful.post(one).status_code == 403

    def test_with_the_page_s_token_it_goes(self, capture: Capture) -> None:
        careful = Client(enforce_csrf_checks=True)
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', careful.get(url(capture)).text)
        assert token is not None
        assert careful.post(url(capture), {"csrfmiddlewaretoken": token[1]}).status_code == 302

    def test_no_such_capture_or_statement(self, client: Client) -> None:
        capture = kept(with_queries(query(0)))
        assert client.get(url(capture, 5)).status_code == 404
        assert client.get(url(with_queries(query(0)))).status_code == 404

    def test_the_policy_is_strict_and_the_page_keeps_it(
        self, client: Client, urls: list[str]
    ) -> None:
        response = client.get(urls[0])
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", response.text)
