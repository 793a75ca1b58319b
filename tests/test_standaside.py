"""The debug toolbar is neither in the report nor in the profile."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path

from django_hotpath import stores

pytest.importorskip("debug_toolbar")

HTML = "<!doctype html><html><body>hello</body></html>"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(HTML)


def early(get_response: Any) -> Any:
    """A middleware that looks at the match before the URL is resolved."""

    def middleware(request: HttpRequest) -> HttpResponse:
        match = request.resolver_match
        response = get_response(request)
        response["X-Early"] = match.url_name if match else "none"
        return response

    return middleware


urlpatterns = [
    path("page/", page, name="the-page"),
    path("__hotpath__/", include("django_hotpath.urls")),
    path("__debug__/", include("debug_toolbar.urls")),
]

MIDDLEWARE = [
    "django_hotpath.middleware.ProfilingMiddleware",
    "debug_toolbar.middleware.DebugToolbarMiddleware",
    f"{__name__}.early",
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _toolbar(settings: Any) -> Any:
    from debug_toolbar.middleware import show_toolbar_func_or_path

    config = {"SHOW_TOOLBAR_CALLBACK": f"{__name__}.always", "IS_RUNNING_TESTS": False}
    with override_settings(
        DEBUG=True,
        MIDDLEWARE=MIDDLEWARE,
        DEBUG_TOOLBAR_CONFIG=config,
        DEBUG_TOOLBAR_PANELS=[
            "debug_toolbar.panels.sql.SQLPanel",
            "debug_toolbar.panels.profiling.ProfilingPanel",
        ],
    ):
        show_toolbar_func_or_path.cache_clear()
        yield
    show_toolbar_func_or_path.cache_clear()


def always(request: HttpRequest) -> bool:
    return True


def test_it_is_there_without_a_profile(client: Client) -> None:
    assert "SQLPanel" in client.get("/page/")["Server-Timing"]


def test_it_stands_aside_for_a_profile(client: Client) -> None:
    response = client.get("/page/?profile=1")
    assert response.content.decode() == HTML
    assert "SQLPanel" not in response["Server-Timing"]


def test_a_page_that_does_not_exist_stays_a_404(client: Client) -> None:
    for profile in ("1", "calls"):
        assert client.get(f"/nowhere/?profile={profile}").status_code == 404


def test_its_profiling_panel_does_not_break_the_answer(client: Client) -> None:
    for _ in range(2):
        assert client.get("/page/?profile=calls").status_code == 200


def test_it_is_not_in_the_table_of_calls(client: Client) -> None:
    response = client.get("/page/?profile=calls")
    capture = stores.get_store().get(response["Hotpath-Capture"].strip("/").split("/")[-1])
    assert "debug_toolbar" not in str(capture.instruments["calls"]["functions"])


def test_whoever_looks_early_sees_the_match_of_the_url(client: Client) -> None:
    assert client.get("/page/?profile=1")["X-Early"] == "the-page"


def test_the_route_is_that_of_the_page(client: Client) -> None:
    response = client.get("/page/?profile=sql")
    capture = stores.get_store().get(response["Hotpath-Capture"].strip("/").split("/")[-1])
    assert capture.request is not None
    assert capture.request.route == "page/"
