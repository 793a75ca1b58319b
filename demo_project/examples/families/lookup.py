"""Time that plain Python spends, with no query involved."""

from __future__ import annotations

from random import Random

from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S0, Example, Family, Signal, Sizes, Variant

USERS = Sizes(default=1_000, cap=10_000)
ENTRIES = 10_000

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


FAMILY = Family("python", "Plain Python", "Loops and look-ups: no query in sight, and still slow.")

EXAMPLES = (
    Example(
        slug="dict-lookup",
        title="Searching a list for every user",
        family=FAMILY,
        source=(S0,),
        claim="10,000 users and 10,000 balances: “potentially 100,000,000 iterations”.",
        variants=(
            Variant("slow", dict_lookup_slow, "scan the list for each user", "slow"),
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
    ),
)
