"""The statements as the page carries them: columns, and what repeats written once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

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


class _Table(Generic[Key]):
    """Numbers things in the order in which they come, each once."""

    def __init__(self, write: Callable[[Key], Any]) -> None:
        self.rows: list[Any] = []
        self._write = write
        self._numbers: dict[Key, int] = {}

    def number(self, key: Key) -> int:
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.rows)
            self.rows.append(self._write(key))
        return found


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
    texts = _Table[str](_Texts())
    params = _Table[str](str)
    stacks = _Table[tuple[int, ...]](list)
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("index", "group", "sql", "start", "took", "fetch", "rows", "params", "stack")
    }
    bits: list[int] = []
    before = 0
    for query in statements:
        start = round(query["start_ms"] * 100)
        fetch = query.get("fetch_ms")
        columns["index"].append(query["index"])
        columns["group"].append(group_of[query["index"]])
        columns["sql"].append(texts.number(str(query["sql"])))
        columns["start"].append(start - before)
        columns["took"].append(round(query["duration_ms"] * 1000))
        columns["fetch"].append(None if fetch is None else round(fetch * 1000))
        columns["rows"].append(query.get("rows"))
        columns["params"].append(params.number(params_text(query)))
        columns["stack"].append(stacks.number(tuple(query.get("stack") or ())))
        bits.append(MANY * bool(query.get("many")) + TRANSACTION * bool(query.get("transaction")))
        before = start
    if columns["index"] == list(range(len(statements))):
        # The place of a statement says it.
        del columns["index"]
    named = _Table[tuple[int, str, str]](list)
    return {
        "count": len(statements),
        "span": round(span, 3),
        "total": round(total, 4),
        "slow": slow_ms,
        "texts": texts.rows,
        "kinds": "".join(kind_of(row[-1]) for row in texts.rows),
        "params": params.rows,
        "frames": [packed_site(frame(entry)) for entry in frames],
        "stacks": stacks.rows,
        "groups": [
            [packed_site(site(members[0].get("call_site"))), str(members[0].get("alias", ""))]
            for members in groups
        ],
        "columns": {
            name: values[0] if values and values.count(values[0]) == len(values) else values
            for name, values in {**columns, "bits": bits}.items()
        },
        "same": dict(_places(statements, lambda query: query.get("duplicate_of"))),
        "cut": dict(_places(statements, lambda query: query.get("sql_truncated") or None)),
        "errors": dict(_places(statements, lambda query: error_text(query) or None)),
        "marks": {key: [named.number(one) for one in some] for key, some in found.items()},
        "findings": named.rows,
    }


class _Texts:
    """A statement as ``[short, full]``; one of them where that is enough."""

    def __init__(self) -> None:
        self.left = TEXT_BUDGET

    def __call__(self, text: str) -> list[str]:
        short = sql.short(text)
        self.left -= len(text)
        return [short] if self.left < 0 or short == text else [short, text]


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
