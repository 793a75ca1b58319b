"""Each rule about what was fetched for nothing, on captures of real functions."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from django_hotpath.analysis.edits import apply_edits
from django_hotpath.capture import Capture, Finding
from tests.analysis import over_fetching_cases as cases
from tests.recording import recording

pytestmark = pytest.mark.django_db

FILE = Path(cases.__file__)
SOURCE = FILE.read_text()
KINDS = {"unused_eager_load", "unused_columns", "unread_rows", "join_duplicates"}

# The stem of the names -> what the slow one shows.
FOUND = {
    "joined": ("unused_eager_load", "Book.author"),
    "prefetched": ("unused_eager_load", "Author.books"),
    "forward": ("unused_eager_load", "Book.author"),
    "nested": ("unused_eager_load", "Customer.company"),
    "deep": ("unused_eager_load", "Customer.orders"),
    "earlier_line": ("unused_eager_load", "Book.author"),
    "template": ("unused_eager_load", "Book.author"),
    "view": ("unused_eager_load", "Book.author"),
    "columns": ("unused_columns", None),
    "joined_columns": ("unused_columns", None),
    "below": ("unused_columns", None),
    "related": ("unused_columns", None),
    "rows": ("unread_rows", None),
    "copies": ("join_duplicates", "Book.author"),
    "copies_below": ("join_duplicates", "Customer.company"),
}
SILENT = [name for name in vars(cases) if name.endswith("_silent")]
# They do read too few columns, or join copies.
SILENT_ABOUT_RELATIONS = {
    "pickled_silent",
    "copied_silent",
    "two_callers_silent",
    "detail_silent",
    "to_attr_silent",
}
# What is left to say after the fix is another matter.
REWRITTEN = [stem for stem in FOUND if stem != "rows"]


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    cases.fill()


def captured(name: str, module: Any = cases) -> tuple[Any, Capture]:
    with recording("queries", "usage") as run:
        answer = getattr(module, name)()
    assert run.capture.environment.warnings == ()
    return answer, run.capture


def of_kind(capture: Capture, kind: str) -> list[Finding]:
    return [finding for finding in capture.findings if finding.kind == kind]


def shown(capture: Capture) -> list[str]:
    return [f"{found.kind}: {found.title}" for found in capture.findings if found.kind in KINDS]


def origin_line(name: str) -> int:
    lines = SOURCE.splitlines()
    begin = lines.index(f"def {name}() -> Any:")
    return next(n for n in range(begin, len(lines)) if lines[n].endswith("# origin")) + 1


@pytest.mark.parametrize("stem", FOUND)
def test_positive(stem: str) -> None:
    kind, relation = FOUND[stem]
    _answer, capture = captured(f"{stem}_slow")
    (finding,) = of_kind(capture, kind)
    assert finding.relation == relation
    assert finding.severity == "low"
    assert finding.origin is not None
    assert finding.origin.file == "tests/analysis/over_fetching_cases.py"
    if stem != "view":
        assert finding.origin.line == origin_line(f"{stem}_slow")


@pytest.mark.parametrize("stem", FOUND)
def test_fixed(stem: str) -> None:
    slow, _capture = captured(f"{stem}_slow")
    fixed, capture = captured(f"{stem}_fixed")
    assert fixed == slow
    assert of_kind(capture, FOUND[stem][0]) == []


@pytest.mark.parametrize("name", SILENT)
def test_false_positive(name: str) -> None:
    _answer, capture = captured(name)
    kinds = {FOUND[name.removesuffix("_silent")][0]} if name[:-7] in FOUND else KINDS
    if name in SILENT_ABOUT_RELATIONS:
        kinds = {"unused_eager_load"}
    assert [found for found in shown(capture) if found.partition(":")[0] in kinds] == []


@pytest.mark.parametrize("stem", REWRITTEN)
def test_the_advice_to_the_letter(stem: str) -> None:
    kind = FOUND[stem][0]
    slow, before = captured(f"{stem}_slow")
    (finding,) = of_kind(before, kind)
    assert finding.fix is not None
    assert finding.fix.edits
    module = rewritten(finding)
    answer, after = captured(f"{stem}_slow", module)
    assert answer == slow
    assert of_kind(after, kind) == []
    assert finding.fix.predicted is not None
    assert finding.fix.predicted.queries == (
        before.instruments["queries"]["count"],
        after.instruments["queries"]["count"],
    )


def rewritten(finding: Finding) -> ModuleType:
    """The module of the cases with the fix in it."""
    assert finding.fix is not None
    source = apply_edits(SOURCE, finding.fix.edits, finding.fix.imports)
    module = ModuleType("over_fetching_rewritten")
    module.__file__ = str(FILE)
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, str(FILE), "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module


@pytest.mark.parametrize("stem", ["joined", "columns", "below", "copies_below"])
def test_the_code_to_paste_is_the_edit(stem: str) -> None:
    _answer, capture = captured(f"{stem}_slow")
    (finding,) = of_kind(capture, FOUND[stem][0])
    assert finding.fix is not None
    assert finding.fix.code is not None
    source = apply_edits(SOURCE, finding.fix.edits)
    assert f"= {finding.fix.code}" in source


def test_rows_that_stand_together_are_named() -> None:
    _answer, capture = captured("rows_slow")
    (finding,) = of_kind(capture, "unread_rows")
    assert finding.fix is not None
    assert finding.fix.code == 'Book.objects.order_by("pk")[:10]'
    assert finding.title == "120 rows of Book fetched, 10 looked at"
    assert finding.count == 110
