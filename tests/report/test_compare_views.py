from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from django_hotpath import stores
from django_hotpath.capture import Capture, RequestInfo, Timing, new_id
from django_hotpath.stores.base import Store
from tests.report.reading import Page
from tests.report.samples import HOSTILE, capture, hostile_capture, instruments

UNKNOWN = "0" * 26


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def store() -> Store:
    return stores.get_store()


def saved(store: Store, number: int = 1, wall_ms: float = 100.0, **values: Any) -> list[Capture]:
    """As many captures, a millisecond apart."""
    found = [
        capture(
            id=new_id(),
            timing=Timing(wall_ms=wall_ms + i, db_ms=40.0),
            instruments=values.get("instruments", instruments()),
            **{name: value for name, value in values.items() if name != "instruments"},
        )
        for i in range(number)
    ]
    for one in found:
        store.save(one)
    return found


def ids(captures: list[Capture]) -> str:
    return ",".join(one.id for one in captures)


def compared(client: Client, **query: str) -> Page:
    response = client.get(reverse("hotpath:compare"), query)
    assert response.status_code == 200
    return Page(response.content.decode())


def links(page: Page) -> list[str]:
    return [attributes["href"] or "" for attributes, _ in page.all("a")]


def test_two_sets_are_compared(client: Client, store: Store) -> None:
    a, b = saved(store, 6, 100), saved(store, 6, 50)
    page = compared(client, a=ids(a), b=ids(b))
    assert "Faster by" in page.text
    assert "6 runs each" in page.text


def test_each_run_is_a_link(client: Client, store: Store) -> None:
    a, b = saved(store, 3), saved(store)
    found = links(compared(client, a=ids(a), b=ids(b)))
    for one in [*a, *b]:
        assert reverse("hotpath:capture", args=[one.id]) in found


def test_the_sets_can_be_swapped(client: Client, store: Store) -> None:
    a, b = saved(store, 2), saved(store)
    found = links(compared(client, a=ids(a), b=ids(b)))
    assert f"{reverse('hotpath:compare')}?a={ids(b)}&b={ids(a)}" in found


def test_a_capture_that_is_gone_is_named(client: Client, store: Store) -> None:
    a, b = saved(store), saved(store)
    page = compared(client, a=f"{ids(a)},{UNKNOWN}", b=ids(b))
    assert f"A: {UNKNOWN} is not stored (any more)" in page.text


def test_what_is_no_id_is_named_as_text(client: Client, store: Store) -> None:
    a, b = saved(store), saved(store)
    page = compared(client, a=f"{ids(a)},<img src=x>,{UNKNOWN}x", b=ids(b))
    assert "<img src=x>" in page.text
    assert not list(page.all("img"))


def test_more_than_fifty_runs_are_said_to_be_too_many(client: Client, store: Store) -> None:
    a, b = saved(store, 52, instruments={}), saved(store, instruments={})
    page = compared(client, a=ids(a), b=ids(b))
    assert "A: only the first 50 of 52 runs are compared" in page.text


def test_captures_that_are_all_gone_are_a_404(client: Client, store: Store) -> None:
    response = client.get(reverse("hotpath:compare"), {"a": UNKNOWN, "b": UNKNOWN})
    assert response.status_code == 404
    assert "Nothing to compare any more" in response.content.decode()


def test_without_captures_it_says_how_to_get_some(client: Client, store: Store) -> None:
    assert "Run it 10 times" in compared(client).text


def test_one_set_alone_offers_others_of_its_route(client: Client, store: Store) -> None:
    before, after = saved(store, 2), saved(store, 2)
    elsewhere = RequestInfo(method="GET", path="/authors/", route="authors/", status=200)
    saved(store, request=elsewhere)
    page = compared(client, a=ids(after))
    assert any(f"a={ids(before)}&b={ids(after)}" in href for href in links(page))
    assert "/authors/" not in page.text


def test_the_older_set_becomes_a(client: Client, store: Store) -> None:
    before, after = saved(store, 2), saved(store, 2)
    page = compared(client, a=ids(before))
    assert any(f"a={ids(before)}&b={ids(after)}" in href for href in links(page))


def test_a_stranger_gets_the_404_of_an_unknown_page(
    client: Client, store: Store, settings: Any
) -> None:
    [one] = saved(store)
    settings.DEBUG = False
    assert client.get(reverse("hotpath:compare"), {"a": one.id}).status_code == 404
    assert client.get(reverse("hotpath:peers", args=[one.id])).status_code == 404


def test_only_safe_methods_are_answered(client: Client, store: Store) -> None:
    assert client.post(reverse("hotpath:compare")).status_code == 405


def test_the_page_has_the_security_headers(client: Client, store: Store) -> None:
    response = client.get(reverse("hotpath:compare"))
    assert response["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "no-store" in response["Cache-Control"]


def test_hostile_text_is_text(client: Client, store: Store) -> None:
    hostile = replace(hostile_capture(), id=new_id())
    store.save(hostile)
    [plain] = saved(store)
    for a, b in ((hostile, plain), (plain, hostile), (hostile, hostile)):
        page = compared(client, a=a.id, b=b.id)
        assert not list(page.all("img"))
        assert not list(page.all("b"))
        assert HOSTILE.split("\udcff")[0] in page.text


def test_a_hostile_set_alone_is_text(client: Client, store: Store) -> None:
    first, second = (replace(hostile_capture(), id=new_id()) for _ in range(2))
    store.save(first)
    store.save(second)
    page = compared(client, a=first.id)
    assert not list(page.all("img"))


def test_peers_are_sets_of_the_same_route(client: Client, store: Store) -> None:
    others, own = saved(store, 3), saved(store, 2)
    response = client.get(reverse("hotpath:peers", args=[own[0].id]), {"without": ids(own)})
    [found] = response.json()["sets"]
    assert found["ids"] == [one.id for one in others]
    assert found["count"] == 3
    assert found["median_ms"] == 101
    assert found["alike"] is True
    assert found["url"].endswith(f"?a={ids(others)}&b={ids(own)}")


def test_peers_that_were_measured_otherwise_are_said_to_be(client: Client, store: Store) -> None:
    saved(store, instruments={"queries": instruments()["queries"]})
    [own] = saved(store)
    [found] = client.get(reverse("hotpath:peers", args=[own.id])).json()["sets"]
    assert found["alike"] is False


def test_peers_of_an_unknown_capture_are_a_404(client: Client, store: Store) -> None:
    assert client.get(reverse("hotpath:peers", args=[UNKNOWN])).status_code == 404
