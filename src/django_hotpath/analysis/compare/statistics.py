"""Whether two samples of a noisy figure differ, and by how much: rank statistics, pure Python.

The test is that of Mann, Whitney and Wilcoxon, with the exact distribution of the ranks that were
observed, ties included; the interval is what it leads to when it is turned round (Hodges and
Lehmann): all shifts that the test would not reject. So the two never contradict each other, the
same figures always give the same verdict, and nothing is assumed of the distribution: a few slow
runs weigh no more than a few ranks.

Why not a bootstrap: of five to fifteen runs it gives intervals that are too narrow, and it can
contradict the test beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist, median

ALPHA = 0.01
"""How often two samples of the same thing may be taken for different ones. Stricter than the
usual 0.05, since runs that follow each other are not as independent as the test supposes."""

# Beyond this many values the exact distribution takes long, and the normal one is as good.
_EXACT = 120
# Of that many values each, all pairs are a million.
_MOST = 1_000


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Of the second sample from the first; the intervals have a confidence of 1 - ``ALPHA``."""

    p: float
    """How likely ranks as far apart are, were both samples of the same thing."""
    shift: float
    """The median of the differences of all pairs, in the unit of the values."""
    shift_low: float
    shift_high: float
    ratio: float | None
    """The median of the quotients of all pairs; None where a value is not above zero."""
    ratio_low: float | None
    ratio_high: float | None

    @property
    def certain(self) -> bool:
        return self.p <= ALPHA


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Raises ``ValueError`` for an empty sample. Of more than 1,000 values the first are taken."""
    if not first or not second:
        raise ValueError("a sample is empty")
    first, second = first[:_MOST], second[:_MOST]
    shift = _shift([b - a for a in first for b in second], len(first), len(second))
    ratio: tuple[float | None, ...] = (None, None, None)
    if min(*first, *second) > 0:
        ratio = _shift([b / a for a in first for b in second], len(first), len(second))
    return Difference(
        p=p_value(first, second),
        shift=shift[0],
        shift_low=shift[1],
        shift_high=shift[2],
        ratio=ratio[0],
        ratio_low=ratio[1],
        ratio_high=ratio[2],
    )


def fewest_runs(other: int | None = None) -> int:
    """How many runs the smaller sample needs for any verdict; by default as many as the other.

    With fewer, even samples that do not overlap at all are too likely by chance.
    """
    for number in range(1, 1_000):
        if 2 / math.comb(number + (other or number), number) <= ALPHA:
            return number
    return 1_000


def enough(first: int, second: int) -> bool:
    """Whether samples of these sizes can lead to a verdict."""
    return min(first, second) > 0 and 2 / math.comb(first + second, first) <= ALPHA


def p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided."""
    ranks = _doubled_ranks([*first, *second])
    n, total = len(first), len(first) + len(second)
    observed = sum(ranks[:n])
    # Doubled ranks average total + 1.
    expected = n * (total + 1)
    distance = abs(observed - expected)
    if distance == 0:
        return 1.0
    if total > _EXACT:
        mean = total + 1
        spread = sum((rank - mean) ** 2 for rank in ranks)
        variance = spread * n * (total - n) / (total * (total - 1))
        return min(2 * (1 - NormalDist().cdf(distance / math.sqrt(variance))), 1.0)
    counts = _sums(tuple(sorted(ranks)), n)
    far = sum(ways for value, ways in counts if abs(value - expected) >= distance)
    return far / math.comb(total, n)


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value; those that are equal share the mean of their ranks."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    ranks = [0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for i in range(start, end):
            ranks[order[i]] = start + end + 1
        start = end
    return ranks


@lru_cache(maxsize=128)
def _sums(ranks: tuple[int, ...], n: int) -> list[tuple[int, int]]:
    """(sum, in how many ways) of all choices of ``n`` of the ranks.

    Each polynomial is one large integer, its coefficients in fields of equal width: adding and
    shifting those is quick.
    """
    width = (math.comb(len(ranks), n).bit_length() + 8) // 8
    sums = [1] + [0] * n
    for done, rank in enumerate(ranks, start=1):
        shift = 8 * width * rank
        for k in range(min(n, done), 0, -1):
            sums[k] += sums[k - 1] << shift
    data = sums[n].to_bytes(-(-sums[n].bit_length() // (8 * width)) * width, "little")
    fields = (data[at : at + width] for at in range(0, len(data), width))
    counts = [(value, int.from_bytes(field, "little")) for value, field in enumerate(fields)]
    return [(value, ways) for value, ways in counts if ways]


@lru_cache(maxsize=128)
def _cut(n: int, m: int) -> int:
    """How many of the sorted pairs lie outside of the interval at each end; -1: it has no end."""
    if n + m > _EXACT:
        deviation = math.sqrt(n * m * (n + m + 1) / 12)
        return int(n * m / 2 - NormalDist().inv_cdf(1 - ALPHA / 2) * deviation) - 1
    allowed = math.comb(n + m, n) * ALPHA / 2
    least, seen, cut = n * (n + 1), 0, -1
    for value, ways in _sums(tuple(range(2, 2 * (n + m) + 1, 2)), n):
        seen += ways
        if seen > allowed:
            break
        cut = (value - least) // 2
    return cut


def _shift(pairs: list[float], n: int, m: int) -> tuple[float, float, float]:
    """The median of the pairs and the interval; the widest there is where the runs are too few."""
    pairs.sort()
    cut = max(_cut(n, m), 0)
    return median(pairs), pairs[cut], pairs[len(pairs) - 1 - cut]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How a figure moved from the first run to the last; ``change`` is a share of its median."""

    p: float
    change: float


def drift(values: Sequence[float]) -> Drift:
    """The trend of values in the order of time, by Mann and Kendall, its slope by Theil and Sen.

    Fewer than eight values tell nothing: p is 1.
    """
    n = len(values)
    middle = median(values) if values else 0.0
    if n < 8 or middle <= 0:
        return Drift(p=1.0, change=0.0)
    values = values[:_MOST]
    n = len(values)
    slopes = [(values[j] - values[i]) / (j - i) for i in range(n) for j in range(i + 1, n)]
    score = sum((slope > 0) - (slope < 0) for slope in slopes)
    ties = [values.count(value) for value in set(values)]
    variance = n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)
    change = median(slopes) * (n - 1) / middle
    if variance <= 0 or score == 0:
        return Drift(p=1.0, change=change)
    z = (abs(score) - 1) / math.sqrt(variance / 18)
    return Drift(p=2 * (1 - NormalDist().cdf(z)), change=change)
