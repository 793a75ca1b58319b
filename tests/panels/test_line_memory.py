"""LineMemoryPanel: the source of the view, with by how much memory grew in each line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_hotpath.capture import Capture
from django_hotpath.instruments.registry import Spec, choose
from django_hotpath.panels.line_memory import LineMemoryPanel
from tests.panels.stored import stored, subtitle
from tests.panels.toolbar import Toolbar
from tests.report.samples import HOSTILE, allocations, capture, line_memory
from tests.require import require

Use = Callable[..., Toolbar]


def grown(**others: Any) -> Capture:
    return capture(instruments={"line_memory": line_memory(), **others})


def by(**figures: int) -> Capture:
    """A line with these figures, and a function of the same growth."""
    found = grown()
    (function,) = found.instruments["line_memory"]["functions"]
    function["increment"] = figures["increment"]
    function["lines"][1] |= figures
    return found


@pytest.mark.parametrize(
    ("increment", "text"),
    [
        (2048, "+2.00 KiB, most in views.py:13"),
        (0, "0 B"),
        (-4096, "\N{MINUS SIGN}4.00 KiB"),
    ],
)
def test_the_side_bar_has_the_growth(increment: int, text: str) -> None:
    assert subtitle(LineMemoryPanel, by(increment=increment)) == text


def test_the_side_bar_says_that_no_line_ran() -> None:
    found = capture(instruments={"line_memory": {**line_memory(), "functions": []}})
    assert subtitle(LineMemoryPanel, found) == "no line ran"


def test_shows_the_source_with_heat(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(LineMemoryPanel, grown()).render("LineMemoryPanel")
    assert "heat-5" in html
    assert "books = list(books)" in html


@pytest.mark.parametrize(
    ("unit", "text"), [("traced", "bytes that Python has allocated"), ("rss", "in RAM")]
)
def test_says_what_was_read(use_toolbar: Use, unit: str, text: str) -> None:
    use_toolbar()
    found = capture(instruments={"line_memory": line_memory(unit=unit)})
    assert text in stored(LineMemoryPanel, found).render("LineMemoryPanel")


def test_says_that_tracing_needs_memory_itself(use_toolbar: Use) -> None:
    use_toolbar()
    found = grown(allocations=allocations())
    assert "Allocations was on too" in stored(LineMemoryPanel, found).render("LineMemoryPanel")


def test_says_how_to_measure_other_functions(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(LineMemoryPanel, grown()).render("LineMemoryPanel")
    assert "?profile=line_memory:package.module.function" in html


def test_source_is_text(use_toolbar: Use) -> None:
    use_toolbar()
    found = capture(instruments={"line_memory": line_memory(HOSTILE)})
    assert "<img" not in stored(LineMemoryPanel, found).render("LineMemoryPanel")


def test_measures_the_view(use_toolbar: Use) -> None:
    found, reason = choose(Spec("line_memory"))
    require(found is not None, reason or "")
    shown = use_toolbar().get("/sync/page/", "LineMemoryPanel")
    assert "return HttpResponse(PAGE % work())" in shown.render("LineMemoryPanel")
