"""Every labelled case: found with its lines, gone when fixed, silent where it must be."""

from __future__ import annotations

import ast

import pytest

from tests.findings.applying import apply_and_count
from tests.findings.case import Case, Expected
from tests.findings.judging import describe, judge
from tests.findings.running import ALIASES, Ran, run
from tests.findings.spots import CASES as FOLDER
from tests.findings.spots import ROOT
from tests.findings.table import CASES, TABLE
from tests.library.rows import fill

pytestmark = pytest.mark.database

# What a function without a fault must not be accused of.
ACCUSATIONS = (
    "n_plus_one",
    "write_loop",
    "duplicate_query",
    "count_for_exists",
    "len_for_count",
    "sum_for_aggregate",
)


def _marked(case: Case) -> pytest.MarkDecorator:
    return pytest.mark.django_db(databases=ALIASES, transaction=case.committed)


ALL = [pytest.param(case, marks=_marked(case), id=case.id) for case in CASES]
ADVICE = [
    pytest.param(case, expected, marks=_marked(case), id=f"{case.id}-{expected.relation}")
    for case in CASES
    for expected in case.expected
]


def _run(case: Case, variant: str) -> Ran:
    for alias in ALIASES if case.two_databases else ALIASES[:1]:
        fill(alias)
    return run(case.function(variant))


def _assert_silent(ran: Ran) -> None:
    said = [describe(finding) for kind in ACCUSATIONS for finding in ran.found(kind)]
    assert not said, "; ".join(said)


@pytest.mark.parametrize("case", ALL)
def test_found(case: Case) -> None:
    ran = _run(case, "slow")
    assert ran.count == case.before
    wrong = judge(case, ran).wrong
    assert not wrong, "; ".join(wrong)


@pytest.mark.parametrize("case", ALL)
def test_gone_when_fixed(case: Case) -> None:
    slow = _run(case, "slow")
    fixed = run(case.function("fixed"))
    assert fixed.answer == slow.answer
    assert fixed.count == case.after
    _assert_silent(fixed)


@pytest.mark.parametrize("case", ALL)
def test_silent_on_what_looks_like_it(case: Case) -> None:
    _assert_silent(_run(case, "silent"))


@pytest.mark.parametrize(("case", "expected"), ADVICE)
def test_advice_to_the_letter_reaches_the_predicted_count(case: Case, expected: Expected) -> None:
    ran = _run(case, "slow")
    pairs = judge(case, ran).pairs
    (finding,) = [found for wanted, found in pairs if wanted is expected]
    assert finding is not None, f"not found: {expected.relation}"
    assert finding.fix is not None
    if not expected.edits and not finding.fix.edits:
        # Words, where the label says that the source allows no more. Edits must hold all the same.
        assert finding.fix.summary
        return
    applied = apply_and_count(case, finding, ran)
    assert not applied.wrong, "; ".join(applied.wrong)


def test_every_function_of_the_cases_has_its_label() -> None:
    labelled = {f"{case.id}_{variant}" for case in CASES for variant in ("slow", "fixed", "silent")}
    written = {
        f"{path.stem}.{node.name}"
        for path in (ROOT / FOLDER).glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.rpartition("_")[2] in {"slow", "fixed", "silent"}
    }
    assert written == labelled


def test_every_module_has_cases_of_its_own_name() -> None:
    assert len({case.id for case in CASES}) == len(CASES) == sum(map(len, TABLE.values()))
