"""Explains a statement of a capture, or tries an index on it; the answer is kept in the capture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.analysis.findings.base import Query, queries_of
from django_hotpath.analysis.plans import code
from django_hotpath.analysis.plans.advice import IndexAdvice, Limit
from django_hotpath.analysis.plans.findings import Found, Statement, findings, with_found
from django_hotpath.analysis.plans.permitted import refusal
from django_hotpath.analysis.plans.problems import KINDS, Asked
from django_hotpath.analysis.plans.reading import Block, read
from django_hotpath.analysis.plans.redundant import redundant
from django_hotpath.analysis.plans.tables import Table
from django_hotpath.analysis.sqltokens import tokens
from django_hotpath.capture import SEVERITIES, Capture, Finding
from django_hotpath.explain import facts
from django_hotpath.explain.connection import is_mariadb, product, separate, version
from django_hotpath.explain.errors import ExplainError
from django_hotpath.explain.matching import with_matching
from django_hotpath.explain.parameters import Parameters, parameters
from django_hotpath.explain.running import Answer, run_explain
from django_hotpath.explain.trial import try_on

PLANS = "plans"


@dataclass(frozen=True, kw_only=True)
class _Explained:
    answer: Answer
    blocks: tuple[Block, ...]
    tables: Mapping[str, Table]


def explain_query(capture: Capture, index: int, *, analyze: bool = False) -> Capture:
    """The capture with the plan of this statement and what the plan shows.

    The plan is in ``instruments["plans"]``, by the index of the statement as text; its findings are
    among the capture's. Raises ``ExplainError``; the capture given is not changed.
    """
    query = _query(capture, index)
    if reason := refusal(query, run=analyze):
        raise ExplainError(reason)
    given = _parameters(query, analyze=analyze)
    sql = str(query["sql"])
    with separate(str(query["alias"])) as connection:
        vendor, name = connection.vendor, product(connection)
        if not given.complete and vendor != "sqlite":
            raise ExplainError(_missing(given, name))
        answer = run_explain(connection, sql, given.values, analyze=analyze)
        blocks = read(sql)
        values = given.by_slot(tokens(sql).keys)
        tables = _tables(connection, answer, blocks)
        if analyze and not (vendor == "postgresql" or is_mariadb(connection)):
            tables = with_matching(connection, tables, blocks, values)
        numbers = version(connection)
    explained = _Explained(answer=answer, blocks=blocks, tables=tables)
    like = _like(capture, query)
    found = findings(
        answer.plan,
        Asked(
            blocks=blocks,
            tables=tables,
            returned=query.get("rows") if answer.returned is None else answer.returned,
        ),
        Statement(
            query=query,
            like=like,
            values=values,
            vendor=vendor,
            version=numbers,
            wall_ms=capture.timing.wall_ms,
        ),
    )
    entry = _entry(explained, found, given, vendor)
    entry["analyze"] = analyze
    entry["database"] = f"{name} {'.'.join(map(str, numbers))}"
    return _kept(capture, query, entry, found, like)


def try_index(capture: Capture, index: int, number: int = 0) -> Capture:
    """The capture with the verdict on one index that the plan of this statement advises.

    The index is created in a transaction, the statement explained and run again, and all of it
    rolled back. The statement must have been explained before. Raises ``ExplainError``.
    """
    query = _query(capture, index)
    entry = _plans(capture).get(str(index))
    if entry is None or not 0 <= number < len(entry.get("advice", ())):
        raise ExplainError("There is no such advice: explain the statement first.")
    if reason := refusal(query, run=True):
        raise ExplainError(reason)
    given = _parameters(query, analyze=True)
    advice = _advice(entry["advice"][number])
    trial = try_on(str(query["alias"]), str(query["sql"]), given.values, advice)
    changed = [dict(one) for one in entry["advice"]]
    changed[number]["verified"] = trial.to_dict()
    plans = {**_plans(capture), str(index): {**entry, "advice": changed}}
    verdict = trial.verified(capture.instruments["queries"]["count"])
    fixes = changed[number]["code"]
    return replace(
        capture,
        instruments={**capture.instruments, PLANS: plans},
        findings=tuple(
            replace(finding, verified=verdict)
            if finding.fix is not None
            and finding.fix.kind == "index"
            and finding.fix.code == fixes
            and index in finding.queries
            else finding
            for finding in capture.findings
        ),
    )


def merged(capture: Capture, done: Capture, index: int) -> Capture:
    """``capture`` with what ``done`` says of this statement; all else stays as it is there."""
    query = _query(capture, index)
    like = frozenset(one["index"] for one in _like(capture, query))
    kept = [one for one in capture.findings if not _is_of(one, like)]
    new = [one for one in done.findings if _is_of(one, like)]
    plans = {**_plans(capture), str(index): _plans(done)[str(index)]}
    return replace(
        capture,
        instruments={**capture.instruments, PLANS: plans},
        findings=tuple(sorted([*kept, *new], key=_importance)),
    )


def _is_of(finding: Finding, queries: frozenset[int]) -> bool:
    """Whether the finding is one that a plan of these statements showed."""
    return finding.kind in KINDS and not queries.isdisjoint(finding.queries)


def _plans(capture: Capture) -> dict[str, Any]:
    found = capture.instruments.get(PLANS)
    return dict(found) if isinstance(found, Mapping) else {}


def _query(capture: Capture, index: int) -> Query:
    for query in queries_of(capture):
        if query["index"] == index:
            return query
    raise ExplainError(f"The capture has no statement #{index}.")


def _like(capture: Capture, query: Query) -> list[Query]:
    """The statements that differ from this one in literals only, and come from its line."""

    def place(one: Query) -> tuple[Any, ...]:
        site = one.get("call_site") or {}
        return (one.get("alias"), one["fingerprint"], site.get("file"), site.get("line"))

    return [one for one in queries_of(capture) if place(one) == place(query)]


def _parameters(query: Query, *, analyze: bool) -> Parameters:
    given = parameters(query)
    if given.unusable:
        raise ExplainError(given.unusable)
    if analyze and not given.complete:
        raise ExplainError(_missing(given, "ANALYZE"))
    return given


def _missing(given: Parameters, who: str) -> str:
    if not given.missing:
        return (
            f"A constant in its text is masked, so that the plan would be of another statement: "
            f"{who} needs the value."
        )
    count = len(given.missing)
    which = ", ".join(dict.fromkeys(given.missing))
    return (
        f"{count} of its parameters {'is' if count == 1 else 'are'} not held in the capture "
        f"({which}); {who} needs every value, for the plan depends on it."
    )


def _tables(
    connection: BaseDatabaseWrapper, answer: Answer, blocks: Sequence[Block]
) -> dict[str, Table]:
    names = [table for block in blocks for table in block.tables.values()]
    names += [step.table for step in answer.plan.walk() if step.table]
    return facts.gather(connection, names)


def _entry(
    explained: _Explained, found: Sequence[Found], given: Parameters, vendor: str
) -> dict[str, Any]:
    answer = explained.answer
    unknown = len(given.missing)
    remarks = []
    if unknown:
        remarks.append(
            f"{unknown} {'value was' if unknown == 1 else 'values were'} not held in the capture "
            f"({', '.join(dict.fromkeys(given.missing))}): explained with NULL instead, so that "
            "the plan may differ."
        )
    if given.masked:
        remarks.append("A constant in its text is masked: the plan may differ.")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "vendor": vendor,
        "plan": answer.plan.to_dict(),
        "ran_ms": answer.ran_ms,
        "remarks": remarks,
        "tables": [
            {
                "name": table.name,
                "rows": table.rows,
                "exact": table.rows_exact,
                "model": table.model.label if table.model else table.library,
            }
            for table in explained.tables.values()
        ],
        "advice": [
            {
                **asdict(advice),
                "name": code.index_name(advice),
                "code": code.code(advice, one.table, vendor),
            }
            for one in found
            for advice in one.advice
            if one.table is not None
        ],
        "notes": [
            sentence
            for table in explained.tables.values()
            if table.model is not None
            for sentence in redundant(table)
        ],
        "problems": len(found),
    }


def _advice(entry: Mapping[str, Any]) -> IndexAdvice:
    return IndexAdvice(
        table=entry["table"],
        columns=tuple((str(column), bool(down)) for column, down in entry["columns"]),
        kind=entry["kind"],
        condition=tuple(Limit(**limit) for limit in entry.get("condition", ())),
        include=tuple(entry.get("include", ())),
        why=entry.get("why", ""),
    )


def _kept(
    capture: Capture,
    query: Query,
    entry: dict[str, Any],
    found: Sequence[Found],
    like: Sequence[Query],
) -> Capture:
    everything = with_found(capture.findings, found, frozenset(one["index"] for one in like))
    plans = {**_plans(capture), str(query["index"]): entry}
    return replace(
        capture,
        instruments={**capture.instruments, PLANS: plans},
        findings=tuple(sorted(everything, key=_importance)),
    )


def _importance(finding: Finding) -> tuple[int, float]:
    return (SEVERITIES.index(finding.severity), -finding.cost_ms)
