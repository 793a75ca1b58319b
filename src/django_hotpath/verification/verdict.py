"""From the runs without and with a fix to a verdict: pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from django_hotpath.capture import Verified

# So many of each are all quicker than all others by chance once in 70 times.
_ENOUGH = 4
_BETWEEN = re.compile(rb"[\s<>\"'&;,]+")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One replay: its answer, its queries and its time.

    ``applied``: how often the fix was, ``apart``: how many of the queries only the replay needs,
    where the fix itself is a join.
    """

    status: int
    queries: int
    wall_ms: float
    body: bytes = field(default=b"", repr=False)
    location: str = ""
    applied: int = 0
    apart: int = 0
    exception: dict[str, str] | None = None


def judge(
    plain: Sequence[Run],
    fixed: Sequence[Run],
    rehearsed: Sequence[Run] = (),
    *,
    by_time: bool = False,
) -> Verified:
    """The verdict of at least one run without and one with the fix.

    ``rehearsed`` are runs without it whose time does not count, but whose answer does.
    ``by_time``: the fix is there to save time, and may do so without saving a query.
    """
    difference, compared = _difference([*rehearsed, *plain], fixed)
    before, after = _count(plain), _count(fixed)
    joined = after - int(median(run.apart for run in fixed))
    times = _median_ms(plain), _median_ms(fixed)
    spread = _spread(plain), _spread(fixed)
    objection = (
        difference
        or _unstable(plain, fixed)
        or _no_gain(before, joined, by_time)
        or (_not_quicker(spread, len(fixed)) if by_time and joined >= before else None)
    )
    remark = objection or ""
    if not objection and not compared:
        remark = "The answers differ from run to run by themselves, so they were not compared."
    elif not objection and joined < before <= after:
        remark = f"With the join itself it takes {joined}: the replay fetched the rows apart."
    return Verified(
        queries=(before, after),
        wall_ms=times,
        confirmed=objection is None,
        remark=remark,
        rounds=min(len(plain), len(fixed)),
        spread_ms=spread,
    )


def _difference(plain: Sequence[Run], fixed: Sequence[Run]) -> tuple[str | None, bool]:
    """What is different in the answers with the fix, and whether bodies could be compared."""
    for run in fixed:
        if run.status != plain[0].status:
            text = f"status {plain[0].status} without the fix, {run.status} with it{_raised(run)}"
            return f"The answer differs: {text}.", True
    expected = {run.location for run in plain}
    if len(expected) == 1 and any(run.location not in expected for run in fixed):
        return "The answer differs: with the fix it redirects elsewhere.", True
    if len({run.body for run in plain}) == 1 and all(run.body == plain[0].body for run in fixed):
        return None, True
    own = _steady_parts([run.body for run in plain])
    if own is None:
        return None, False
    if any(_parts_at(run.body, own) != own for run in fixed):
        return "The answer differs: its body is another one with the fix.", True
    return None, True


def _raised(run: Run) -> str:
    if run.exception is None:
        return ""
    return f" ({run.exception['type']}: {run.exception['message']})"


def _steady_parts(bodies: Sequence[bytes]) -> list[bytes | None] | None:
    """The words of the bodies that are the same in all, None for one that differs.

    A token or a time is one word that is another each time. None where it is more than that:
    another number of words, or most of them.
    """
    texts = [_BETWEEN.split(body) for body in bodies]
    if len({len(words) for words in texts}) > 1:
        return None
    steady = [words[0] if len(set(words)) == 1 else None for words in zip(*texts, strict=True)]
    return steady if steady.count(None) * 2 <= len(steady) else None


def _parts_at(body: bytes, own: Sequence[bytes | None]) -> list[bytes | None]:
    words = _BETWEEN.split(body)
    if len(words) != len(own):
        return []
    return [word if part is not None else None for word, part in zip(words, own, strict=True)]


def _unstable(plain: Sequence[Run], fixed: Sequence[Run]) -> str | None:
    for runs, which in ((plain, "without"), (fixed, "with")):
        counts = sorted({run.queries for run in runs})
        if len(counts) > 1:
            return (
                f"The number of queries is not stable: {which} the fix from {counts[0]} to "
                f"{counts[-1]}."
            )
    return None


def _no_gain(before: int, after: int, by_time: bool) -> str | None:
    if by_time or after < before:
        return None
    return f"It takes {'more' if after > before else 'as many'} queries with the fix."


def _not_quicker(runs: Sequence[tuple[float, float]], rounds: int) -> str | None:
    """Quicker by more than the runs differ among themselves, and often enough for no chance."""
    if rounds < _ENOUGH:
        return f"Whether it is quicker takes {_ENOUGH} runs of each to tell."
    if runs[1][1] < runs[0][0]:
        return None
    return "It is not clearly quicker with the fix: the runs differ among themselves by more."


def _count(runs: Sequence[Run]) -> int:
    return int(median(run.queries for run in runs))


def _median_ms(runs: Sequence[Run]) -> float:
    return round(median(run.wall_ms for run in runs), 4)


def _spread(runs: Sequence[Run]) -> tuple[float, float]:
    times = [run.wall_ms for run in runs]
    return round(min(times), 4), round(max(times), 4)
