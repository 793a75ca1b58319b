"""The conditions of a WHERE or ON that an index could serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django_hotpath.analysis.plans.span import Span

EQUAL = "equal"
IN = "in"
RANGE = "range"
NULL = "null"
NOT_NULL = "not null"
JOIN = "join"

_EQUAL = frozenset({"=", "==", "<=>"})
_RANGES = frozenset({"<", ">", "<=", ">="})
_CONSTANTS = {"TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class Ref:
    """A column, and the name of the table that it is qualified with."""

    table: str
    column: str


@dataclass(frozen=True, kw_only=True)
class Value:
    """``slot`` is the number of the placeholder; otherwise ``literal`` is the constant."""

    slot: int | None = None
    literal: str | float | bool | None = None


@dataclass(frozen=True, kw_only=True)
class Condition:
    """``kind`` is ``equal`` and ``join`` (to the column ``other``), ``in``, ``range``, ..."""

    column: Ref
    kind: str
    value: Value | None = None
    other: Ref | None = None


def conditions(span: Span, only: str | None) -> tuple[list[Condition], int]:
    """The conditions that must all hold, and how many more there are that are not plain.

    ``only`` is the table of columns without one; None where that is not certain.
    """
    found: list[Condition] = []
    unread = 0
    for part in _conjuncts(span):
        atoms = _atom(part, only)
        found += atoms
        unread += not atoms
    return found, unread


def reference(span: Span, only: str | None) -> Ref | None:
    """The column, if the span is one and nothing else."""
    span = span.bare()
    if not len(span) or any(span.cast_after(at) for at in span.indexes()):
        return None
    names = list(range(span.start, span.end, 2))
    if len(span) % 2 == 0 or not all(span.is_name(at) for at in names):
        return None
    if any(span.text(at) != "." for at in range(span.start + 1, span.end, 2)):
        return None
    column = span.name(names[-1])
    if len(names) > 1:
        return Ref(span.name(names[-2]), column)
    if only is None or column.upper() in _CONSTANTS or _is_clock(column):
        return None
    return Ref(only, column)


def _is_clock(name: str) -> bool:
    return name.upper().startswith(("CURRENT_", "LOCALTIME"))


def _conjuncts(span: Span) -> Iterator[Span]:
    span = span.bare()
    if any(span.word(at) == "OR" for at in span.top()):
        yield span
        return
    begin, between, split = span.start, False, False
    for at in span.top():
        word = span.word(at)
        if word == "BETWEEN":
            between = True
        elif word == "AND":
            if between:
                between = False
                continue
            split = True
            yield from _conjuncts(span.part(begin, at))
            begin = at + 1
    if split:
        yield from _conjuncts(span.part(begin, span.end))
    else:
        yield span


def _atom(span: Span, only: str | None) -> list[Condition]:
    """The condition as one of a column; for ``a.x = b.y`` one of each."""
    if column := reference(span, only):
        return [Condition(column=column, kind=EQUAL, value=Value(literal=True))]
    if span.word(span.start) == "NOT":
        inner = reference(span.part(span.start + 1, span.end), only)
        return [Condition(column=inner, kind=EQUAL, value=Value(literal=False))] if inner else []
    for at in span.top():
        text, kind = span.text(at), span.kind(at)
        if kind != "compare" and span.word(at) not in {"IS", "IN", "BETWEEN", "LIKE", "NOT"}:
            continue
        left, right = span.part(span.start, at), span.part(at + 1, span.end)
        if kind == "compare":
            return _comparison(left, text, right, only)
        found = reference(left, only)
        return [] if found is None else _keyword(found, text, right)
    return []


def _comparison(left: Span, operator: str, right: Span, only: str | None) -> list[Condition]:
    kind = EQUAL if operator in _EQUAL else RANGE if operator in _RANGES else None
    if kind is None:
        return []
    here, there = reference(left, only), reference(right, only)
    if here and there:
        if kind == RANGE or here.table == there.table:
            return []
        return [
            Condition(column=here, kind=JOIN, other=there),
            Condition(column=there, kind=JOIN, other=here),
        ]
    column, value = (here, _value(right)) if here else (there, _value(left))
    if column is None or value is None:
        return []
    return [Condition(column=column, kind=kind, value=value)]


def _keyword(column: Ref, word: str, right: Span) -> list[Condition]:
    words = [right.word(at) for at in right.indexes()]
    if word == "IS" and words == ["NULL"]:
        return [Condition(column=column, kind=NULL)]
    if word == "IS" and words == ["NOT", "NULL"]:
        return [Condition(column=column, kind=NOT_NULL)]
    if (
        word == "IN"
        and right.text(right.start) == "("
        and right.close(right.start) == right.end - 1
    ):
        values = [_value(part) for part in right.part(right.start + 1, right.end - 1).split(",")]
        if not values or any(value is None for value in values):
            return []
        if len(values) == 1:
            return [Condition(column=column, kind=EQUAL, value=values[0])]
        return [Condition(column=column, kind=IN)]
    if word == "BETWEEN":
        bounds = right.split("AND")
        if len(bounds) == 2 and all(_value(bound) is not None for bound in bounds):
            return [Condition(column=column, kind=RANGE)]
    return []


def _value(span: Span) -> Value | None:
    """A placeholder or a constant; None for anything else."""
    span = span.bare()
    start = span.start
    if len(span) == 2 and span.text(start) == "-" and span.kind(start + 1) == "number":
        number = _number(span.text(start + 1))
        return None if number is None else Value(literal=-number)
    if len(span) != 1:
        return None
    kind, text = span.kind(start), span.text(start)
    if kind == "slot":
        return Value(slot=span.slot(start))
    if kind == "string" and text[0] == "'":
        return Value(literal=text[1:-1].replace("''", "'"))
    if kind == "number":
        number = _number(text)
        return None if number is None else Value(literal=number)
    if kind == "name" and text.upper() in _CONSTANTS:
        return Value(literal=_CONSTANTS[text.upper()])
    return None


def _number(text: str) -> float | None:
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return None
