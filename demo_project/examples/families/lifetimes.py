"""Memory that is never given back, and memory that only the garbage collector gives back."""

from __future__ import annotations

from functools import lru_cache
from time import monotonic_ns

from django.http import HttpRequest, HttpResponse

from examples.families.memory import FAMILY
from examples.pages import answer, payload
from examples.registry import S1, S2, Example, Signal, Sizes, Variant
from shop.models import Company

COMPANIES = Sizes(default=1_000, cap=3_298)
INVOICES = Sizes(default=100_000, cap=200_000)
# The demo itself shall survive its own leak.
GROWS_TO = 200

Listing = list[tuple[str, str]]


@lru_cache(maxsize=None)  # noqa: UP033 - spelt out for its twin
def listing_asked_at(moment: int, n: int) -> list[Company]:
    """Kept for whoever asks at the same nanosecond, which is nobody."""
    return list(Company.objects.order_by("pk")[:n])


@lru_cache(maxsize=2)
def listing(n: int) -> list[Company]:
    return list(Company.objects.order_by("pk")[:n])


def leak_slow(request: HttpRequest) -> HttpResponse:
    companies = listing_asked_at(monotonic_ns(), COMPANIES.asked(request))
    kept = listing_asked_at.cache_info()
    if kept.currsize >= GROWS_TO:
        listing_asked_at.cache_clear()
    return _listed(request, companies, f"{kept}, emptied at {GROWS_TO}")


def leak_fast(request: HttpRequest) -> HttpResponse:
    companies = listing(COMPANIES.asked(request))
    return _listed(request, companies, str(listing.cache_info()))


def _listed(request: HttpRequest, companies: list[Company], note: str) -> HttpResponse:
    rows = [(company.symbol, company.name) for company in companies[:10]]
    return answer(request, payload(("Symbol", "Name"), rows), note=note)


def forget() -> None:
    listing_asked_at.cache_clear()
    listing.cache_clear()


class Invoice:
    def __init__(self, number: int) -> None:
        self.number = number
        self.items: list[Item | FreeItem] = []


class Item:
    """Knows its invoice, which knows it: neither goes until the collector has found both."""

    def __init__(self, invoice: Invoice, cents: int) -> None:
        self.invoice = invoice
        self.cents = cents
        invoice.items.append(self)


class FreeItem:
    """Gone with its invoice, as soon as nobody uses that any more."""

    def __init__(self, cents: int) -> None:
        self.cents = cents


def gc_slow(request: HttpRequest) -> HttpResponse:
    total = 0
    for number in range(INVOICES.asked(request)):
        invoice = Invoice(number)
        Item(invoice, cents=number)
        total += sum(item.cents for item in invoice.items)
    return _invoiced(request, total)


def gc_fast(request: HttpRequest) -> HttpResponse:
    total = 0
    for number in range(INVOICES.asked(request)):
        invoice = Invoice(number)
        invoice.items.append(FreeItem(cents=number))
        total += sum(item.cents for item in invoice.items)
    return _invoiced(request, total)


def _invoiced(request: HttpRequest, total: int) -> HttpResponse:
    return answer(request, payload(("Invoices", "Cents"), [(INVOICES.asked(request), total)]))


EXAMPLES = (
    Example(
        slug="leak",
        number=36,
        title="A cache that grows for ever",
        family=FAMILY,
        source=(S1, S2),
        claim="It grows until the out-of-memory killer ends it; restarting workers is a stopgap.",
        variants=(
            Variant(
                "slow",
                leak_slow,
                "no bound, and a key that never repeats",
                "slow",
                code=(leak_slow, listing_asked_at),
                finding="memory_growth",
            ),
            Variant(
                "fast",
                leak_fast,
                "lru_cache(maxsize=2)",
                "fast",
                code=(leak_fast, listing),
            ),
        ),
        sizes=COMPANIES,
        reset=forget,
        signals=(
            Signal("slow", "instances left when asked again", 1_000, "by each request"),
            Signal("fast", "instances left when asked again", 0),
        ),
        explanation=(
            "The moment is part of the key, so nothing that is kept is ever found again, and each "
            "request leaves a thousand companies behind. One profile cannot tell that from a cache "
            "that is being filled: measure the page five times with `allocations:collect` (the "
            "button does one of them), and the report compares the runs and names the line. "
            "`?profile=objects` counts the companies that stay."
        ),
        trap=(
            "A bound that is never reached is none: two entries of ten thousand rows may be more "
            "than two hundred of ten. Each process keeps its own."
        ),
        verdict_reason=(
            "Every request keeps 1,000 instances more, for ever; with the bound none after the "
            "first. (The demo empties the cache after 200 requests, to survive its own example.)"
        ),
        shows=("memory", "objects"),
        profile="allocations:collect",
    ),
    Example(
        slug="gc",
        number=37,
        title="Objects that hold each other",
        family=FAMILY,
        source=(S1,),
        claim="The garbage collector pauses the process for milliseconds.",
        variants=(
            Variant(
                "slow",
                gc_slow,
                "item and invoice in a cycle",
                "slow",
                code=(Item, gc_slow),
                finding="gc_pressure",
            ),
            Variant("fast", gc_fast, "no way back", "fast", code=(FreeItem, gc_fast)),
        ),
        sizes=INVOICES,
        signals=(
            Signal("slow", "collections at least", 20),
            Signal("fast", "collections at most", 3),
        ),
        explanation=(
            "Python frees an object with its last reference. Two that refer to each other keep "
            "each other alive until the garbage collector comes, which it does after every so many "
            "objects, and everything stops meanwhile. Without the way back there is nothing to "
            "collect. The report lists each pause and what it freed."
        ),
        trap=(
            "Cycles are no fault in themselves: where the collector runs once or twice a request, "
            "leave it alone. `gc.freeze()` after start-up, or a higher `gc.set_threshold()`, help "
            "where much is alive and little is freed."
        ),
        verdict_reason="A run of the collector for every 2,000 objects (Python 3.13), or none.",
        shows=("gc", "calls"),
    ),
)
