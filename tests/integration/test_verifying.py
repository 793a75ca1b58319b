"""A fix is verified over HTTP, as the report's script does it, by every kind of server."""

from __future__ import annotations

import http.client
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.servers import FETCH, NAVIGATION, Server

pytestmark = pytest.mark.server

everywhere = pytest.mark.parametrize("server", ["runserver", "gunicorn", "uvicorn"], indirect=True)

SLOW = "/orders/slow/?n=20&format=json"
_ANSWERS_WITHIN = 60.0


def captured(server: Server) -> str:
    """The address of a capture whose first finding is the loop of the slow orders."""
    answer = server.get(f"{SLOW}&profile=queries", FETCH)
    return str(answer.headers["Hotpath-Capture"])


def verified(server: Server, capture: str) -> Any:
    address = f"{capture}findings/0/verify/"
    page = server.get(address, NAVIGATION)
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    assert token is not None, page.body
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_ANSWERS_WITHIN)
    try:
        connection.request(
            "POST",
            address,
            urlencode({"csrfmiddlewaretoken": token[1].decode()}),
            {
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": cookie,
                "Connection": "close",
            },
        )
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@everywhere
def test_the_loop_is_cured_and_the_verdict_stored(server: Server) -> None:
    capture = captured(server)
    found = verified(server, capture)
    assert found["line"].startswith("21 → 2 queries, "), found
    assert found["confirmed"] is True
    stored = server.get(f"{capture.rstrip('/')}.json").json()
    assert stored["findings"][0]["verified"]["queries"] == [21, 2]
    assert stored["findings"][0]["verified"]["confirmed"] is True


@everywhere
def test_a_post_without_a_token_is_refused(server: Server) -> None:
    capture = captured(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_ANSWERS_WITHIN)
    try:
        connection.request("POST", f"{capture}findings/0/verify/", headers={"Connection": "close"})
        assert connection.getresponse().status == 403
    finally:
        connection.close()


@everywhere
def test_verifications_and_profiled_requests_do_not_meet(server: Server) -> None:
    captures = [captured(server) for _ in range(3)]
    plain = server.get(SLOW)
    with ThreadPoolExecutor(6) as pool:
        verdicts = [pool.submit(verified, server, capture) for capture in captures]
        others = [pool.submit(server.get, f"{SLOW}&profile=queries", FETCH) for _ in range(30)]
    assert [future.result()["line"].partition(",")[0] for future in verdicts] == [
        "21 → 2 queries"
    ] * 3
    # None of the others got the fix, and none of the replays is among their queries.
    for future in others:
        answer = future.result()
        assert answer.body == plain.body
        address = answer.headers["Hotpath-Capture"].rstrip("/")
        queries = server.get(f"{address}.json").json()["instruments"]["queries"]
        assert queries["count"] == 21
