"""A report that a visitor waits for, or that is made after the answer."""

from __future__ import annotations

import csv
from functools import partial
from io import StringIO

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse

import django_hotpath as hotpath
from examples.pages import answer, payload
from examples.queueing import Task, worker_words
from examples.registry import S0, Example, Family, Signal, Sizes, Variant
from shop.models import Delivery

DELIVERIES = Sizes(default=20_000, cap=20_000)


def check_digit(text: str) -> int:
    total = 0
    for place, letter in enumerate(text):
        total += (place % 7 + 1) * ord(letter)
    return total % 10


def make_report(n: int) -> str:
    """A table of deliveries, each line with its check digit; left in the cache for an hour."""
    lines = StringIO()
    writer = csv.writer(lines)
    deliveries = Delivery.objects.order_by("pk").values_list("number", "city", "status")
    for number, city, status in deliveries[:n]:
        writer.writerow([number, city, status, check_digit(f"{number} {city} {status}")])
    name = f"deliveries-{n}.csv"
    cache.set(name, lines.getvalue(), 3_600)
    return name


@Task
def report_task(n: int, queued_by: str | None) -> str:
    """Profiled like a request, under a label by which the request that queued it finds it."""
    with hotpath.profile(f"report task, queued by {queued_by}"):
        return make_report(n)


def slow_transaction_slow(request: HttpRequest) -> HttpResponse:
    n = DELIVERIES.asked(request)
    make_report(n)
    return _promised(request, n, "Made while you waited.")


def slow_transaction_fast(request: HttpRequest) -> HttpResponse:
    n = DELIVERIES.asked(request)
    queued_by = hotpath.capture_id()
    transaction.on_commit(partial(report_task.delay, n, queued_by))
    return _promised(request, n, _note(queued_by))


def _note(queued_by: str | None) -> str:
    told = f"Queued for {worker_words()}."
    if queued_by is None:
        return f"{told} Its profile is the newest report task of /__hotpath__/"
    return f"{told} Its profile: /__hotpath__/?path={queued_by}"


def _promised(request: HttpRequest, n: int, note: str) -> HttpResponse:
    rows = [("Report", f"deliveries-{n}.csv"), ("Deliveries", f"{n:,}")]
    return answer(request, payload(("What", "Which"), rows), note=note)


FAMILY = Family("background", "Background work", "What a visitor need not wait for.")

EXAMPLES = (
    Example(
        slug="slow-transaction",
        number=18,
        title="A report that nobody has to wait for",
        family=FAMILY,
        source=(S0,),
        claim="Handed to Celery, a slow transaction is no longer part of the request.",
        variants=(
            Variant(
                "slow",
                slow_transaction_slow,
                "made inside the request",
                "slow",
                code=(slow_transaction_slow, make_report, check_digit),
                finding="slow_function",
            ),
            Variant(
                "fast",
                slow_transaction_fast,
                "handed to a task",
                "fast",
                code=(slow_transaction_fast, report_task.function),
            ),
        ),
        sizes=DELIVERIES,
        signals=(
            Signal("slow", "calls of make_report", 1),
            Signal("fast", "calls of make_report", 0),
            Signal("slow", "queries", 1),
            Signal("fast", "queries", 0),
            Signal("slow", "calls of check_digit", 20_000),
        ),
        explanation=(
            "The report takes as long either way; the difference is who waits. The task is "
            "profiled too, by `hotpath.profile()`, under a label that holds the id of the "
            "request's capture: profile the fast page, then search the captures for that id. "
            "By default a thread of this process does the work; with `HOTPATH_DEMO_REDIS` a Celery "
            "worker does (`celery --app demo.celery worker`)."
        ),
        trap=(
            "The visitor gets a promise, not a report: the page must say where it will be, and "
            "what happens when the task fails. Queue it in `transaction.on_commit()`, or the "
            "worker may start before the rows are there. A thread ends with its process, and its "
            "work with it."
        ),
        shows=("calls", "queries"),
    ),
)
