"""That the benchmark of findings runs, and that its figures are those of the labels."""

from __future__ import annotations

from tests.benchmarks.running import row, run, table
from tests.findings.table import TABLE

FAMILY = "forward"


def test_it_counts_what_is_found_and_what_advice_does() -> None:
    printed = run("findings.py", "--only", FAMILY)
    cases = len(TABLE[FAMILY])
    ours = row(printed, "Loops that read", "django-hotpath")
    assert (ours["found"], ours["missed"]) == (str(cases), "0")
    assert ours["accused without reason"] == f"0 of {2 * cases}"
    assert row(printed, "By family", FAMILY)["django-hotpath"] == "100 %, 100 %"
    findings = sum(len(case["expected"]) for case in TABLE[FAMILY])
    advice = row(printed, "Advice to the letter", "all")
    assert advice["reach the predicted count"] == f"{findings} (100 %)"
    (right,) = table(printed, "Ours in every particular")
    assert right["what differs"] == f"{cases} of {cases}"
