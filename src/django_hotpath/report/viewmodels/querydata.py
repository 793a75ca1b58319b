"""The statements as the page carries them: columns, and what repeats written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django_hotpath.analysis.statements import is_read
from django_hotpath.report.viewmodels import sql
from django_hotpath.report.viewmodels.querycolumns import Columns, numbered, present
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


def packed(
    made: Columns,
    frames: Sequence[Mapping[str, Any]],
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
    ``groups`` has columns in the same way, ``site`` numbers ``sites``.
    """
    texts, of_text = numbered(made.sql)
    params, of_params = numbered(map(params_text, made.params))
    stacks, of_stack = numbered([tuple(stack or ()) for stack in made.stack])
    starts = [round(at * 100) for at in made.start_ms]
    columns: dict[str, list[Any]] = {
        "group": made.group,
        "sql": of_text,
        "start": [at - before for at, before in zip(starts, [0, *starts], strict=False)],
        "took": [round(took * 1000) for took in made.duration_ms],
        "fetch": [None if fetch is None else round(fetch * 1000) for fetch in made.fetch_ms],
        "rows": made.rows,
        "params": of_params,
        "stack": of_stack,
        "bits": [
            (MANY if many else 0) + (TRANSACTION if transaction else 0)
            for many, transaction in zip(made.many, made.transaction, strict=True)
        ],
    }
    if made.index != list(range(len(made))):
        # Else the place of a statement says it.
        columns["index"] = made.index
    named, of_finding = numbered(one for some in found.values() for one in some)
    number = dict(zip((one for some in found.values() for one in some), of_finding, strict=True))
    return {
        "count": len(made),
        "span": round(span, 3),
        "total": round(total, 4),
        "slow": slow_ms,
        "texts": _short_and_full(texts),
        "kinds": "".join(map(kind_of, texts)),
        "params": params,
        "frames": [packed_site(frame(entry)) for entry in frames],
        "stacks": stacks,
        "sites": [packed_site(site(place)) for place in made.sites],
        "groups": {
            "count": len(made.firsts),
            "site": _once([made.site[first] for first in made.firsts]),
            "alias": _once([made.alias[first] for first in made.firsts]),
        },
        "columns": {name: _once(values) for name, values in columns.items()},
        # By the place of a statement.
        "same": dict(present(made.duplicate_of)),
        "cut": {place: length for place, length in present(made.cut) if length},
        "errors": {
            place: text for place, error in present(made.error) if (text := error_text(error))
        },
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


def _once(values: list[Any]) -> Any:
    """One value for all where all are equal."""
    return values[0] if values and values.count(values[0]) == len(values) else values


def kind_of(text: str) -> str:
    """Whether a statement reads, writes, or does something else: a transaction, a setting."""
    if is_read(text):
        return READ
    word = text.lstrip(" (\n\t").partition(" ")[0].upper()
    return WRITE if word in _WRITES else OTHER


def packed_site(place: Site | None) -> list[str] | None:
    return None if place is None else [place.place, place.full, place.function, place.template]


def params_text(params: Sequence[Any] | None) -> str:
    """The parameters, ``BETWEEN`` each two of them; what is too long is cut."""
    if not params:
        return ""
    text = BETWEEN.join(map(str, params))
    return text if len(text) <= PARAMS_LIMIT else text[:PARAMS_LIMIT] + "…"


def error_text(error: Any) -> str:
    if isinstance(error, Mapping):
        return ": ".join(str(error[key]) for key in ("type", "message") if error.get(key))
    return str(error or "")
