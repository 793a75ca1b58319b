from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from random import Random
from statistics import median

import pytest

from django_hotpath.analysis.compare.statistics import (
    ALPHA,
    difference,
    drift,
    enough,
    fewest_runs,
    p_value,
)

Noise = Callable[[Random], float]


def lognormal(spread: float) -> Noise:
    return lambda random: 100 * random.lognormvariate(0, spread)


def heavy_tails(random: Random) -> float:
    """A request that now and then waits for something else."""
    slow = random.paretovariate(2) if random.random() < 0.15 else 1.0
    return 100 * (1 + abs(random.gauss(0, 0.05))) * slow


def two_modes(random: Random) -> float:
    """A cache that is sometimes warm."""
    return (60 if random.random() < 0.5 else 140) * random.lognormvariate(0, 0.05)


NOISES = pytest.mark.parametrize(
    "noise",
    [lognormal(0.03), lognormal(0.2), heavy_tails, two_modes],
    ids=["quiet", "noisy", "heavy tails", "two modes"],
)
SIZES = pytest.mark.parametrize("sizes", [(5, 5), (8, 8), (5, 30), (12, 12), (30, 30)])


@NOISES
@SIZES
def test_a_against_a_is_hardly_ever_a_difference(noise: Noise, sizes: tuple[int, int]) -> None:
    random, false = Random(1), 0
    for _ in range(1_000):
        a, b = ([noise(random) for _ in range(size)] for size in sizes)
        false += difference(a, b).certain
    assert false <= 25


@pytest.mark.parametrize("spread", [0.02, 0.05, 0.08])
def test_twenty_milliseconds_of_a_hundred_are_found_with_ten_runs_each(spread: float) -> None:
    random, noise, found = Random(2), lognormal(spread), 0
    for _ in range(200):
        before = [noise(random) for _ in range(10)]
        after = [noise(random) + 20 for _ in range(10)]
        told = difference(before, after)
        found += told.certain and told.shift > 0
    assert found >= 190


@NOISES
def test_the_interval_holds_the_true_shift(noise: Noise) -> None:
    random, held = Random(3), 0
    for _ in range(300):
        before = [noise(random) for _ in range(9)]
        after = [noise(random) + 20 for _ in range(9)]
        told = difference(before, after)
        held += told.shift_low <= 20 <= told.shift_high
    assert held >= 294


@pytest.mark.parametrize("spread", [0.05, 0.2])
def test_the_interval_holds_the_true_ratio(spread: float) -> None:
    random, noise, held = Random(4), lognormal(spread), 0
    for _ in range(300):
        before = [noise(random) for _ in range(7)]
        after = [noise(random) * 0.6 for _ in range(12)]
        told = difference(before, after)
        assert told.ratio_low is not None
        assert told.ratio_high is not None
        held += told.ratio_low <= 0.6 <= told.ratio_high
    assert held >= 294


@NOISES
def test_test_and_interval_never_contradict_each_other(noise: Noise) -> None:
    random = Random(5)
    for _ in range(300):
        n, m = random.randint(5, 15), random.randint(5, 15)
        before = [noise(random) for _ in range(n)]
        after = [noise(random) * random.choice((1, 1.1, 1.3)) for _ in range(m)]
        told = difference(before, after)
        assert told.ratio_low is not None
        assert told.ratio_high is not None
        assert told.certain == (not told.ratio_low <= 1 <= told.ratio_high)
        assert told.certain == (not told.shift_low <= 0 <= told.shift_high)


def test_p_is_the_share_of_all_ways_to_divide_the_runs() -> None:
    random = Random(6)
    for _ in range(20):
        values = [random.randint(0, 6) for _ in range(9)]
        a, b = values[:4], values[4:]
        assert p_value(a, b) == pytest.approx(by_hand(a, b))


def by_hand(a: list[int], b: list[int]) -> float:
    values = [*a, *b]
    ranks = [
        sum(other < value for other in values) + sum(other == value for other in values) / 2
        for value in values
    ]
    expected = len(a) * sum(ranks) / len(ranks)
    seen = abs(sum(ranks[: len(a)]) - expected)
    sums = [sum(chosen) for chosen in itertools.combinations(ranks, len(a))]
    return sum(abs(one - expected) >= seen - 1e-9 for one in sums) / len(sums)


def test_many_runs_are_judged_as_few_are() -> None:
    random, noise = Random(7), lognormal(0.1)
    before, after = ([noise(random) for _ in range(size)] for size in (60, 60))
    exact = p_value(before, after)
    # One more run, and the normal distribution takes over.
    assert p_value(before, [*after, median(after)]) == pytest.approx(exact, abs=0.02)


def test_the_same_runs_are_no_difference() -> None:
    values = [100.0, 103.0, 98.0, 101.0, 99.0]
    told = difference(values, values)
    assert not told.certain
    assert told.p > 0.9
    assert told.ratio == 1


def test_equal_values_are_no_difference() -> None:
    told = difference([100.0] * 10, [100.0] * 10)
    assert (told.p, told.ratio, told.ratio_low, told.ratio_high) == (1, 1, 1, 1)


def test_equal_values_that_differ_from_the_others_are_one() -> None:
    told = difference([100.0] * 10, [80.0] * 10)
    assert told.certain
    assert (told.ratio, told.ratio_low, told.ratio_high) == (0.8, 0.8, 0.8)
    assert (told.shift, told.shift_low, told.shift_high) == (-20, -20, -20)


def test_swapped_sets_say_the_opposite() -> None:
    random, noise = Random(8), lognormal(0.1)
    a = [noise(random) for _ in range(9)]
    b = [noise(random) * 1.3 for _ in range(12)]
    there, back = difference(a, b), difference(b, a)
    assert there.p == pytest.approx(back.p)
    assert there.shift == pytest.approx(-back.shift)
    assert there.shift_low == pytest.approx(-back.shift_high)
    assert there.ratio_low == pytest.approx(1 / (back.ratio_high or math.nan))


def test_one_outlier_weighs_no_more_than_its_rank() -> None:
    before = [100.0, 101, 99, 102, 98, 100.5, 99.5, 101.5, 98.5, 102.5]
    after = [80.0, 81, 79, 82, 78, 80.5, 79.5, 81.5, 78.5, 5_000]
    told = difference(before, after)
    assert told.certain
    assert told.ratio == pytest.approx(0.8, abs=0.01)


def test_a_value_of_nothing_has_no_ratio() -> None:
    told = difference([0.0, 1, 2, 3, 4], [5.0, 6, 7, 8, 9])
    assert told.ratio is None
    assert told.shift == 5


def test_an_empty_sample_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        difference([], [1.0])


def test_five_runs_each_are_the_fewest() -> None:
    assert fewest_runs() == 5
    assert enough(5, 5)
    assert not enough(4, 4)
    assert not enough(0, 50)
    for size in (3, 5, 10):
        smaller = fewest_runs(size)
        assert enough(smaller, size)
        assert not enough(smaller - 1, size)
    lowest, highest = [1.0, 2, 3, 4, 5], [6.0, 7, 8, 9, 10]
    assert p_value(lowest, highest) <= ALPHA
    assert p_value(lowest[:4], highest[:4]) > ALPHA


def test_a_trend_is_told_from_noise() -> None:
    random = Random(9)
    rising = [100 + 3 * i + random.gauss(0, 2) for i in range(12)]
    told = drift(rising)
    assert told.p < ALPHA
    assert told.change == pytest.approx(33 / 116, abs=0.05)
    noisy = sum(
        drift([random.lognormvariate(0, 0.1) for _ in range(12)]).p <= ALPHA for _ in range(500)
    )
    assert noisy <= 12


def test_few_or_equal_values_have_no_trend() -> None:
    assert drift([1.0, 2, 3, 4]).p == 1
    assert drift([5.0] * 20).p == 1
    assert drift([]).p == 1
