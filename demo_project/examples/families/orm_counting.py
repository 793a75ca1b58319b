"""What the database can work out by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Avg, Count, Sum
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S4, Example, Family, Signal, Sizes, Variant
from shop.models import Delivery, Visit

if TYPE_CHECKING:
    from examples.measuring import Measured

VISITS = Sizes(default=12_000, cap=12_000)
PENDING = Delivery.Status.PENDING


def aggregate_slow(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.filter(pk__lte=VISITS.asked(request))
    seconds = [visit.seconds for visit in visits]
    number, total = len(seconds), sum(seconds)
    rows = [(number, total, round(total / number, 2) if number else 0)]
    return answer(request, payload(("Visits", "Seconds", "On average"), rows))


def aggregate_fast(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.filter(pk__lte=VISITS.asked(request))
    found = visits.aggregate(number=Count("pk"), total=Sum("seconds"), average=Avg("seconds"))
    rows = [(found["number"], found["total"] or 0, round(found["average"] or 0, 2))]
    return answer(request, payload(("Visits", "Seconds", "On average"), rows))


def exists_slow(request: HttpRequest) -> HttpResponse:
    waiting = Delivery.objects.filter(status=PENDING).count() > 0
    return answer(request, payload(("Is anything pending?",), [(str(waiting),)]))


def exists_fast(request: HttpRequest) -> HttpResponse:
    waiting = Delivery.objects.filter(status=PENDING).exists()
    return answer(request, payload(("Is anything pending?",), [(str(waiting),)]))


def statement(found: Measured) -> str:
    """The first statement that was sent."""
    return str(found.instrument("queries")["queries"][0]["sql"])


FAMILY = Family("counting", "Counting and adding up", "What the database can work out by itself.")

EXAMPLES = (
    Example(
        slug="aggregate",
        number=12,
        title="Adding up in Python",
        family=FAMILY,
        source=(S4,),
        claim="`sum()` in Python fetches all rows; `Sum`, `Count` and `Avg` fetch one.",
        variants=(
            Variant(
                "slow",
                aggregate_slow,
                "sum() over 12,000 rows",
                "slow",
                finding="sum_for_aggregate",
            ),
            Variant("fast", aggregate_fast, "aggregate(Count, Sum, Avg)", "fast"),
        ),
        sizes=VISITS,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "rows fetched", 12_000),
            Signal("slow", "model instances", 12_000),
            Signal("fast", "queries", 1),
            Signal("fast", "rows fetched", 1),
            Signal("fast", "model instances", 0),
        ),
        explanation=(
            "Twelve thousand objects are built so that one number of each can be added up. The "
            "database has those numbers beside each other and returns three. Both variants send "
            "one query, so a count of queries shows nothing: look at the calls, or at the rows."
        ),
        trap=(
            "Of no rows `Sum` is `None`, where `sum()` is 0. And where the page shows the rows as "
            "well, they are there already: a second query only to add up what you have is more "
            "work, not less."
        ),
        shows=("calls", "queries"),
    ),
    Example(
        slug="exists",
        number=13,
        title="Counting to see whether there are any",
        family=FAMILY,
        source=(S4,),
        claim="`exists()` instead of `count() > 0`.",
        variants=(
            Variant("slow", exists_slow, "count() > 0", "slow", finding="count_for_exists"),
            Variant("fast", exists_fast, "exists()", "fast"),
        ),
        sizes=None,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "statement", "COUNT(*)", "reads all 20,000", read=statement),
            Signal("fast", "queries", 1),
            Signal("fast", "statement", "LIMIT 1", "stops at the first", read=statement),
        ),
        explanation=(
            "`count()` looks at every row to give a number that nobody wants. `exists()` asks for "
            "one row and stops when it has found it. Both are one query with the same plan, which "
            "reads the table from end to end; that one of them may stop early is said by `LIMIT 1` "
            "alone."
        ),
        trap=(
            "Where the number or the rows are needed afterwards, `exists()` is a query too many. "
            "And where no row fulfils the condition, it reads the whole table as well."
        ),
        shows=("queries",),
    ),
)
