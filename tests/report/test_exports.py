"""Exports from the page, and in place of an answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from django_hotpath import exporters, stores
from django_hotpath.report.links import capture_links
from tests import factories
from tests.exporters import captures


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.DEBUG = True


def address(capture_id: str, name: str) -> str:
    return reverse("hotpath:export", args=[capture_id, name])


def test_a_page_links_to_the_formats_that_can_be_had() -> None:
    found = capture_links(factories.with_queries(factories.query(0))).exports
    labels = [link.label for link in found]
    assert "CSV of the queries" in labels
    assert "speedscope" not in labels
    everything = capture_links(captures.hostile()).exports
    assert len(everything) == len(exporters.names())


@pytest.mark.parametrize("name", exporters.names())
def test_each_is_a_download(client: Client, name: str) -> None:
    found = captures.hostile()
    stores.get_store().save(found)
    response = client.get(address(found.id, name))
    assert response.status_code == 200
    assert response["Content-Type"] == exporters.get(name).content_type
    assert response["Content-Disposition"].startswith('attachment; filename="')


def test_an_unknown_format_is_not_found(client: Client) -> None:
    found = factories.capture()
    stores.get_store().save(found)
    assert client.get(address(found.id, "gif")).status_code == 404


def test_what_cannot_be_exported_is_said_on_a_page(client: Client) -> None:
    found = factories.with_functions(factories.function())
    stores.get_store().save(found)
    response = client.get(address(found.id, "speedscope"))
    assert response.status_code == 409
    assert b"cProfile knows callers and callees" in response.content


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["markdown", "csv", "report", "chrome"])
def test_profile_as_gives_a_format_in_place_of_the_answer(client: Client, name: str) -> None:
    response = client.get(f"/answers/sync/queries/?profile=queries&profile_as={name}")
    assert response["Content-Type"] == exporters.get(name).content_type
    kind = "inline" if exporters.get(name).shown else "attachment"
    assert response["Content-Disposition"].startswith(kind)


@pytest.mark.django_db
def test_profile_as_says_why_a_format_cannot_be_had(client: Client) -> None:
    response = client.get("/answers/sync/queries/?profile=queries&profile_as=speedscope")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.startswith(b"this capture has no stacks")
