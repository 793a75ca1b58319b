from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import AsyncRequestFactory, RequestFactory
from django.urls import set_script_prefix

from django_hotpath.capture import RequestInfo
from django_hotpath.verification.environ import environ_of
from tests.factories import capture


def request_of(info: RequestInfo, asked: Any = None, cookies: Any = None) -> WSGIRequest:
    environ = environ_of(capture(request=info), asked, cookies)
    return WSGIRequest({**environ, "wsgi.input": io.BytesIO()})


def info(path: str = "/orders/", query_string: str = "", **values: Any) -> RequestInfo:
    return RequestInfo(method="GET", path=path, query_string=query_string, **values)


@pytest.mark.parametrize("path", ["/orders/", "/grün/", "/a b/", "/100%/", "//odd//"])
def test_the_path_arrives_as_it_was(path: str) -> None:
    assert request_of(info(path)).path == path


def test_the_query_string_arrives_to_the_letter() -> None:
    request = request_of(info(query_string="a=1&a=2&%20=%C3%BC"))
    assert request.META["QUERY_STRING"] == "a=1&a=2&%20=%C3%BC"
    assert request.GET.getlist("a") == ["1", "2"]


def test_the_prefix_of_the_script_is_no_part_of_the_path() -> None:
    set_script_prefix("/shop/")
    try:
        request = request_of(info("/shop/orders/"))
    finally:
        set_script_prefix("/")
    assert (request.path, request.path_info) == ("/shop/orders/", "/orders/")


def test_a_client_of_this_machine_has_an_allowed_host(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*", ".example.com"]
    request = request_of(info())
    assert request.build_absolute_uri() == "http://example.com/orders/"
    settings.SECURE_SSL_REDIRECT = True
    assert request_of(info()).is_secure()


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_what_the_client_sends_is_sent_again(factory: Any, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client = factory()
    client.cookies["sessionid"] = "abc"
    asked = client.post(
        "/__hotpath__/",
        headers={
            "Accept-Language": "de",
            "Authorization": "Basic eDp5",
            "X-Forwarded-Proto": "https",
        },
    )
    request = request_of(info(), asked)
    assert request.build_absolute_uri() == "https://testserver/orders/"
    assert request.COOKIES == {"sessionid": "abc"}
    assert request.headers["Accept-Language"] == "de"
    assert request.headers["Authorization"] == "Basic eDp5"


def test_what_belongs_to_the_other_request_is_left_out() -> None:
    own = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/x-www-form-urlencoded",
        "Hotpath-Profile": "all",
        "If-None-Match": '"x"',
        "Origin": "http://localhost",
        "Range": "bytes=0-1",
        "Referer": "http://localhost/__hotpath__/",
        "Sec-Fetch-Dest": "empty",
        "X-CSRFToken": "x",
        "X-Requested-With": "XMLHttpRequest",
    }
    request = request_of(info(content_type="text/csv"), RequestFactory().post("/", headers=own))
    assert request.method == "GET"
    assert {name: request.headers[name] for name in own if name in request.headers} == {
        "Accept": "text/csv,*/*;q=0.8",
        "Content-Type": "",
    }


@pytest.mark.parametrize("content_type", [None, "text/html; charset=utf-8"])
def test_for_a_page_it_is_a_navigation(content_type: str | None) -> None:
    headers = request_of(info(content_type=content_type)).headers
    assert headers["Accept"].startswith("text/html,")
    assert (headers["Sec-Fetch-Dest"], headers["Sec-Fetch-Mode"]) == ("document", "navigate")


def test_cookies_that_are_given_come_on_top() -> None:
    asked = RequestFactory().get("/", headers={"Cookie": "theme=dark; sessionid=old"})
    request = request_of(info(), asked, {"sessionid": "new", "note": 'a "b"; c'})
    assert request.COOKIES == {"theme": "dark", "sessionid": "new", "note": 'a "b"; c'}
