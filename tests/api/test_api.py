from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from openapi_spec_validator import validate

from django_hotpath import exporters, stores
from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.stores.base import StoreError
from tests import factories
from tests.api.describing import check, description
from tests.exporters import captures
from tests.report.samples import capture as sample
from tests.report.samples import instruments

UNKNOWN = "0" * 26


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def saved() -> Capture:
    found = sample(instruments=instruments())
    stores.get_store().save(found)
    return found


def url(name: str, *arguments: str) -> str:
    return reverse(f"hotpath:api-{name}", args=arguments)


def test_the_description_is_valid() -> None:
    validate(description())


def test_every_address_is_described() -> None:
    described = {
        path.replace("{id}", "_").replace("{name}", "_") for path in description()["paths"]
    }
    names = [
        *("index", "description", "captures", "requests", "routes", "compare"),
        *("capture", "exports", "export"),
    ]
    found = set()
    for name in names:
        number = {"capture": 1, "exports": 1, "export": 2}.get(name, 0)
        address = url(name, *(UNKNOWN, "x")[:number])
        found.add(
            address.removeprefix(url("index")[:-1]).replace(UNKNOWN, "_").replace("/x/", "/_/")
        )
    assert found == described
    ours = [name for name in get_resolver().reverse_dict if str(name).startswith("api-")]
    assert len(names) + 1 >= len(ours)


def test_the_index_leads_on(client: Client) -> None:
    answer = check(client.get(url("index")), "/")
    assert client.get(answer["captures"]).status_code == 200
    served = check(client.get(answer["description"]), "/openapi.json")
    assert served == description()


def test_captures_are_listed_newest_first(client: Client, saved: Capture) -> None:
    other = factories.capture(label="GET /x/")
    stores.get_store().save(other)
    answer = check(client.get(url("captures")), "/captures/")
    assert {line["capture"] for line in answer["captures"]} == {saved.id, other.id}
    assert answer["total"] == 2
    assert answer["next"] is None
    assert client.get(answer["captures"][0]["url"]).status_code == 200


def test_the_filters_are_those_of_the_list(client: Client, saved: Capture) -> None:
    stores.get_store().save(
        factories.capture(
            wall_ms=7.0, request=RequestInfo(method="POST", path="/pay/", route="pay/", status=302)
        )
    )
    for query in ("path=PAY", "method=post", "status=3xx", "max=8", "route=/pay/"):
        answer = check(client.get(f"{url('captures')}?{query}"), "/captures/")
        assert [line["path"] for line in answer["captures"]] == ["/pay/"], query


def test_pages_follow_each_other(client: Client) -> None:
    for _ in range(51):
        stores.get_store().save(factories.capture())
    first = check(client.get(url("captures") + "?method=GET"), "/captures/")
    second = check(client.get(first["next"]), "/captures/")
    assert [len(first["captures"]), len(second["captures"])] == [50, 1]
    assert second["next"] is None
    assert check(client.get(second["previous"]), "/captures/") == first


def test_after_the_cursor_comes_what_is_new(client: Client, saved: Capture) -> None:
    cursor = check(client.get(url("captures")), "/captures/")["cursor"]
    newer = factories.capture()
    stores.get_store().save(newer)
    answer = check(client.get(f"{url('captures')}?after={cursor}"), "/captures/")
    assert [line["capture"] for line in answer["captures"]] == [newer.id]


@pytest.mark.parametrize("name", ["captures", "requests", "routes"])
@pytest.mark.parametrize(
    "query", ["status=9", "min=x", "since=1y", "sort=x", "page=x", "route=x", "colour=red"]
)
def test_what_cannot_be_read_is_said(client: Client, name: str, query: str) -> None:
    response = client.get(f"{url(name)}?{query}")
    answer = check(response, f"/{name}/", status=400)
    assert answer["error"]


def test_requests_and_captures_are_lines_of_the_history(client: Client, saved: Capture) -> None:
    client.get("/answers/sync/cached/")
    answer = check(client.get(url("requests")), "/requests/")
    assert {line["capture"] for line in answer["requests"]} >= {saved.id}


def test_requests_by_route(client: Client, saved: Capture) -> None:
    answer = check(client.get(url("routes")), "/routes/")
    assert answer["routes"][0]["captures"] == [saved.id]


def test_a_capture_is_what_was_stored(client: Client, saved: Capture) -> None:
    answer = check(client.get(url("capture", saved.id)), "/captures/{id}/")
    assert Capture.from_dict(answer) == Capture.from_json(saved.to_json())


@pytest.mark.parametrize("name", ["calls", "hostile", "no request"])
def test_any_capture_fits_the_description(client: Client, name: str) -> None:
    found = {
        "calls": captures.in_order(),
        "hostile": captures.hostile(),
        "no request": factories.capture(request=None),
    }[name]
    stores.get_store().save(found)
    check(client.get(url("capture", found.id)), "/captures/{id}/")
    check(client.get(url("captures")), "/captures/")


@pytest.mark.parametrize("name", ["capture", "exports"])
def test_an_unknown_capture_is_an_error_in_json(client: Client, name: str) -> None:
    path = {"capture": "/captures/{id}/", "exports": "/captures/{id}/exports/"}[name]
    answer = check(client.get(url(name, UNKNOWN)), path, status=404)
    assert answer["error"].startswith("There is no such capture.")


def test_a_capture_is_deleted_with_the_token_of_the_index(saved: Capture) -> None:
    client = Client(enforce_csrf_checks=True)
    path = "/captures/{id}/"
    refused = check(client.delete(url("capture", saved.id)), path, "delete", 403)
    assert "X-CSRFToken" in refused["error"]
    token = check(client.get(url("index")), "/")["csrf_token"]
    response = client.delete(url("capture", saved.id), headers={"X-CSRFToken": token})
    check(response, path, "delete", 204)
    again = client.delete(url("capture", saved.id), headers={"X-CSRFToken": token})
    check(again, path, "delete", 404)


def test_exports_say_what_can_be_had(client: Client) -> None:
    found = factories.with_queries(factories.query(0))
    stores.get_store().save(found)
    answer = check(client.get(url("exports", found.id)), "/captures/{id}/exports/")
    known = {each["name"]: each for each in answer["exports"]}
    assert set(known) == set(exporters.names())
    assert known["csv"]["available"]
    assert known["speedscope"]["reason"].startswith("this capture has no stacks")
    assert client.get(known["csv"]["url"]).content == found.export("csv")


def test_an_export_is_a_file_with_a_safe_name(client: Client) -> None:
    found = captures.hostile()
    stores.get_store().save(found)
    for name in exporters.names():
        response = client.get(url("export", found.id, name))
        assert response.status_code == 200, name
        disposition = response["Content-Disposition"]
        assert disposition == f'attachment; filename="{exporters.get(name).file_name(found)}"'
        assert response["X-Content-Type-Options"] == "nosniff"


def test_what_cannot_be_exported_is_a_conflict(client: Client) -> None:
    found = factories.with_queries()
    stores.get_store().save(found)
    path = "/captures/{id}/exports/{name}/"
    answer = check(client.get(url("export", found.id, "pprof")), path, status=409)
    assert "no stacks" in answer["error"]
    answer = check(client.get(url("export", found.id, "gif")), path, status=404)
    assert "there are report, markdown" in answer["error"]


def test_two_captures_are_compared(client: Client) -> None:
    a, b = factories.capture(wall_ms=100.0), factories.capture(wall_ms=50.0)
    for each in (a, b):
        stores.get_store().save(each)
    answer = check(client.get(f"{url('compare')}?a={a.id}&b={b.id}"), "/compare/")
    assert [answer["a"]["ids"], answer["b"]["ids"]] == [[a.id], [b.id]]
    check(client.get(url("compare")), "/compare/", status=400)
    check(client.get(f"{url('compare')}?a={a.id}&b={UNKNOWN}"), "/compare/", status=404)


def test_other_methods_are_refused_in_json(client: Client, saved: Capture) -> None:
    response = client.put(url("capture", saved.id))
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, DELETE"
    assert "only GET" in response.json()["error"]


def test_an_unknown_address_is_an_error_in_json(client: Client) -> None:
    response = client.get(url("index") + "nothing/here/")
    assert response.status_code == 404
    assert "openapi.json" in response.json()["error"]


def test_a_store_that_fails_is_an_error_in_json(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(stores.get_store(), "summaries", fail)
    answer = check(client.get(url("captures")), "/captures/", status=503)
    assert "the disk is full" in answer["error"]


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_strangers_learn_nothing(settings: Any, saved: Capture, method: str) -> None:
    settings.DEBUG = False
    client = Client(enforce_csrf_checks=True)
    unknown = getattr(client, method)("/there-is-no-such-page/")
    for address in (
        *(url("index"), url("description"), url("captures"), url("requests"), url("routes")),
        *(url("compare"), url("capture", saved.id), url("exports", saved.id)),
        *(url("export", saved.id, "json"), url("index") + "nothing/"),
        reverse("hotpath:export", args=[saved.id, "json"]),
    ):
        response = getattr(client, method)(address)
        assert response.status_code == unknown.status_code == 404
        assert response.content == unknown.content
    assert stores.get_store().get(saved.id)
