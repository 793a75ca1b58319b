"""Arithmetic on many numbers: what a call costs, and what NumPy spares."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle, islice
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse

from examples.families.lookup import BALANCE_PAIRS, FAMILY, Ledger
from examples.pages import answer, payload
from examples.registry import S2, S3, Example, Signal, Sizes, Variant

if TYPE_CHECKING:
    import numpy as np

    from examples.measuring import Measured

    Array = np.ndarray[tuple[int], np.dtype[np.int64]]

CHARGES = Sizes(default=300_000, cap=1_000_000)
POINTS = Sizes(default=300_000, cap=1_000_000)

HITS = "hits of the line that squares"

CENTS = [balance for balance, _ in BALANCE_PAIRS]


@lru_cache(maxsize=1)
def charges(n: int) -> list[int]:
    """Cents, kept: making them is not what is compared."""
    return list(islice(cycle(CENTS), n))


class Bill:
    def __init__(self) -> None:
        self.total = 0

    def add(self, cents: int) -> None:
        self.total = self.plus(cents)

    def plus(self, cents: int) -> int:
        return self.total + cents


def bill_by_calls(cents: list[int]) -> int:
    bill = Bill()
    for one in cents:
        bill.add(one)
    return bill.total


def bill_by_bound_method(cents: list[int]) -> int:
    bill = Bill()
    add = bill.add
    for one in cents:
        add(one)
    return bill.total


def bill_by_built_in(cents: list[int]) -> int:
    return sum(cents)


def call_cost_slow(request: HttpRequest) -> HttpResponse:
    return _billed(request, bill_by_calls(charges(CHARGES.asked(request))))


def call_cost_bound(request: HttpRequest) -> HttpResponse:
    return _billed(request, bill_by_bound_method(charges(CHARGES.asked(request))))


def call_cost_fast(request: HttpRequest) -> HttpResponse:
    return _billed(request, bill_by_built_in(charges(CHARGES.asked(request))))


def _billed(request: HttpRequest, total: int) -> HttpResponse:
    rows = [(CHARGES.asked(request), f"{total / 100:.2f}")]
    return answer(request, payload(("Charges", "Bill"), rows))


@lru_cache(maxsize=1)
def points(n: int) -> Ledger:
    return list(islice(cycle(BALANCE_PAIRS), n))


@lru_cache(maxsize=1)
def arrays(n: int) -> tuple[Array, Array]:
    """The same points as two arrays, kept from request to request."""
    return make_arrays(points(n))


def make_arrays(found: Ledger) -> tuple[Array, Array]:
    import numpy as np

    xs, ys = np.array(found, dtype=np.int64).T
    return xs, ys


def nearest_by_loop(found: Ledger) -> tuple[int, int]:
    """How many points are within 50,000 of the origin, and the sum of the squared distances."""
    near = total = 0
    for x, y in found:
        squared = x * x + y * y
        total += squared
        if squared <= 2_500_000_000:
            near += 1
    return near, total


def nearest_by_numpy(xs: Array, ys: Array) -> tuple[int, int]:
    squared = xs * xs + ys * ys
    return int((squared <= 2_500_000_000).sum()), int(squared.sum())


def vectorise_slow(request: HttpRequest) -> HttpResponse:
    return _near(request, nearest_by_loop(points(POINTS.asked(request))))


def vectorise_fast(request: HttpRequest) -> HttpResponse:
    return _near(request, nearest_by_numpy(*arrays(POINTS.asked(request))))


def vectorise_convert(request: HttpRequest) -> HttpResponse:
    return _near(request, nearest_by_numpy(*make_arrays(points(POINTS.asked(request)))))


def hits_of_the_line(found: Measured) -> float:
    """How often the line ran that squares the distance: it is in both functions."""
    name = "nearest_by_loop" if found.variant.name == "slow" else "nearest_by_numpy"
    lines = found.instrument("lines", f"lines:{__name__}.{name}")["functions"][0]["lines"]
    return sum(line["hits"] for line in lines if line["source"].strip().startswith("squared ="))


def _near(request: HttpRequest, found: tuple[int, int]) -> HttpResponse:
    return answer(request, payload(("Points", "Near", "Sum"), [(POINTS.asked(request), *found)]))


EXAMPLES = (
    Example(
        slug="call-cost",
        number=34,
        title="Two calls for every charge",
        family=FAMILY,
        source=(S3,),
        claim="“Each function call costs”: use built-ins, and look methods up once.",
        variants=(
            Variant(
                "slow",
                call_cost_slow,
                "a method that calls a method",
                "slow",
                code=(Bill, bill_by_calls),
                finding="slow_function",
            ),
            Variant(
                "bound",
                call_cost_bound,
                "the method looked up once",
                "trap",
                code=(bill_by_bound_method,),
                finding="slow_function",
            ),
            Variant("fast", call_cost_fast, "sum()", "fast", code=(bill_by_built_in,)),
        ),
        sizes=CHARGES,
        signals=(
            Signal("slow", "calls of Bill.add", 300_000),
            Signal("slow", "calls of Bill.plus", 300_000),
            Signal("bound", "calls of Bill.add", 300_000, "not one less"),
            Signal("fast", "calls of Bill.add", 0),
        ),
        explanation=(
            "Each charge takes two calls of Python functions that hardly do anything. The report "
            "counts 600,000 of them, and says that it is their number that costs. `sum` goes "
            "through the same list in C. Looking the method up once, before the loop, spares a "
            "look-up that Python 3.11 and later have made almost free: the calls remain."
        ),
        trap=(
            "A profiler makes calls dearer than they are (1.2 to 1.4 times). Where one call does a "
            "millisecond of work, its cost does not matter: keep the function."
        ),
        verdict="partly",
        verdict_reason=(
            "600,000 calls become one, and nearly all of the time goes with them. The bound-method "
            "trick alone changes no count, and no difference in time can be seen."
        ),
        shows=("calls",),
    ),
    Example(
        slug="vectorise",
        number=35,
        title="A loop over numbers, or NumPy",
        family=FAMILY,
        source=(S2, S3),
        claim="NumPy is 10 to 100 times as fast as a loop; 50 to 200 times at 10,000 numbers.",
        variants=(
            Variant(
                "slow",
                vectorise_slow,
                "a loop over pairs",
                "slow",
                code=(vectorise_slow, nearest_by_loop),
                finding="slow_function",
            ),
            Variant(
                "fast",
                vectorise_fast,
                "NumPy arrays",
                "fast",
                code=(vectorise_fast, nearest_by_numpy, arrays),
            ),
            Variant(
                "convert",
                vectorise_convert,
                "NumPy, from a list in each request",
                "trap",
                code=(vectorise_convert, make_arrays),
                finding="slow_function",
            ),
        ),
        sizes=POINTS,
        extra="numpy",
        signals=(
            Signal("slow", HITS, 300_000, read=hits_of_the_line),
            Signal("slow", "calls of make_arrays", 0),
            Signal("fast", HITS, 1, read=hits_of_the_line),
            Signal("fast", "calls of make_arrays", 0, "kept since the first request"),
            Signal("convert", HITS, 1, read=hits_of_the_line),
            Signal("convert", "calls of make_arrays", 1, "300,000 pairs, one by one"),
        ),
        explanation=(
            "The loop runs a few bytecode instructions for each pair; NumPy runs one loop in C "
            "over numbers that lie side by side. Lines tell it best: `?profile=lines` counts "
            "300,000 hits of each line of the loop, and one of each line with arrays."
        ),
        trap=(
            "The fast variant keeps its arrays. Made from a list in every request, as the trap "
            "does, they take as long as the loop or longer: NumPy pays where the numbers are in "
            "arrays anyway, or are used many times. Whole numbers overflow at 64 bits, where "
            "Python's do not."
        ),
        verdict="partly",
        verdict_reason=(
            "About ten times as fast with the arrays at hand, as claimed; nothing is gained "
            "where they are made from a list in each request. Measured with 300,000 numbers; 50 to "
            "200 times at 10,000 is not measured."
        ),
        shows=("lines", "calls"),
    ),
)
