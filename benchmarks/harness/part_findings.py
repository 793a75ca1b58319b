"""The tables of ``findings.py``: what was found, what was said without reason, what advice does."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from harness.finding_tools import HOTPATH, TOOLS, Tool
from harness.outcome import Truth
from harness.tables import MISSING, Table

_HERE = Path(__file__).resolve().parent.parent
_SECONDS = 600

Said = dict[str, dict[str, Any]]

TITLES = {"n_plus_one": "Loops that read", "write_loop": "Loops that write"}


class Score(NamedTuple):
    """Of functions: with a fault and found, with one and missed, without one and accused."""

    found: int
    missed: int
    accused: int

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed)

    @property
    def precision(self) -> float | None:
        """None where nothing was said at all."""
        said = self.found + self.accused
        return self.found / said if said else None


def measure(families: Sequence[str]) -> Truth:
    said: dict[Tool, Said] = {}
    truth = Truth()
    for tool in TOOLS:
        if find_spec(tool.module) is None:
            truth.reasons[tool.package] = "not installed"
            continue
        try:
            said[tool] = _ask(tool, families)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            truth.failed[tool.package] = str(error)
    if said:
        truth.tables.extend([*_in_total(said), _by_family(said)])
    for tool, cases in said.items():
        for name, case in cases.items():
            for error in case.get("errors", ()):
                # A tool that breaks the application is a result; ours must not.
                where = truth.failed if tool is HOTPATH else truth.reasons
                where[f"{tool.package}, {name}"] = error
    if HOTPATH in said:
        truth.tables.append(_advice(said[HOTPATH]))
        truth.tables.append(_particulars(said[HOTPATH]))
    return truth


def _ask(tool: Tool, families: Sequence[str]) -> Said:
    with tempfile.TemporaryDirectory(prefix="hotpath-benchmark-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "harness.finding_worker", tool.key, folder, *families],
            cwd=_HERE,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    found: Said = json.loads(done.stdout.splitlines()[-1])
    return found


def _score(cases: Iterable[dict[str, Any]]) -> Score:
    found = missed = accused = 0
    for case in cases:
        if case["slow"]:
            found += 1
        else:
            missed += 1
        accused += bool(case["fixed"]) + bool(case["silent"])
    return Score(found, missed, accused)


def _in_total(said: dict[Tool, Said]) -> Iterator[Table]:
    """A table for each kind of loop: few tools look for writes at all."""
    for kind, title in TITLES.items():
        of_kind = {
            tool: [case for case in cases.values() if case["kind"] == kind]
            for tool, cases in said.items()
        }
        if any(of_kind.values()):
            yield _total(title, of_kind)


def _total(title: str, said: dict[Tool, list[dict[str, Any]]]) -> Table:
    table = Table(
        title,
        ("", "version", "recall", "precision", "found", "missed", "accused without reason"),
        "Functions. Recall: found of all with a fault. Precision: with a fault of all that were "
        "accused.",
    )
    for tool, cases in said.items():
        score = _score(cases)
        accusable = 2 * len(cases)
        table.add(
            tool.package,
            [
                _version(tool.package),
                _percent(score.recall),
                _percent(score.precision),
                str(score.found),
                str(score.missed),
                f"{score.accused} of {accusable}",
            ],
        )
        table.figures[tool.package] = score._asdict()
    return table


def _by_family(said: dict[Tool, Said]) -> Table:
    table = Table(
        "By family",
        ("", "cases", *(tool.package for tool in said)),
        "Recall and precision.",
    )
    families = dict.fromkeys(case["family"] for case in next(iter(said.values())).values())
    for family in families:
        cells = []
        number = 0
        for tool, cases in said.items():
            of_family = [case for case in cases.values() if case["family"] == family]
            number = len(of_family)
            score = _score(of_family)
            cells.append(f"{_percent(score.recall)}, {_percent(score.precision)}")
            table.figures.setdefault(family, {})[tool.package] = score._asdict()
        table.add(family, [str(number), *cells])
    return table


def _advice(cases: Said) -> Table:
    table = Table(
        "Advice to the letter",
        ("", "findings", "can be applied", "reach the predicted count", "could be said, is not"),
        "Each fix is written into a copy of the source, the function run again, its queries "
        "counted and its answer compared.",
    )
    rows = {
        family: [a for case in cases.values() if case["family"] == family for a in case["advice"]]
        for family in dict.fromkeys(case["family"] for case in cases.values())
    }
    rows["all"] = [advice for case in cases.values() for advice in case["advice"]]
    for family, advice in rows.items():
        applied = [found for found in advice if found["edits"]]
        reached = sum(not found["wrong"] for found in applied)
        owed = sum(found["due"] and not found["edits"] for found in advice)
        share = _percent(reached / len(applied)) if applied else MISSING
        table.add(family, [str(len(advice)), str(len(applied)), f"{reached} ({share})", str(owed)])
        table.figures[family] = {
            "findings": len(advice),
            "applied": len(applied),
            "reached": reached,
            "owed": owed,
        }
    return table


def _particulars(cases: Said) -> Table:
    table = Table(
        "Ours in every particular",
        ("", "what differs"),
        "Relation, line that reads, line of the queryset, number of queries, means: as labelled.",
    )
    right = 0
    for name, case in cases.items():
        differences = [*case["wrong"], *(text for a in case["advice"] for text in a["wrong"])]
        right += not differences
        if differences:
            table.add(name, ["; ".join(differences)])
            table.figures[name] = {"differs": differences}
    table.add("right", [f"{right} of {len(cases)}"])
    table.figures["right"] = {"right": right, "of": len(cases)}
    return table


def _percent(share: float | None) -> str:
    return MISSING if share is None else f"{100 * share:.0f} %"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return MISSING
