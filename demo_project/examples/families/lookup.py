"""Time that plain Python spends on looking things up, with no query involved."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S0, S2, Example, Family, Signal, Sizes, Variant

USERS = Sizes(default=1_000, cap=10_000)
ENTRIES = 10_000
BALANCES = Sizes(default=50_000, cap=300_000)
PARCELS = Sizes(default=3_000, cap=20_000)

Ledger = list[tuple[int, int]]


def make_ledger() -> Ledger:
    """(user, balance), the newest entry of a user last; some users have none."""
    rng = Random(42)
    users = rng.choices(range(1, USERS.cap + 1), k=ENTRIES)
    return list(zip(users, rng.choices(range(100_000), k=ENTRIES), strict=True))


LEDGER = make_ledger()


def balance_of(user: int, ledger: Ledger) -> int:
    found = 0
    for owner, balance in ledger:
        if owner == user:
            found = balance
    return found


def dict_lookup_slow(request: HttpRequest) -> HttpResponse:
    users = range(1, USERS.asked(request) + 1)
    rows = [(user, balance_of(user, LEDGER)) for user in users]
    return answer(request, payload(("User", "Balance"), rows))


def dict_lookup_fast(request: HttpRequest) -> HttpResponse:
    users = range(1, USERS.asked(request) + 1)
    balances = dict(LEDGER)
    rows = [(user, balances.get(user, 0)) for user in users]
    return answer(request, payload(("User", "Balance"), rows))


# (current, previous) balances.
BALANCE_PAIRS = [(LEDGER[i][1], LEDGER[i - 1][1]) for i in range(ENTRIES)]


def balance_pairs(n: int) -> Ledger:
    return (BALANCE_PAIRS * (n // ENTRIES + 1))[:n]


def next_balances_loop(pairs: Ledger) -> list[int]:
    found = []
    for current, previous in pairs:
        found.append(current + abs(current - previous))
    return found


def next_balances_comprehension(pairs: Ledger) -> list[int]:
    return [current + abs(current - previous) for current, previous in pairs]


def next_balance_slow(request: HttpRequest) -> HttpResponse:
    return _totals(request, next_balances_loop(balance_pairs(BALANCES.asked(request))))


def next_balance_fast(request: HttpRequest) -> HttpResponse:
    return _totals(request, next_balances_comprehension(balance_pairs(BALANCES.asked(request))))


def _totals(request: HttpRequest, found: list[int]) -> HttpResponse:
    return answer(
        request, payload(("Balances", "Sum of the next ones"), [(len(found), sum(found))])
    )


# What a box holds, in units of 100 g, and what sending it costs.
BOXES = ((5, 310), (20, 450), (50, 690), (100, 1_199))
WEIGHTS = range(10, 210, 4)


def postage(weight: int) -> int:
    """The least that it costs to send this weight, in any number of boxes."""
    least = [0]
    for units in range(1, weight + 1):
        best = 1_000_000
        for holds, price in BOXES:
            cost = price + least[units - holds if units > holds else 0]
            if cost < best:
                best = cost
        least.append(best)
    return least[weight]


@lru_cache(maxsize=256)
def remembered_postage(weight: int) -> int:
    return postage(weight)


def parcels(request: HttpRequest) -> list[int]:
    """Their weights: n parcels, of fifty different weights."""
    return [WEIGHTS[i % len(WEIGHTS)] for i in range(PARCELS.asked(request))]


def memoise_slow(request: HttpRequest) -> HttpResponse:
    rows = [(weight, postage(weight)) for weight in parcels(request)]
    return answer(request, payload(("Weight", "Postage"), rows))


def memoise_fast(request: HttpRequest) -> HttpResponse:
    rows = [(weight, remembered_postage(weight)) for weight in parcels(request)]
    note = str(remembered_postage.cache_info())
    return answer(request, payload(("Weight", "Postage"), rows), note=note)


FAMILY = Family("python", "Plain Python", "Loops and look-ups: no query in sight, and still slow.")

EXAMPLES = (
    Example(
        slug="dict-lookup",
        number=1,
        title="Searching a list for every user",
        family=FAMILY,
        source=(S0,),
        claim="10,000 users and 10,000 balances: “potentially 100,000,000 iterations”.",
        variants=(
            Variant(
                "slow",
                dict_lookup_slow,
                "scan the list for each user",
                "slow",
                code=(dict_lookup_slow, balance_of),
                finding="slow_function",
            ),
            Variant("fast", dict_lookup_fast, "build a dict once, look up in it", "fast"),
        ),
        sizes=USERS,
        signals=(
            Signal("slow", "calls of balance_of", 1_000),
            Signal("fast", "calls of balance_of", 0),
        ),
        explanation=(
            "Each user's balance is found by walking the whole list, 10,000 entries long. The "
            "report shows one small function with nearly all the own time, called once for each "
            "user. Set the size to 10,000 for the claim's hundred million steps."
        ),
        trap=(
            "The dict is built by walking the list once. For a single look-up that is more work "
            "than the search, which may end early."
        ),
        verdict_reason="One call for each user, 1,000 here, becomes none.",
        shows=("calls", "lines"),
    ),
    Example(
        slug="next-balance",
        number=2,
        title="A loop or a comprehension",
        family=FAMILY,
        source=(S0,),
        claim="A comprehension instead of a loop with `append` “can often” speed up.",
        variants=(
            Variant(
                "slow",
                next_balance_slow,
                "a loop and append",
                "slow",
                code=(next_balances_loop,),
            ),
            Variant(
                "fast",
                next_balance_fast,
                "a comprehension",
                "fast",
                code=(next_balances_comprehension,),
            ),
        ),
        sizes=BALANCES,
        signals=(
            Signal("slow", "built-in calls of abs", 50_000, "the work itself, in both"),
            Signal("fast", "built-in calls of abs", 50_000),
        ),
        explanation=(
            "Both do the same sums, once for each balance, and that is what takes the time: only "
            "the call of `append` is spared. Profile the lines (`?profile=lines`): the loop's time "
            "is in the line that computes. That a comprehension's line shows far fewer hits there "
            "does not make it faster, it only has fewer lines to count. The findings say nothing "
            "of either, since neither can be helped by much."
        ),
        trap="Write what reads better. The comprehension is no cure for work that is slow itself.",
        verdict="not reproduced",
        verdict_reason=(
            "No material difference in time, and the same 50,000 calls of `abs` in both."
        ),
        shows=("lines", "calls"),
        profile="lines",
    ),
    Example(
        slug="memoise",
        number=22,
        title="Computed anew each time",
        family=FAMILY,
        source=(S2,),
        claim="`lru_cache(maxsize=…)` keeps the results of a function that always gives the same.",
        variants=(
            Variant(
                "slow",
                memoise_slow,
                "compute for each parcel",
                "slow",
                code=(memoise_slow, postage),
                finding="slow_function",
            ),
            Variant(
                "fast",
                memoise_fast,
                "lru_cache(maxsize=256)",
                "fast",
                code=(memoise_fast, remembered_postage),
            ),
        ),
        sizes=PARCELS,
        reset=remembered_postage.cache_clear,
        signals=(
            Signal("slow", "calls of postage", 3_000),
            Signal("fast", "calls of postage", 50, "one for each weight"),
            Signal("fast", "calls of postage when asked again", 0),
        ),
        explanation=(
            "3,000 parcels have fifty different weights, and the postage depends on nothing else. "
            "With the cache it is computed fifty times at first, 98 of 100 look-ups hit, and from "
            "the second request on nothing is computed at all: the line under the table counts. "
            "The bound keeps the cache from growing for ever."
        ),
        trap=(
            "Only for functions of their arguments alone: what reads the database, the clock or "
            "the user goes stale. Each process has a cache of its own. Arguments that never repeat "
            "fill it and never hit."
        ),
        verdict_reason="3,000 computations become 50, and none on the next request.",
        shows=("calls",),
    ),
)
