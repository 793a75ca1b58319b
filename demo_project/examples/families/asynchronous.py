"""Async views that wait in turn, and one that keeps everyone else waiting."""

from __future__ import annotations

import asyncio
import time

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S2, S4, Example, Family, Signal, Variant
from shop.models import Company

RATES = {"EUR": "1.00", "GBP": "0.86", "JPY": "163.20"}
LATENCY = 0.1
"""Seconds until another service, or the database, has answered."""


async def rate_of(currency: str) -> str:
    await asyncio.sleep(LATENCY)
    return RATES[currency]


async def gather_slow(request: HttpRequest) -> HttpResponse:
    euro = await rate_of("EUR")
    pound = await rate_of("GBP")
    yen = await rate_of("JPY")
    return _rates(request, euro, pound, yen)


async def gather_fast(request: HttpRequest) -> HttpResponse:
    euro, pound, yen = await asyncio.gather(rate_of("EUR"), rate_of("GBP"), rate_of("JPY"))
    return _rates(request, euro, pound, yen)


@sync_to_async
def stored_rate(currency: str) -> str:
    """As the async methods of the ORM do: sync code, in the one thread that requests have for it.

    The query stands for one that takes long.
    """
    Company.objects.filter(symbol=currency).exists()
    time.sleep(LATENCY)
    return RATES[currency]


async def gather_trap(request: HttpRequest) -> HttpResponse:
    euro, pound, yen = await asyncio.gather(
        stored_rate("EUR"), stored_rate("GBP"), stored_rate("JPY")
    )
    return _rates(request, euro, pound, yen)


def _rates(request: HttpRequest, euro: str, pound: str, yen: str) -> HttpResponse:
    rows = [("Euro", euro), ("Pound", pound), ("Yen", yen)]
    return answer(request, payload(("Currency", "Rate"), rows))


def ask_service() -> list[tuple[str, str]]:
    """`requests.get()` waits like this: the thread can do nothing else meanwhile."""
    time.sleep(2 * LATENCY)
    return list(RATES.items())


async def ask_service_async() -> list[tuple[str, str]]:
    """What an async client does, `httpx.AsyncClient` for instance."""
    await asyncio.sleep(2 * LATENCY)
    return list(RATES.items())


async def blocking_slow(request: HttpRequest) -> HttpResponse:
    rates = ask_service()
    return answer(request, payload(("Currency", "Rate"), rates))


async def blocking_fast(request: HttpRequest) -> HttpResponse:
    rates = await asyncio.to_thread(ask_service)
    return answer(request, payload(("Currency", "Rate"), rates))


async def blocking_client(request: HttpRequest) -> HttpResponse:
    rates = await ask_service_async()
    return answer(request, payload(("Currency", "Rate"), rates))


FAMILY = Family("async", "Async views", "Who waits for whom, and whether they have to.")

EXAMPLES = (
    Example(
        slug="gather",
        number=28,
        title="Three answers, asked for one after the other",
        family=FAMILY,
        source=(S2, S4),
        claim="With `asyncio.gather` a page waits for the slowest answer, not for the sum.",
        variants=(
            Variant(
                "slow",
                gather_slow,
                "three awaits in a row",
                "slow",
                code=(gather_slow, rate_of),
                finding="sequential_awaits",
            ),
            Variant(
                "trap",
                gather_trap,
                "gather() over the ORM",
                "trap",
                code=(gather_trap, stored_rate),
            ),
            Variant("fast", gather_fast, "asyncio.gather()", "fast"),
        ),
        sizes=None,
        signals=(
            Signal("slow", "calls of rate_of", 3),
            Signal("fast", "calls of rate_of", 3),
            Signal("trap", "queries", 3),
        ),
        explanation=(
            "Three services are asked, each answers after 100 ms, and none needs what another one "
            "said. Awaited in a row that is 300 ms, together 100. The report's section “Event "
            "loop” shows the waits below each other, and offers the `gather()`. Serve the demo "
            "by `make demo-async` to see it."
        ),
        trap=(
            "Put around queries, `gather()` changes nothing: async methods of the ORM run sync "
            "code, and all sync code of a request shares one thread. It takes 300 ms again."
        ),
        asynchronous=True,
        shows=("eventloop",),
        profile="eventloop",
    ),
    Example(
        slug="blocking-async",
        number=29,
        title="A blocking call in an async view",
        family=FAMILY,
        source=(S2,),
        claim="One blocking call “negates all benefits” of an async view.",
        variants=(
            Variant(
                "slow",
                blocking_slow,
                "a blocking call in the event loop",
                "slow",
                code=(blocking_slow, ask_service),
                finding="blocking_call",
            ),
            Variant("fast", blocking_fast, "asyncio.to_thread()", "fast"),
            Variant(
                "client",
                blocking_client,
                "a client that can be awaited",
                "fast",
                code=(blocking_client, ask_service_async),
            ),
        ),
        sizes=None,
        signals=(
            Signal("slow", "calls of ask_service", 1),
            Signal("fast", "calls of ask_service", 1, "in a thread"),
            Signal("client", "calls of ask_service", 0),
        ),
        explanation=(
            "An async server answers everyone in one thread, by turns. `ask_service()` keeps it "
            "for 200 ms in which nobody else is served. The page itself takes as long either "
            "way: what changes is how late the event loop gets round to the others. The report "
            "names the line and shows the lag. Serve the demo by `make demo-async` to see it."
        ),
        trap=(
            "A thread helps with waiting, not with computing: Python code in it still takes the "
            "interpreter's lock from the loop again and again. Under runserver every request has "
            "a thread of its own, and nothing of this shows."
        ),
        asynchronous=True,
        shows=("eventloop",),
        profile="eventloop",
    ),
)
