from __future__ import annotations

from pathlib import Path

import pytest
from django.http import Http404

from django_hotpath.capture import RequestInfo
from django_hotpath.report.assets import (
    FOLDER,
    asset_data,
    asset_names,
    asset_response,
    asset_version,
)
from django_hotpath.report.links import asset_in_place, page_url
from tests.report.samples import capture


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nothing.css",
        "../report.css",
        "..%2freport.css",
        "../../report/views.py",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "./report.css",
        "report.css/",
        "report.css\x00",
        r"..\report.css",
    ],
)
def test_only_known_names_are_opened(name: str) -> None:
    with pytest.raises(Http404):
        asset_response(name)


@pytest.mark.parametrize("name", sorted(asset_names()))
def test_assets_have_a_type_a_policy_and_a_long_life(name: str) -> None:
    response = asset_response(name)
    expected = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert response["Content-Type"].partition(";")[0] == expected[name.rpartition(".")[2]]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in response["Cache-Control"]
    assert response.content == asset_data(name)[1]


@pytest.mark.parametrize(
    "path", sorted(filter(Path.is_file, FOLDER.iterdir())), ids=lambda path: path.name
)
def test_each_file_is_served_as_it_is(path: Path) -> None:
    assert asset_response(path.name).content == path.read_bytes()


def test_the_version_is_of_the_content() -> None:
    versions = {asset_version(name) for name in asset_names()}
    assert len(versions) == len({asset_data(name)[1] for name in asset_names()})
    assert asset_version("nothing.css") == ""


def test_assets_in_place_are_asked_for_by_a_parameter() -> None:
    url = asset_in_place("/a b/", "profile_asset")("report.css")
    assert url == f"/a%20b/?profile_asset=report.css&v={asset_version('report.css')}"


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.js")))
def test_scripts_import_nothing_by_a_relative_path(name: str) -> None:
    # Served in place, a script's URL differs in the query only.
    text = (FOLDER / name).read_text()
    assert 'from "./' not in text
    assert "innerHTML" not in text
    # The policy forbids the attribute; setting a property of a style is no attribute.
    assert 'setAttribute("style"' not in text


@pytest.mark.parametrize(
    ("request_info", "url"),
    [
        (RequestInfo(method="GET", path="/a/", query_string="b=1"), "/a/?b=1"),
        (RequestInfo(method="GET", path="//evil.example/"), "/evil.example/"),
        (RequestInfo(method="GET", path="/\\evil"), "/evil"),
        (RequestInfo(method="GET", path="javascript:alert(1)"), None),
        (RequestInfo(method="POST", path="/a/"), None),
        (RequestInfo(method="GET", path="/a\udcff"), "/a%3F"),
        (None, None),
    ],
)
def test_the_page_itself_is_a_path_of_this_site(
    request_info: RequestInfo | None, url: str | None
) -> None:
    assert page_url(capture(request=request_info)) == url
