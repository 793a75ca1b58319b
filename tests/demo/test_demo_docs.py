"""The page of the docs that `examples_doc` writes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from examples import docs_page
from examples.docs_page import Row, figure, page, ratio
from examples.families import EXAMPLES
from examples.registry import Signal

WRITTEN = Path(__file__).parents[2] / "docs/explanation/examples.md"


def comparison(outcome: str, change: float | None = None, *ends: float) -> Any:
    low, high = ends or (None, None)
    time = SimpleNamespace(outcome=outcome, change=change, change_low=low, change_high=high)
    return SimpleNamespace(outcome=outcome, time=lambda name: time)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (comparison("less", -0.9, -0.92, -0.8), "10.0x faster (5.0 to 12.5)"),
        (comparison("more", 0.5, 0.2, 1.0), "1.50x slower (1.20 to 2.00)"),
        (comparison("same", 0.01, -0.02, 0.03), "no difference"),
        (comparison("unclear", 0.5, -0.9, 3.0), "cannot tell"),
        (comparison("too_few"), "cannot tell"),
    ],
)
def test_a_time_is_a_ratio_with_its_range(found: Any, words: str) -> None:
    assert ratio(found) == words


def test_the_time_of_the_first_variant_stands_before_the_ratios_to_it() -> None:
    less = comparison("less", -0.9, -0.92, -0.8)
    less.time("wall_ms").median_before = 12.34
    row = Row(next(one for one in EXAMPLES if one.slug == "orders"), times={"fast": less})
    assert docs_page._times(row) == "*slow* 12.3 ms<br>*fast* 10.0x faster (5.0 to 12.5)"


@pytest.mark.parametrize(
    ("measure", "one"),
    [
        ("queries", "query"),
        ("cache misses when asked again", "cache miss when asked again"),
        ("calls of ping", "call of ping"),
        ("rows fetched", "row fetched"),
    ],
)
def test_one_is_no_plural(measure: str, one: str) -> None:
    signal = Signal("slow", measure, 1)
    assert (signal.words(1), signal.words(0), signal.words(2)) == (one, measure, measure)


@pytest.mark.parametrize(
    ("signal", "value", "text"),
    [
        (Signal("slow", "queries", 101), 101, "101"),
        (Signal("slow", "peak bytes at most", 2_000_000), 1_234_567, "about 1,200,000"),
        (Signal("slow", "bytes an object", 152, tolerance=0.1), 152.4, "about 150"),
        (Signal("slow", "plan", "full_scan"), "full_scan shop_order", "`full_scan` in the"),
    ],
)
def test_a_figure_says_no_more_than_holds_elsewhere(signal: Signal, value: Any, text: str) -> None:
    assert figure(signal, value) == text


def test_what_ends_a_cell_is_escaped() -> None:
    assert docs_page._line("a | b", "c") == "| a \\| b | c |"


def test_a_page_has_claims_verdicts_findings_and_sources() -> None:
    example = EXAMPLES[0]
    row = Row(example, kinds={"slow": frozenset({"n_plus_one"}), "fast": frozenset()})
    text = page([row], runs=5)
    assert f"(`/{example.slug}/`)" in text
    assert f"| `n_plus_one` | {example.title} | slow | fast |" in text
    assert "## Sources" in text


def test_an_unknown_example_is_refused() -> None:
    with pytest.raises(CommandError, match="nothing"):
        call_command("examples_doc", "nothing", stdout=StringIO())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.slug)
def test_the_page_of_the_docs_has_every_example_as_it_is(example: Any) -> None:
    """Fails when the registry changed since: run `demo_project/manage.py examples_doc`."""
    row = next(
        line for line in WRITTEN.read_text("utf-8").splitlines() if f"(`/{example.slug}/`)" in line
    )
    assert example.title in row
    assert docs_page._cell(example.claim) in row
    assert row.endswith(f"| {example.verdict} |")
    assert "not measured" not in row
    if example.verdict_reason:
        told = f"- **{example.title}**: {example.verdict}. {example.verdict_reason}\n"
        assert told in WRITTEN.read_text("utf-8")
