"""The button in the report, and the address behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve, reverse

from django_hotpath import stores
from django_hotpath.capture import Capture, Fix, Verified
from tests.report.reading import Page
from tests.verify.findings import captured, finding, looped, with_loop

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("rows"),
]

JSON = {"Accept": "application/json"}


def address(capture: Capture, number: int = 0) -> str:
    return reverse("hotpath:verify", args=[capture.id, number])


def report(capture: Capture) -> Page:
    return Page(Client().get(reverse("hotpath:capture", args=[capture.id])).content.decode())


def buttons(page: Page) -> list[str]:
    return [found["data-verify"] for found, _ in page.all("div") if "data-verify" in found]


def store(capture: Capture, **values: Any) -> Capture:
    kept = capture.with_findings((finding(**values),))
    stores.get_store().save(kept)
    return kept


def test_the_report_offers_to_verify_and_says_what_that_does() -> None:
    capture = with_loop("/plain/")
    page = report(capture)
    assert buttons(page) == [address(capture)]
    assert "rolls its database changes back" in page.text
    assert "Emails, cache writes and calls to other services happen again" in page.text


def test_a_fix_that_cannot_be_replayed_says_what_to_do_instead() -> None:
    fix = Fix(summary="Count in the database.", kind="annotate", paths=("items",))
    capture = store(captured("/plain/"), fix=fix)
    page = report(capture)
    assert buttons(page) == []
    assert "Make the change, load the page again" in page.text


def test_a_finding_without_a_fix_says_nothing_of_it() -> None:
    page = report(store(captured("/plain/")))
    assert buttons(page) == []
    assert "replay" not in page.text


def test_a_capture_of_no_get_has_no_button() -> None:
    capture = with_loop("/plain/")
    assert capture.request is not None
    posted = replace(capture, request=replace(capture.request, method="POST"))
    stores.get_store().save(posted)
    assert buttons(report(posted)) == []


def test_the_confirmation_is_a_page_of_its_own_where_no_script_runs() -> None:
    capture = with_loop("/plain/")
    page = Page(Client().get(address(capture)).content.decode())
    assert "emails, cache writes, files and calls to other services" in page.text
    assert [found["method"] for found, _ in page.all("form")] == ["post"]


def test_a_form_leads_back_to_the_finding_which_shows_the_verdict() -> None:
    capture = with_loop("/plain/")
    response = Client().post(address(capture))
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('hotpath:capture', args=[capture.id])}#finding-0"
    text = report(capture).text
    assert "6 → 2 queries" in text
    assert ", confirmed" in text
    assert "select_related() joins" in text


def test_a_script_gets_the_verdict_as_json() -> None:
    capture = with_loop("/plain/")
    found = Client().post(address(capture), headers=JSON).json()
    assert found["line"].startswith("6 → 2 queries, ")
    assert found["line"].endswith(", confirmed")
    assert found["confirmed"] is True
    assert "5 runs of each" in found["notes"][0]
    verified = stores.get_store().get(capture.id).findings[0].verified
    assert verified is not None
    assert verified.queries == (6, 2)


def test_a_verdict_that_is_not_confirmed_says_why() -> None:
    capture = with_loop("/telling/")
    found = Client().post(address(capture), headers=JSON).json()
    assert found["confirmed"] is False
    assert "not confirmed" in found["line"]
    assert "not confirmed" in report(capture).text
    assert "its body is another one" in report(capture).text


def test_what_is_refused_says_why() -> None:
    capture = with_loop("/streamed/")
    response = Client().post(address(capture), headers=JSON)
    assert response.status_code == 409
    assert "streamed" in response.json()["error"]
    page = Client().post(address(capture))
    assert page.status_code == 409
    assert "streamed" in page.content.decode()
    assert "streamed" in Client().get(address(capture)).content.decode()


def test_it_takes_a_token() -> None:
    capture = with_loop("/plain/")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(capture), headers=JSON).status_code == 403
    page = Page(strict.get(address(capture)).content.decode())
    (token,) = [
        found["value"] for found, _ in page.all("input") if found["name"] == "csrfmiddlewaretoken"
    ]
    response = strict.post(address(capture), {"csrfmiddlewaretoken": token}, headers=JSON)
    assert response.json()["confirmed"] is True


def test_a_stranger_gets_a_404(settings: Any) -> None:
    capture = with_loop("/plain/")
    settings.DEBUG = False
    strict = Client(enforce_csrf_checks=True)
    assert strict.get(address(capture)).status_code == 404
    assert strict.post(address(capture)).status_code == 404


def test_no_transaction_is_around_the_replays() -> None:
    """With SQLite's ``transaction_mode`` "IMMEDIATE" they would wait for each other for ever."""
    from django.db import connections

    view = resolve(address(with_loop("/plain/"))).func
    assert view._non_atomic_requests == set(connections)


def test_there_is_nothing_to_verify_beyond_the_findings() -> None:
    capture = with_loop("/plain/")
    assert Client().get(address(capture, 1)).status_code == 404
    stores.get_store().delete(capture.id)
    assert Client().post(address(capture)).status_code == 404


def test_it_runs_as_whoever_presses_the_button() -> None:
    from django.contrib.auth import get_user_model

    client = Client()
    client.force_login(get_user_model().objects.create_user("ada"))
    capture = with_loop("/for-members/", client=client)
    assert client.post(address(capture), headers=JSON).json()["confirmed"] is True
    refused = Client().post(address(capture), headers=JSON)
    assert "status 302" in refused.json()["error"]


def test_a_store_that_fails_does_not_lose_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = with_loop("/plain/")

    def save(capture: Capture) -> None:
        raise stores.StoreError("the disk is full")

    monkeypatch.setattr(stores.get_store(), "save", save)
    found = Client().post(address(capture), headers=JSON).json()
    assert found["line"].startswith("6 → 2 queries")
    assert "It could not be stored: the disk is full" in found["notes"]


def test_the_number_of_a_finding_is_that_of_the_stored_capture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django_hotpath.report import pages

    capture = with_loop("/plain/")
    # As when comparing several runs finds what leaks: it goes on top.
    monkeypatch.setattr(
        pages,
        "with_growth_findings",
        lambda found, grown: found.with_findings((finding(title="Grown"), *found.findings)),
    )
    assert buttons(report(capture)) == [address(capture)]


def test_the_report_in_place_of_the_answer_sets_no_cookie_for_it() -> None:
    client = Client()
    response = client.get("/plain/?profile=sql", headers={"Accept": "text/html"})
    assert "Findings" in response.content.decode()
    assert not response.cookies


def test_an_earlier_verdict_is_shown_as_it_was_stored() -> None:
    capture = looped(captured("/plain/"), "prefetch_related", "customer")
    verified = Verified(queries=(9, 3), wall_ms=(20.0, 2.0))
    kept = capture.with_findings((replace(capture.findings[0], verified=verified),))
    stores.get_store().save(kept)
    text = report(kept).text
    assert "9 → 3 queries" in text
    assert "Verify again" in text
