"""Parameters as text, and as something to compare."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from django_hotpath.plain import describe_value, identity


class Int4(int):
    """As psycopg has them: a number of a class of its own."""

    def __str__(self) -> str:
        raise AssertionError("a method of the class ran")

    __repr__ = __pos__ = __int__ = __index__ = __eq__ = __hash__ = __str__  # type: ignore[assignment]


class Float8(float):
    __str__ = __repr__ = __pos__ = __float__ = Int4.__str__  # type: ignore[assignment]


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "text"),
    [(Int4(7), "7"), (Float8(1.5), "1.5"), (Level.HIGH, "3"), (True, "True")],
    ids=["int", "float", "enum", "bool"],
)
def test_numbers_of_a_class_of_their_own_are_shown(value: Any, text: str) -> None:
    assert describe_value(value) == text


def test_they_are_equal_when_the_numbers_are() -> None:
    assert identity(Int4(7)) == identity(Int4(7))
    assert identity([Float8(1.5)]) == identity([Float8(1.5)])
    assert identity(Int4(7)) != identity(Int4(8))
    assert identity(Int4(1)) != identity(True)


def test_any_other_object_is_its_type_and_like_itself_alone() -> None:
    one, other = object(), object()
    assert describe_value(one) == "<builtins.object>"
    assert identity(one) == identity(one) != identity(other)
