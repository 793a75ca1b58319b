from __future__ import annotations

import logging
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from django_hotpath.access import may_read, refusal

rf = RequestFactory()


def allow(request: HttpRequest) -> bool:
    return request.headers.get("X-Key") == "right"


def explode(request: HttpRequest) -> bool:
    raise RuntimeError("boom")


def truthy(request: HttpRequest) -> Any:
    return "yes"


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True
    settings.INTERNAL_IPS = []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_loopback_may(address: str) -> None:
    assert refusal(rf.get("/", REMOTE_ADDR=address)) is None


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "8.8.8.8", "::ffff:8.8.8.8", "", "unix:", "localhost"]
)
def test_others_may_not(address: str) -> None:
    assert "neither the loopback nor in INTERNAL_IPS" in (
        refusal(rf.get("/", REMOTE_ADDR=address)) or ""
    )


def test_internal_ips_may(settings: Any) -> None:
    settings.INTERNAL_IPS = ["10.0.0.1"]
    assert refusal(rf.get("/", REMOTE_ADDR="10.0.0.1")) is None


def test_nobody_may_without_debug(settings: Any) -> None:
    settings.DEBUG = False
    assert not may_read(rf.get("/", REMOTE_ADDR="127.0.0.1"))


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_FORWARDED_FOR": "8.8.8.8"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1, 8.8.8.8"},
        {"HTTP_FORWARDED": "for=8.8.8.8"},
        {"HTTP_X_REAL_IP": "8.8.8.8"},
        {"HTTP_CF_CONNECTING_IP": "8.8.8.8"},
        {"HTTP_VIA": "1.1 proxy"},
        {"HTTP_X_FORWARDED_HOST": "example.com"},
    ],
)
def test_a_proxy_on_this_machine_does_not_make_its_clients_local(headers: dict[str, str]) -> None:
    assert refusal(rf.get("/", REMOTE_ADDR="127.0.0.1", **headers)) is not None


def test_a_proxied_loopback_client_may() -> None:
    request = rf.get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1")
    assert refusal(request) is None


def test_a_strange_host_name_may_not() -> None:
    request = rf.get("/", REMOTE_ADDR="127.0.0.1", HTTP_HOST="rebound.example")
    assert refusal(request) == "the Host header is not in ALLOWED_HOSTS"


@pytest.mark.parametrize("debug", [True, False])
def test_allow_alone_decides_where_it_is_set(settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    settings.HOTPATH = {"ALLOW": f"{__name__}.allow"}
    assert may_read(rf.get("/", REMOTE_ADDR="8.8.8.8", headers={"x-key": "right"}))
    assert not may_read(rf.get("/", REMOTE_ADDR="127.0.0.1"))


def test_an_allow_that_raises_refuses(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.HOTPATH = {"ALLOW": f"{__name__}.explode"}
    with caplog.at_level(logging.ERROR, "hotpath"):
        assert not may_read(rf.get("/"))
    assert "boom" in caplog.text


def test_an_allow_must_say_true_itself(settings: Any) -> None:
    settings.HOTPATH = {"ALLOW": f"{__name__}.truthy"}
    assert not may_read(rf.get("/"))


def test_an_allow_that_does_not_import_refuses(settings: Any) -> None:
    settings.HOTPATH = {"ALLOW": "no.such.callable"}
    assert not may_read(rf.get("/"))
