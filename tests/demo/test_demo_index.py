from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from examples.families import EXAMPLES
from examples.registry import SOURCES
from examples.templatetags.example_tags import prose

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]


@pytest.fixture
def index(client: Client) -> str:
    return client.get("/").text


def links(page: str) -> list[str]:
    return re.findall(r'href="([^"]+)"', page)


def test_every_example_has_its_title_claim_and_verdict(index: str) -> None:
    for example in EXAMPLES:
        for text in (example.title, example.claim, example.verdict_reason):
            assert prose(text) in index
    assert index.count('class="verdict ') == len(EXAMPLES)


def test_every_example_links_to_its_page(index: str) -> None:
    assert {f"/{example.slug}/" for example in EXAMPLES} <= set(links(index))


def test_every_variant_can_be_opened_and_profiled(index: str) -> None:
    for example in EXAMPLES:
        for variant in example.variants:
            url = f"/{example.slug}/{variant.name}/"
            assert f'href="{url}">Open {variant.name}<' in index
            asked = f"{url}?profile={example.profile}"
            assert f'href="{asked}">Profile {variant.name}<' in index


def test_links_within_the_page_have_a_target(index: str) -> None:
    targets = {link[1:] for link in links(index) if link.startswith("#")}
    assert targets <= set(re.findall(r'id="([^"]+)"', index))


def test_every_source_of_a_claim_is_listed() -> None:
    assert {source for example in EXAMPLES for source in example.source} <= set(SOURCES)


def test_a_strict_content_security_policy_would_allow_the_page(index: str) -> None:
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=", index)


def test_the_index_needs_no_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get("/")
