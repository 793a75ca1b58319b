"""The plan of a statement, as a tree to read, with what it shows and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from django_hotpath.analysis.findings.base import queries_of
from django_hotpath.analysis.plans import node as kinds
from django_hotpath.analysis.plans.permitted import refusal
from django_hotpath.analysis.plans.problems import KINDS
from django_hotpath.capture import Capture
from django_hotpath.report.formats import count, decimal, ms
from django_hotpath.report.viewmodels import sql

_WORDS = {
    kinds.FULL_SCAN: "whole table",
    kinds.INDEX_SCAN: "whole index",
    kinds.INDEX_SEARCH: "index",
    kinds.SORT: "sort",
    kinds.TEMPORARY: "temporary",
}
_BAD = frozenset({kinds.FULL_SCAN, kinds.SORT, kinds.TEMPORARY})
_ADVICE = {
    "single": "Index",
    "composite": "Composite index",
    "partial": "Partial index",
    "covering": "Covering index",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    operation: str
    word: str
    bad: bool
    figures: str
    filter: str
    children: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class TrialView:
    line: str
    confirmed: bool
    remark: str
    after: Step


@dataclass(frozen=True, kw_only=True)
class AdviceView:
    number: int
    title: str
    why: str
    code: str
    trial: TrialView | None


@dataclass(frozen=True, kw_only=True)
class PlanView:
    at: str
    database: str
    analyze: bool
    ran: str
    steps: tuple[Step, ...]
    remarks: tuple[str, ...]
    findings: tuple[tuple[str, str, str], ...]
    """Severity, title and detail of each."""
    tables: tuple[str, ...]
    advice: tuple[AdviceView, ...]
    notes: tuple[str, ...]
    tries: bool
    """Whether the database can take an index back."""


@dataclass(frozen=True, kw_only=True)
class PlanPage:
    """One statement: ``refused`` says why it is not explained, ``not_run`` why it is not run."""

    index: int
    sql: str
    params: str
    refused: str
    not_run: str
    plan: PlanView | None


def plan_page(capture: Capture, index: int) -> PlanPage:
    """The statement must be one of the capture's."""
    query = next(one for one in queries_of(capture) if one["index"] == index)
    plans = capture.instruments.get("plans") or {}
    entry = plans.get(str(index))
    return PlanPage(
        index=index,
        sql=sql.formatted(str(query["sql"])),
        params=", ".join(query.get("params") or ()),
        refused=refusal(query) or "",
        not_run=refusal(query, run=True) or "",
        plan=_plan(capture, index, entry) if entry else None,
    )


def _plan(capture: Capture, index: int, entry: Mapping[str, Any]) -> PlanView:
    root = entry["plan"]
    # SQLite's root says nothing of its own, unless the statement was run.
    silent = entry["vendor"] == "sqlite" and "rows_actual" not in root
    steps = root.get("children", ()) if silent else (root,)
    ran = entry.get("ran_ms")
    return PlanView(
        at=entry["at"],
        database=entry.get("database", entry["vendor"]),
        analyze=bool(entry.get("analyze")),
        ran="" if ran is None else ms(ran),
        steps=tuple(_step(child) for child in steps),
        remarks=tuple(entry.get("remarks", ())),
        findings=tuple(
            (found.severity, found.title, found.detail)
            for found in capture.findings
            if found.kind in KINDS and index in found.queries
        ),
        tables=tuple(_table(table) for table in entry.get("tables", ())),
        advice=tuple(
            _advice(number, advice) for number, advice in enumerate(entry.get("advice", ()))
        ),
        notes=tuple(entry.get("notes", ())),
        tries=entry["vendor"] != "mysql",
    )


def _step(node: Mapping[str, Any]) -> Step:
    kind = node.get("kind", kinds.OTHER)
    word = _WORDS.get(kind, "")
    if node.get("covering"):
        word = "index alone"
    if node.get("on_disk"):
        word = f"{word} on disc".strip()
    return Step(
        operation=node["operation"],
        word=word,
        bad=kind in _BAD or bool(node.get("on_disk")),
        figures=", ".join(_figures(node)),
        filter=node.get("filter") or "",
        children=tuple(_step(child) for child in node.get("children", ())),
    )


def _figures(node: Mapping[str, Any]) -> list[str]:
    found = []
    if (actual := node.get("rows_actual")) is not None:
        found.append(_rows(actual))
        if (rows := node.get("rows")) is not None:
            found.append(f"expected {count(round(rows))}")
    elif (rows := node.get("rows")) is not None:
        found.append(f"about {_rows(rows)}")
    if node.get("discarded"):
        found.append(f"{count(round(node['discarded']))} thrown away")
    if (loops := node.get("loops") or 1) > 1:
        found.append(f"{count(loops)} times")
    if node.get("ms") is not None:
        found.append(ms(node["ms"]))
    if node.get("cost") is not None:
        found.append(f"cost {decimal(node['cost'], 0 if node['cost'] >= 10 else 1)}")
    return found


def _rows(number: float) -> str:
    whole = round(number) if number >= 1 or number == 0 else number
    text = count(whole) if whole == round(number) else f"{number:.2g}"
    return f"{text} {'row' if whole == 1 else 'rows'}"


def _table(table: Mapping[str, Any]) -> str:
    rows = table.get("rows")
    size = "size unknown" if rows is None else _rows(rows)
    about = "" if table.get("exact") or rows is None else "about "
    model = f" ({table['model']})" if table.get("model") else ""
    return f"{table['name']}{model}: {about}{size}"


def _advice(number: int, advice: Mapping[str, Any]) -> AdviceView:
    names = ", ".join(f"{name}{' ↓' if down else ''}" for name, down in advice["columns"])
    return AdviceView(
        number=number,
        title=f"{_ADVICE.get(advice['kind'], 'Index')} on ({names})",
        why=advice.get("why", ""),
        code=advice["code"],
        trial=_trial(advice["verified"]) if advice.get("verified") else None,
    )


def _trial(trial: Mapping[str, Any]) -> TrialView:
    before, after = median(trial["before_ms"]), median(trial["after_ms"])
    word = "confirmed" if trial["confirmed"] else "not confirmed"
    return TrialView(
        line=f"{_reads(trial['before'])} → {_reads(trial['after'])}, {ms(before)} → {ms(after)}, "
        f"{word}",
        confirmed=bool(trial["confirmed"]),
        remark=f"{trial['remark']} Creating it took {ms(trial['created_ms'])} here.".strip(),
        after=_step(trial["after"]),
    )


def _reads(plan: Mapping[str, Any]) -> str:
    """``SCAN`` or ``SEARCH``, whatever the database calls it."""
    found = set(_kinds(plan))
    for kind, word in (
        (kinds.FULL_SCAN, "SCAN"),
        (kinds.INDEX_SCAN, "INDEX SCAN"),
        (kinds.INDEX_SEARCH, "SEARCH"),
    ):
        if kind in found:
            return word
    return "plan"


def _kinds(plan: Mapping[str, Any]) -> list[str]:
    found = [plan.get("kind", kinds.OTHER)]
    for child in plan.get("children", ()):
        found += _kinds(child)
    return found
