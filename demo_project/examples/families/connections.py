"""What it costs to reach the database at all."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S2, S4, Example, Family, Signal, Sizes, Variant

REQUESTS = Sizes(default=10, cap=50)


def connections_slow(request: HttpRequest) -> HttpResponse:
    return _serve(request, CONN_MAX_AGE=0)


def connections_fast(request: HttpRequest) -> HttpResponse:
    return _serve(request, CONN_MAX_AGE=60)


def connections_pool(request: HttpRequest) -> HttpResponse:
    if connections["default"].vendor != "postgresql":
        note = "Django pools connections to PostgreSQL only: this is CONN_MAX_AGE=60."
        return _serve(request, note, CONN_MAX_AGE=60)
    if find_spec("psycopg_pool") is None:
        note = "Not installed: pip install psycopg[pool]. This is CONN_MAX_AGE=60."
        return _serve(request, note, CONN_MAX_AGE=60)
    # One connection is enough for requests in turn.
    return _serve(request, CONN_MAX_AGE=0, OPTIONS={"pool": {"min_size": 1, "max_size": 1}})


def _serve(request: HttpRequest, note: str = "", **settings: Any) -> HttpResponse:
    """What so many requests in a row do with their connection, under these settings."""
    connection = connections.create_connection("default")
    options = {**connection.settings_dict["OPTIONS"], **settings.pop("OPTIONS", {})}
    connection.settings_dict = {**connection.settings_dict, **settings, "OPTIONS": options}
    # Pools are kept by alias: that of the site itself, if it has one, is another one.
    connection.alias = "example"
    try:
        rows = [(number, _one(connection, number)) for number in range(REQUESTS.asked(request))]
    finally:
        note = _end(connection) or note
    return answer(request, payload(("Request", "Answer"), rows), note=note)


def _end(connection: Any) -> str:
    """Close all; what there is to say of a pool."""
    connection.close()
    pool = getattr(connection, "pool", None)
    if pool is None:
        return ""
    opened = pool.get_stats()["connections_num"]
    connection.close_pool()
    return f"Connections that the pool opened: {opened}."


def _one(connection: BaseDatabaseWrapper, number: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s + 0", [number])
        (found,) = cursor.fetchone()
    # As Django does when a request ends.
    connection.close_if_unusable_or_obsolete()
    return int(found)


FAMILY = Family("connections", "Connections", "What it costs to reach the database at all.")

EXAMPLES = (
    Example(
        slug="connections",
        number=31,
        title="A connection for every request",
        family=FAMILY,
        source=(S2, S4),
        claim="`CONN_MAX_AGE=60`, or a pool, saves 10 to 100 ms a request.",
        variants=(
            Variant(
                "slow",
                connections_slow,
                "CONN_MAX_AGE=0, Django's default",
                "slow",
                code=(connections_slow, _serve, _one),
            ),
            Variant(
                "fast",
                connections_fast,
                "CONN_MAX_AGE=60",
                "fast",
                code=(connections_fast, _serve, _one),
            ),
            Variant(
                "pool",
                connections_pool,
                "Django's own pool, on PostgreSQL",
                "fast",
                code=(connections_pool, _serve, _one),
            ),
        ),
        sizes=REQUESTS,
        signals=(
            Signal("slow", "calls of get_new_connection", 10, "one for each request"),
            Signal("fast", "calls of get_new_connection", 1),
            Signal("slow", "queries", 10),
            Signal("fast", "queries", 10),
            Signal("pool", "queries", 10),
        ),
        explanation=(
            "The page does what ten requests in a row do with their connection: ask something, and "
            "let Django decide whether to close it. By default it closes, and the next request "
            "connects again. Kept for a minute, one connection serves all ten. Look for "
            "`get_new_connection` among the calls: its number is that of the connects, its time "
            "what they cost. The statements say the same; that they stand in a loop, which the "
            "report may remark on, is the doing of this page."
        ),
        trap=(
            "Every thread keeps a connection of its own, so that a server of many threads may run "
            "out of them; under ASGI persistent connections are to be switched off, and a pool is "
            "the way. A pool lends a few connections to all threads of a process; Django has one "
            'for PostgreSQL (`OPTIONS={"pool": True}`, with `CONN_MAX_AGE=0`).'
        ),
        verdict="partly",
        verdict_reason=(
            "Ten connects become one. 10 to 100 ms a request is not measured: that is for a server "
            "over a network, with TLS and a password. In SQLite a connect opens a file, and ten of "
            "them take a few milliseconds together."
        ),
        shows=("calls", "queries"),
    ),
)
