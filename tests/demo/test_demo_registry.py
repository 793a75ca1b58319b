"""What holds for every example, whatever it shows."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.http import urlencode
from tests.require import require

from examples.families import BY_URL_NAME, EXAMPLES
from examples.measuring import Measured, measure
from examples.registry import Example, Signal, Sizes, Variant

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]

# What another database may answer otherwise. The examples that no signal of this kind tells apart
# are the same on each, and run on SQLite only.
OF_THE_DATABASE = re.compile(
    r"queries|statement|columns|rows|model instances|plan|temporary tables|read_categories"
)


def marks(example: Example) -> list[pytest.MarkDecorator]:
    asks = any(one.count and OF_THE_DATABASE.search(one.measure) for one in example.signals)
    return [pytest.mark.postgresql] if asks else []


each_example = pytest.mark.parametrize(
    "example", [pytest.param(one, id=one.slug, marks=marks(one)) for one in EXAMPLES]
)
each_variant = pytest.mark.parametrize(
    ("example", "variant"),
    [
        pytest.param(example, variant, id=example.url_name(variant))
        for example in EXAMPLES
        for variant in example.variants
    ],
)
each_signal = pytest.mark.parametrize(
    ("example", "signal"),
    [
        pytest.param(
            example,
            signal,
            id=f"{example.slug}-{signal.variant}-{signal.measure}",
            marks=marks(example),
        )
        for example in EXAMPLES
        for signal in example.signals
    ],
)
each_variant_with_a_kind = pytest.mark.parametrize(
    ("example", "variant"),
    [
        pytest.param(example, variant, id=example.url_name(variant), marks=marks(example))
        for example in EXAMPLES
        if example.findings
        for variant in example.variants
    ],
)


@pytest.fixture(autouse=True)
def its_extra(request: pytest.FixtureRequest) -> None:
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    example = parameters.get("example")
    if example is not None and example.missing:
        require(False, f"needs {example.missing}: pip install {example.missing}")


@pytest.fixture(autouse=True)
def _measured_anew(request: pytest.FixtureRequest) -> None:
    """What is tried a second time is not read from the captures of the first."""
    if getattr(request.node, "execution_count", 1) > 1:
        measured.cache_clear()


@cache
def measured(url_name: str) -> Measured:
    """One for all tests of a variant: its captures are taken once, whatever is read from them."""
    return measure(*BY_URL_NAME[url_name])


def payload_of(client: Client, example: Example, variant: Variant, **params: Any) -> Any:
    url = reverse(f"examples:{example.url_name(variant)}")
    return client.get(url, {"format": "json", **example.params, **params}).json()


def test_numbers_are_those_of_the_catalogue() -> None:
    assert {example.number for example in EXAMPLES} <= set(range(1, 38))


def test_slugs_are_unique() -> None:
    assert len({example.slug for example in EXAMPLES}) == len(EXAMPLES)


@each_example
def test_an_example_has_a_slow_and_a_fast_variant(example: Example) -> None:
    assert {"slow", "fast"} <= {variant.kind for variant in example.variants}


@each_example
def test_signals_are_of_variants_that_exist(example: Example) -> None:
    names = {variant.name for variant in example.variants}
    assert {signal.variant for signal in example.signals} <= names


@each_example
def test_variants_give_the_same_payload(example: Example, client: Client) -> None:
    first, *others = (payload_of(client, example, variant) for variant in example.variants)
    assert first["rows"]
    assert all(other == first for other in others)


@each_variant
def test_the_page_is_html_with_a_body(example: Example, variant: Variant, client: Client) -> None:
    response = client.get(f"/{example.slug}/{variant.name}/", example.params)
    assert response["Content-Type"].startswith("text/html")
    assert b"</body>" in response.content


@each_variant
def test_the_page_links_to_its_profile_and_keeps_the_query_string(
    example: Example, variant: Variant, client: Client
) -> None:
    response = client.get(f"/{example.slug}/{variant.name}/?n=3")
    asked = urlencode({"profile": example.profile})
    assert f'href="?n=3&amp;{asked}"' in response.text


@pytest.mark.parametrize(
    ("n", "size"),
    [("7", 7), ("20", 20), ("21", 20), *((n, 10) for n in ("", "0", "-1", "1.5", "many"))],
)
def test_a_size_is_capped_and_an_invalid_one_is_the_default(n: str, size: int) -> None:
    assert Sizes(default=10, cap=20).asked(RequestFactory().get("/", {"n": n})) == size


@each_variant
def test_a_page_survives_an_invalid_size(
    example: Example, variant: Variant, client: Client
) -> None:
    data = payload_of(client, example, variant)
    assert payload_of(client, example, variant, n="9" * 5_000) == data


@each_signal
@pytest.mark.usefixtures("explain_here")
def test_signals_are_as_the_registry_says(example: Example, signal: Signal) -> None:
    found = measured(f"{example.slug}-{signal.variant}").value(signal.measure, signal.read)
    assert signal.holds(found), f"{signal.measure}: {found}, and not {signal.count}"


@each_variant_with_a_kind
@pytest.mark.usefixtures("explain_here")
def test_findings_name_the_slow_variant_and_no_other(example: Example, variant: Variant) -> None:
    assert measured(example.url_name(variant)).kinds() == (
        {variant.finding} if variant.finding else set()
    )
