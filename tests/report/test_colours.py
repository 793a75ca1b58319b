from __future__ import annotations

import re
from itertools import combinations, pairwise

import pytest

from django_hotpath.report.assets import FOLDER
from tests.report.colours import VISION, contrast, difference

CSS = (FOLDER / "report.css").read_text()

# As they come in the bar.
TONES = (
    *("project", "orm", "database", "template", "cache", "http", "middleware", "django"),
    *("library", "stdlib", "tools", "rest"),
)
TEXTS = ("text", "quiet", "accent", "high", "medium", "low", "good", "cost", "string")
GROUNDS = ("page", "surface", "sunken")

SCHEMES = ("light", "dark")


def colour(name: str, scheme: str) -> str:
    found = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", CSS)
    assert found is not None, name
    return found[1 + SCHEMES.index(scheme)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#ff0000", "#ff0000", 0.0), ("#ffffff", "#000000", 100.0), ("#0000ff", "#ff0000", 52.9)],
)
def test_the_difference_is_that_of_known_pairs(one: str, other: str, expected: float) -> None:
    assert difference(one, other) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_neighbours_in_the_bar_are_far_apart_for_every_eye(scheme: str, vision: str) -> None:
    close = {
        pair: round(found, 1)
        for pair in pairwise(TONES)
        if (found := difference(*(colour(name, scheme) for name in pair), vision)) < 12
    }
    assert close == {}


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_any_two_parts_of_the_time_can_be_told_apart(scheme: str, vision: str) -> None:
    """Parts that took nothing are left out, so that any two may be neighbours."""
    close = {
        pair: round(found, 1)
        for pair in combinations(TONES, 2)
        if (found := difference(*(colour(name, scheme) for name in pair), vision)) < 6
    }
    assert close == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_can_be_read_on_every_ground(scheme: str) -> None:
    faint = {
        (text, ground): round(found, 2)
        for text in TEXTS
        for ground in GROUNDS
        if (found := contrast(colour(text, scheme), colour(ground, scheme))) < 4.5
    }
    assert faint == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_black_or_white_can_be_read_on_every_part(scheme: str) -> None:
    best = {
        name: max(contrast(colour(name, scheme), text) for text in ("#000000", "#ffffff"))
        for name in TONES
    }
    assert {name: round(found, 2) for name, found in best.items() if found < 4.5} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("accent", "accent-soft"),
        ("text", "accent-soft"),
        ("text", "high-soft"),
        ("medium", "medium-soft"),
        ("text", "medium-soft"),
    ],
)
def test_text_can_be_read_on_its_own_ground(scheme: str, text: str, ground: str) -> None:
    assert contrast(colour(text, scheme), colour(ground, scheme)) >= 4.5
