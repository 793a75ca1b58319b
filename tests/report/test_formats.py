from __future__ import annotations

import math

import pytest

from django_hotpath.analysis.paths import short_path
from django_hotpath.report import formats
from django_hotpath.report.formats import MINUS, MISSING, NBSP, THIN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (0.0042, "0.004 ms"),
        (0.425, "0.42 ms"),
        (9.994, "9.99 ms"),
        (9.996, "10.0 ms"),
        (42.14, "42.1 ms"),
        (412.4, "412 ms"),
        (4120, "4_120 ms"),
        (12_345, "12.3 s"),
    ],
)
def test_milliseconds_keep_the_digits_that_matter(value: float, text: str) -> None:
    assert formats.ms(value) == text.replace(" ", NBSP).replace("_", THIN)


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_was_not_measured_is_a_dash_and_not_a_zero(value: float | None) -> None:
    assert formats.ms(value) == formats.count(value) == formats.byte_size(value) == MISSING


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (1023, "+1_023 B"), (1536, "+1.50 KiB"), (-3_400_000, "-3.24 MiB")],
)
def test_growth_has_a_sign_and_a_binary_unit(value: int, text: str) -> None:
    expected = text.replace(" ", NBSP).replace("_", THIN).replace("-", MINUS)
    assert formats.byte_size(value, signed=True) == expected


def test_a_little_is_never_shown_as_nothing() -> None:
    assert formats.percent(0.0001).startswith("<")
    assert formats.percent(0) == f"0.0{NBSP}%"


@pytest.mark.parametrize("values", [[1, 1, 1], [0.1] * 7, [99.99, 0.01], [5], [1, 2, 4, 8, 1e-9]])
def test_rounded_percentages_add_up_to_100(values: list[float]) -> None:
    assert round(sum(formats.round_to_total(values)), 6) == 100


def test_percentages_of_nothing_are_zero() -> None:
    assert formats.round_to_total([0, 0]) == [0, 0]


@pytest.mark.parametrize(
    ("path", "short"),
    [
        (
            "/venv/lib/python3.13/site-packages/django/db/query.py",
            "django/db/query.py",
        ),
        ("/usr/lib/python3.13/json/encoder.py", "json/encoder.py"),
        (r"C:\venv\Lib\site-packages\django\views.py", "django/views.py"),
        ("shop/views.py", "shop/views.py"),
        ("", ""),
    ],
)
def test_paths_lose_the_folders_that_every_library_shares(path: str, short: str) -> None:
    assert short_path(path) == short
