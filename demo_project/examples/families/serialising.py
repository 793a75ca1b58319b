"""The same rows as JSON by two libraries, and as MessagePack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from examples.measuring import Measured
from examples.pages import answer, payload
from examples.registry import S4, Example, Family, Signal, Sizes, Variant
from shop.models import Company

COMPANIES = Sizes(default=1_000, cap=3_298)

BYTES = {"slow": 575_821, "fast": 557_822, "msgpack": 523_207}

Rows = list[dict[str, Any]]


def serialisers_slow(request: HttpRequest) -> HttpResponse:
    body = json.dumps(read_companies(COMPANIES.asked(request))).encode()
    return _decoded(request, body, json.loads)


def serialisers_fast(request: HttpRequest) -> HttpResponse:
    import orjson

    body = orjson.dumps(read_companies(COMPANIES.asked(request)))
    return _decoded(request, body, orjson.loads)


def serialisers_msgpack(request: HttpRequest) -> HttpResponse:
    import msgpack

    body = msgpack.packb(read_companies(COMPANIES.asked(request)))
    return _decoded(request, body, msgpack.unpackb)


def read_companies(n: int) -> Rows:
    return list(Company.objects.order_by("pk").values()[:n])


def _decoded(request: HttpRequest, body: bytes, loads: Callable[[bytes], Any]) -> HttpResponse:
    rows = loads(body)
    note = f"{len(body):,} bytes for {len(rows):,} companies"
    return answer(request, payload(list(rows[0]), [list(row.values()) for row in rows]), note=note)


def bytes_of(found: Measured) -> float:
    """How long what the variant encodes is, at the default size."""
    import msgpack
    import orjson

    dumps: dict[str, Callable[[Rows], Any]] = {
        "slow": lambda rows: json.dumps(rows).encode(),
        "fast": orjson.dumps,
        "msgpack": msgpack.packb,
    }
    return len(dumps[found.variant.name](read_companies(COMPANIES.default)))


FAMILY = Family("serialising", "Serialising", "What it takes to send data, and how much is sent.")

EXAMPLES = (
    Example(
        slug="serialisers",
        number=30,
        title="A thousand rows as bytes",
        family=FAMILY,
        source=(S4,),
        claim=(
            "json 1,000, orjson 30,000, msgpack 50,000 operations a second; orjson is 10 to 50 "
            "times faster."
        ),
        variants=(
            Variant("slow", serialisers_slow, "json of the standard library", "slow"),
            Variant("fast", serialisers_fast, "orjson", "fast"),
            Variant("msgpack", serialisers_msgpack, "MessagePack", "fast"),
        ),
        sizes=COMPANIES,
        signals=(
            Signal("slow", "queries", 1),
            Signal("fast", "queries", 1),
            Signal("msgpack", "queries", 1),
            *(Signal(name, "bytes", count, read=bytes_of) for name, count in BYTES.items()),
        ),
        explanation=(
            "All three encode the same rows and decode them again. orjson is written in Rust, "
            "knows dates and UUIDs, and leaves out the blanks after commas and colons. MessagePack "
            "is binary: smaller, and unreadable without a library on the other side. Under the "
            "table is how many bytes it made."
        ),
        trap=(
            "Next to the query that fetches the rows, encoding is a small part of the page. "
            '`json.dumps(…, separators=(",", ":"), ensure_ascii=False)` is as short as orjson\'s.'
        ),
        verdict="partly",
        verdict_reason=(
            "orjson encodes 10 to 40 times faster than json, as claimed; MessagePack is the "
            "smallest, and slower than orjson, not faster. Next to the query, none of it shows."
        ),
        extra="orjson msgpack",
        shows=("calls",),
    ),
)
