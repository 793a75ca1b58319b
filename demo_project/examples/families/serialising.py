"""The same rows as JSON by two libraries, and as MessagePack."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.http import HttpRequest, HttpResponse

from examples.measuring import Measured
from examples.pages import answer, payload
from examples.registry import S4, Example, Family, Signal, Sizes, Variant
from shop.models import Company

COMPANIES = Sizes(default=1_000, cap=3_298)

BYTES = {"slow": 575_821, "fast": 557_822, "msgpack": 523_207}

Rows = list[dict[str, Any]]


def to_json(rows: Rows) -> bytes:
    return json.dumps(rows).encode()


def to_json_by_orjson(rows: Rows) -> bytes:
    import orjson

    return orjson.dumps(rows)


def to_msgpack(rows: Rows) -> bytes:
    import msgpack

    return bytes(msgpack.packb(rows))


def serialisers_slow(request: HttpRequest) -> HttpResponse:
    return _encoded(request, to_json, json.loads)


def serialisers_fast(request: HttpRequest) -> HttpResponse:
    import orjson

    return _encoded(request, to_json_by_orjson, orjson.loads)


def serialisers_msgpack(request: HttpRequest) -> HttpResponse:
    import msgpack

    return _encoded(request, to_msgpack, msgpack.unpackb)


ENCODERS = {"slow": to_json, "fast": to_json_by_orjson, "msgpack": to_msgpack}


def read_companies(n: int) -> Rows:
    return list(Company.objects.order_by("pk").values()[:n])


def _encoded(
    request: HttpRequest, dumps: Callable[[Rows], bytes], loads: Callable[[bytes], Any]
) -> HttpResponse:
    """The rows after the way there and back; the note is about the way there."""
    asked = read_companies(COMPANIES.asked(request))
    began = perf_counter()
    body = dumps(asked)
    took = (perf_counter() - began) * 1_000
    rows = loads(body)
    note = f"{len(body):,} bytes for {len(rows):,} companies, encoded in {took:.2f} ms"
    return answer(request, payload(list(rows[0]), [list(row.values()) for row in rows]), note=note)


def bytes_of(found: Measured) -> float:
    """How long what the variant encodes is, at the default size."""
    return len(ENCODERS[found.variant.name](read_companies(COMPANIES.default)))


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
            Variant(
                "slow",
                serialisers_slow,
                "json of the standard library",
                "slow",
                code=(to_json, _encoded),
            ),
            Variant(
                "fast",
                serialisers_fast,
                "orjson",
                "fast",
                code=(to_json_by_orjson, _encoded),
            ),
            Variant(
                "msgpack",
                serialisers_msgpack,
                "MessagePack",
                "fast",
                code=(to_msgpack, _encoded),
            ),
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
            "table is how many bytes it made, and how long that took."
        ),
        trap=(
            "Next to the query that fetches the rows, encoding is a small part of the page. "
            '`json.dumps(…, separators=(",", ":"), ensure_ascii=False)` is as short as orjson\'s.'
        ),
        verdict="partly",
        verdict_reason=(
            "MessagePack is the smallest. In the time of the whole page little of it is "
            "seen: encoding is a small part of it. The time of encoding alone is under the table "
            "of each page; how it compares is not measured here, so neither are the operations a "
            "second."
        ),
        extra="orjson msgpack",
        shows=("calls",),
    ),
)
