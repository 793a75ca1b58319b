"""The statements as the page carries them: columns, and what repeats written once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django_hotpath.analysis.statements import is_read
from django_hotpath.report.viewmodels import sql
from django_hotpath.report.viewmodels.sites import Site, frame, site

TEXT_BUDGET = 2_000_000
"""Characters of full SQL in a page; beyond it a statement is one short line."""
PARAMS_LIMIT = 2_000
BETWEEN = "\x1f"
"""Between two parameters: none holds it, as texts are kept as Python writes them."""

MANY, TRANSACTION = 1, 2
READ, WRITE, OTHER = "r", "w", "o"
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "TRUNCATE", "COPY", "WITH"})

KINDS = {
    "n_plus_one": "N+1",
    "duplicate_query": "asked again",
    "slow_query": "slow",
    "write_loop": "writes in a loop",
    "full_scan": "full scan",
    "temporary_table": "temporary table",
    "join_duplicates": "rows multiplied",
    "unused_eager_load": "loaded for nothing",
    "unused_columns": "unused columns",
}

Key = TypeVar("Key", bound=Hashable)
Statements = Sequence[Mapping[str, Any]]


def numbered(values: Iterable[Key]) -> tuple[list[Key], list[int]]:
    """Each value once, in the order in which they come; and the number of each."""
    numbers: dict[Key, int] = {}
    found = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), found


def packed(
    statements: Statements,
    frames: Sequence[Mapping[str, Any]],
    groups: Sequence[Statements],
    group_of: Mapping[int, int],
    found: Mapping[int, Sequence[tuple[int, str, str]]],
    *,
    span: float,
    total: float,
    slow_ms: float,
) -> dict[str, Any]:
    """What ``statements.js`` reads.

    ``columns`` has a list for each figure, one entry a statement, or one value where all are
    equal: ``start`` counts from the statement before in hundredths of a millisecond, ``took`` and
    ``fetch`` are microseconds, ``sql``, ``params``, ``stack`` and ``group`` number rows of the
    tables beside it, ``bits`` are ``MANY`` and ``TRANSACTION``. ``kinds`` has a letter a text.
    """
    texts, of_text = numbered(str(query["sql"]) for query in statements)
    params, of_params = numbered(map(params_text, statements))
    stacks, of_stack = numbered(tuple(query.get("stack") or ()) for query in statements)
    starts = [round(query["start_ms"] * 100) for query in statements]
    fetches = [query.get("fetch_ms") for query in statements]
    indexes = [query["index"] for query in statements]
    columns: dict[str, list[Any]] = {
        "group": [group_of[index] for index in indexes],
        "sql": of_text,
        "start": [at - before for at, before in zip(starts, [0, *starts], strict=False)],
        "took": [round(query["duration_ms"] * 1000) for query in statements],
        "fetch": [None if fetch is None else round(fetch * 1000) for fetch in fetches],
        "rows": [query.get("rows") for query in statements],
        "params": of_params,
        "stack": of_stack,
        "bits": [
            MANY * bool(query.get("many")) + TRANSACTION * bool(query.get("transaction"))
            for query in statements
        ],
    }
    if indexes != list(range(len(statements))):
        # Else the place of a statement says it.
        columns["index"] = indexes
    named, of_finding = numbered(one for some in found.values() for one in some)
    number = dict(zip((one for some in found.values() for one in some), of_finding, strict=True))
    return {
        "count": len(statements),
        "span": round(span, 3),
        "total": round(total, 4),
        "slow": slow_ms,
        "texts": _short_and_full(texts),
        "kinds": "".join(map(kind_of, texts)),
        "params": params,
        "frames": [packed_site(frame(entry)) for entry in frames],
        "stacks": stacks,
        "groups": [
            [packed_site(site(members[0].get("call_site"))), str(members[0].get("alias", ""))]
            for members in groups
        ],
        "columns": {
            name: values[0] if values and values.count(values[0]) == len(values) else values
            for name, values in columns.items()
        },
        "same": dict(_places(statements, lambda query: query.get("duplicate_of"))),
        "cut": dict(_places(statements, lambda query: query.get("sql_truncated") or None)),
        "errors": dict(_places(statements, lambda query: error_text(query) or None)),
        "marks": {key: [number[one] for one in some] for key, some in found.items()},
        "findings": named,
    }


def _short_and_full(texts: Sequence[str]) -> list[list[str]]:
    """Each as ``[short, full]``; one of them where that is enough, or there is no room for more."""
    left = TEXT_BUDGET
    found = []
    for text in texts:
        short = sql.short(text)
        left -= len(text)
        found.append([short] if left < 0 or short == text else [short, text])
    return found


def _places(
    statements: Statements, value: Callable[[Mapping[str, Any]], Any]
) -> Iterator[tuple[int, Any]]:
    """What few statements have, by their place."""
    for place, query in enumerate(statements):
        if (found := value(query)) is not None:
            yield place, found


def kind_of(text: str) -> str:
    """Whether a statement reads, writes, or does something else: a transaction, a setting."""
    if is_read(text):
        return READ
    word = text.lstrip(" (\n\t").partition(" ")[0].upper()
    return WRITE if word in _WRITES else OTHER


def packed_site(place: Site | None) -> list[str] | None:
    return None if place is None else [place.place, place.full, place.function, place.template]


def params_text(query: Mapping[str, Any]) -> str:
    """The parameters, ``BETWEEN`` each two of them; what is too long is cut."""
    params = query.get("params")
    if not params:
        return ""
    text = BETWEEN.join(str(value) for value in params)
    return text if len(text) <= PARAMS_LIMIT else text[:PARAMS_LIMIT] + "…"


def error_text(query: Mapping[str, Any]) -> str:
    error = query.get("error")
    if isinstance(error, Mapping):
        return ": ".join(str(error[key]) for key in ("type", "message") if error.get(key))
    return str(error or "")
