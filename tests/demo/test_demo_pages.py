"""The page of each example, the tour, and the admin with an N+1 beside the one without."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from django_hotpath import profile
from examples import code, registry, tour, views
from examples.families import EXAMPLES
from examples.registry import Example, Signal
from examples.templatetags.example_tags import SECTIONS, prose

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.slug)


def shown(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page))


@each_example
def test_a_page_says_claim_verdict_and_why(example: Example, client: Client) -> None:
    page = client.get(f"/{example.slug}/").text
    for text in (example.claim, example.verdict_reason, example.explanation, example.trap):
        assert prose(text) in page
    assert example.verdict.capitalize() in page


@each_example
def test_a_page_shows_the_code_of_each_variant_as_it_is(example: Example, client: Client) -> None:
    page = shown(client.get(f"/{example.slug}/").text)
    for variant in example.variants:
        found = code.snippets(example, variant)
        assert found
        for snippet in found:
            assert snippet.place in page
            assert "\n".join(line.text for line in snippet.lines) in page
            assert all(
                "".join(text for _, text in line.tokens) == line.text for line in snippet.lines
            )


@each_example
def test_a_page_opens_and_profiles_each_variant(example: Example, client: Client) -> None:
    page = client.get(f"/{example.slug}/").text
    for variant in example.variants:
        assert f'href="/{example.slug}/{variant.name}/">Open {variant.name}<' in page
        assert f'/{variant.name}/?profile={example.profile}">Profile {variant.name}<' in page


@each_example
def test_what_the_report_shows_has_a_name(example: Example) -> None:
    assert set(example.shows) <= set(SECTIONS)


@each_example
def test_a_claim_that_does_not_hold_says_why(example: Example) -> None:
    assert example.verdict == "reproduced" or example.verdict_reason


@each_example
def test_a_page_sends_what_it_is_asked_for_to_its_variants(
    example: Example, client: Client
) -> None:
    if example.sizes is None or example.sizes.default == 1:
        return
    page = client.get(f"/{example.slug}/?n=1").text
    found = re.search(r'data-measure="([^"]+)"', page)
    assert f'/{example.slug}/{example.variants[0].name}/?n=1"' in page
    if found:
        assert json.loads(unescape(found[1]))["query"] == "?n=1"


def test_a_long_text_is_cut_in_the_table_and_whole_in_the_data(client: Client) -> None:
    page, data = (client.get(f"/serialisers/slow/{query}") for query in ("", "?format=json"))
    (longest,) = {max(map(str, row), key=len) for row in data.json()["rows"][:1]}
    assert f"<td>{longest[:80]}…</td>" in page.text
    assert longest not in page.text


def test_the_line_that_differs_is_marked() -> None:
    orders = next(example for example in EXAMPLES if example.slug == "orders")
    (slow,) = code.snippets(orders, orders.variant("slow"))
    (fast,) = code.snippets(orders, orders.variant("fast"))
    assert ["order_by" in line.text for line in slow.lines] == [line.changed for line in slow.lines]
    assert [line.text for line in fast.lines if line.changed] == [
        line.text for line in fast.lines if "select_related" in line.text
    ]


def test_what_is_missing_is_told_by_a_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    example = EXAMPLES[0]
    monkeypatch.setattr(type(example), "missing", "numpy")
    response = views.missing(client.get("/").wsgi_request, example)
    assert response.status_code == 200
    assert "pip install numpy" in response.text
    page = client.get(f"/{example.slug}/").text
    assert "pip install numpy" in page
    assert "data-measure" not in page


def test_a_package_is_looked_for_by_the_name_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(registry, "find_spec", lambda name: asked.append(name))
    example = Example(**{**vars(EXAMPLES[0]), "extra": "django-autocomplete-light"})
    assert example.missing == "django-autocomplete-light"
    assert asked == ["dal"]


@pytest.mark.parametrize(
    ("signal", "found", "holds"),
    [
        (Signal("slow", "queries", 101), 101, True),
        (Signal("slow", "queries", 101), 100, False),
        (Signal("slow", "peak bytes at most", 1_000), 10, True),
        (Signal("slow", "peak bytes at most", 1_000), 1_001, False),
        (Signal("slow", "collections at least", 3), 2, False),
        (Signal("slow", "bytes an object", 100, tolerance=0.1), 109, True),
        (Signal("slow", "bytes an object", 100, tolerance=0.1), 89, False),
        (Signal("slow", "plan", "full_scan"), "sort\nfull_scan shop_order: SCAN", True),
        (Signal("slow", "plan", "full_scan"), "index_search", False),
    ],
)
def test_when_a_signal_holds(signal: Signal, found: float | str, holds: bool) -> None:
    assert signal.holds(found) is holds


class TestTour:
    def test_has_five_steps(self, client: Client) -> None:
        assert len(tour.STEPS) == 5
        for number, step in enumerate(tour.STEPS, start=1):
            page = client.get(f"/tour/{number}/").text
            assert f"<h1>{step.title}</h1>" in page
            assert all(prose(line) in page for line in step.see)
        assert f"<h1>{tour.STEPS[0].title}</h1>" in client.get("/tour/").text

    def test_ends(self, client: Client) -> None:
        assert client.get("/tour/6/").status_code == 404
        assert client.get("/tour/0/").status_code == 404

    def test_leads_to_a_slow_page_and_a_fast_one(self, client: Client) -> None:
        assert 'href="/orders/slow/?profile=1"' in client.get("/tour/1/").text
        assert 'href="/orders/fast/?profile=1"' in client.get("/tour/2/").text


class TestAdmin:
    @pytest.fixture
    def admin(self, client: Client) -> Client:
        client.force_login(get_user_model().objects.create_superuser("demo"))
        return client

    @pytest.mark.parametrize(("site", "kinds"), [("admin", {"n_plus_one"}), ("fixed-admin", set())])
    def test_the_list_of_orders_has_an_n_plus_one_and_its_twin_has_none(
        self, site: str, kinds: set[str], admin: Client
    ) -> None:
        with profile("admin", instruments=["queries"], save=False) as run:
            assert admin.get(f"/{site}/shop/order/").status_code == 200
        assert run.capture is not None
        found = {finding.kind for finding in run.capture.findings}
        assert found & {"n_plus_one"} == kinds
        assert (run.capture.instruments["queries"]["count"] > 50) is bool(kinds)

    def test_both_show_the_same(self, admin: Client) -> None:
        slow, fast = (
            re.findall(r'field-company">([^<]+)<', admin.get(f"/{site}/shop/order/").text)
            for site in ("admin", "fixed-admin")
        )
        assert slow == fast
        assert len(slow) == 100

    @pytest.mark.parametrize(
        ("debug", "address", "status"),
        [(True, "127.0.0.1", 200), (True, "192.0.2.1", 302), (False, "127.0.0.1", 302)],
    )
    def test_whoever_is_on_this_machine_is_signed_in(
        self, debug: bool, address: str, status: int, client: Client, settings: Any
    ) -> None:
        with override_settings(
            DEBUG=debug, MIDDLEWARE=[*settings.MIDDLEWARE, "demo.signedin.DemoUser"]
        ):
            response = client.get("/admin/", REMOTE_ADDR=address)
        assert response.status_code == status
