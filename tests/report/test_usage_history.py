"""Earlier captures of a page, read from the store, say what is read now and then."""

from __future__ import annotations

import pytest
from django.test import Client
from django.test.utils import override_settings

from tests.analysis.over_fetching_cases import fill
from tests.report.reading import Page

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.report.usage_urls")]

URL = "/books/"


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    fill()


def findings(client: Client, query: str = "") -> str:
    response = client.get(f"{URL}?profile=usage{query}", headers={"accept": "text/html"})
    assert response.status_code == 200
    return Page(response.content.decode()).text


@override_settings(DEBUG=True)
def test_unused_three_times_is_more_than_once(client: Client) -> None:
    title = "Book.author is loaded for 30 rows and never read"
    first = findings(client)
    assert title in first
    assert "in this capture" in first
    findings(client)
    third = findings(client)
    assert title in third
    assert "in each of the last 3 captures of this page" in third


@override_settings(DEBUG=True)
def test_used_now_and_then_is_used(client: Client) -> None:
    findings(client, "&authors=1")
    findings(client)
    assert "Book.author is loaded" not in findings(client)
