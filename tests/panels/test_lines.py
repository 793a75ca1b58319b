"""LinesPanel: the source of the view, with what each line took."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from django_hotpath.capture import Capture
from django_hotpath.instruments.registry import Spec, choose
from django_hotpath.panels.lines import LinesPanel
from tests.panels.stored import stored, subtitle
from tests.panels.toolbar import HISTORY, Toolbar
from tests.report.samples import HOSTILE, capture, environment, line_memory, lines, timed_function
from tests.require import require

Use = Callable[..., Toolbar]


class LineProfilerPanel(LinesPanel):
    """As a project that wants line_profiler writes it."""

    instruments = ("line_profiler",)


def timed(*functions: dict[str, Any], **others: Any) -> Capture:
    return capture(instruments={"lines": lines(*functions), **others})


def idle(**values: Any) -> dict[str, Any]:
    return timed_function(
        total_ms=0.0, lines=[{"line": 1, "source": "x", "hits": 0, "ms": None}], **values
    )


def test_the_side_bar_names_the_line_that_took_most() -> None:
    assert subtitle(LinesPanel, timed()) == "1 function, 20.0 ms, most in views.py:13"


def test_the_side_bar_has_the_time_of_the_function_that_calls_the_others() -> None:
    inner = timed_function(function="helper", total_ms=15.0)
    assert subtitle(LinesPanel, timed(inner, timed_function())).startswith("2 functions, 20.0 ms")


def test_functions_that_never_ran_do_not_count() -> None:
    assert subtitle(LinesPanel, timed(timed_function(), idle())).startswith("1 function,")
    assert subtitle(LinesPanel, timed(idle())) == "no line ran"


def test_a_file_of_windows_is_named_without_its_folders() -> None:
    found = timed(timed_function(file="C:\\shop\\views.py"))
    assert subtitle(LinesPanel, found).endswith("most in views.py:13")


def test_a_long_name_is_cut() -> None:
    found = timed(timed_function(file="x" * 10_000))
    assert len(subtitle(LinesPanel, found)) < 100


def test_shows_the_source_with_heat(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(LinesPanel, timed()).render("LinesPanel")
    assert "heat-5" in html
    assert "books = list(books)" in html
    assert "sys.monitoring" in html


def test_functions_can_be_chosen_from_a_list(use_toolbar: Use) -> None:
    use_toolbar()
    found = timed(timed_function(), timed_function(function="helper"))
    html = stored(LinesPanel, found).render("LinesPanel")
    assert 'href="#lines-1"' in html
    assert 'id="lines-1"' in html


@pytest.mark.parametrize(
    ("view", "text"),
    [("shop.views.book_list", "No line of shop.views"), ("", "no view was called")],
)
def test_says_why_there_is_no_line(use_toolbar: Use, view: str, text: str) -> None:
    use_toolbar()
    found = capture(instruments={"lines": {**lines(), "functions": [], "view": view}})
    assert text in stored(LinesPanel, found).render("LinesPanel")


def test_says_how_to_measure_other_functions(use_toolbar: Use) -> None:
    use_toolbar()
    with override_settings(HOTPATH={**settings.HOTPATH, "PARAMETER": "prof"}):
        html = stored(LinesPanel, timed()).render("LinesPanel")
    assert "?prof=lines:package.module.function" in html


def test_says_that_reading_memory_is_in_the_times(use_toolbar: Use) -> None:
    use_toolbar()
    found = timed(line_memory=line_memory())
    assert "Line memory was on too" in stored(LinesPanel, found).render("LinesPanel")
    assert "was on too" not in stored(LinesPanel, timed()).render("LinesPanel")


def test_keeps_the_warnings_that_are_about_it(use_toolbar: Use) -> None:
    use_toolbar()
    about_others = "other requests are in the figures of line_memory"
    warnings = ["this was the first request", "lines (monitoring) stopped", about_others]
    found = capture(
        instruments={"lines": lines()},
        environment=environment(warnings=tuple(warnings)),
    )
    html = stored(LinesPanel, found).render("LinesPanel")
    assert "What disturbs these figures: 2 things" in html
    assert about_others not in html


def test_source_is_text(use_toolbar: Use) -> None:
    use_toolbar()
    found = timed(timed_function(HOSTILE, function=HOSTILE, file=HOSTILE))
    assert "<img" not in stored(LinesPanel, found).render("LinesPanel")


def test_measures_the_view(use_toolbar: Use) -> None:
    found, reason = choose(Spec("lines"))
    require(found is not None, reason or "")
    shown = use_toolbar().get("/sync/page/", "LinesPanel")
    assert shown.button("LinesPanel").startswith("Lines 1 function, ")
    assert "return HttpResponse(PAGE % work())" in shown.render("LinesPanel")


def test_a_project_may_choose_the_engine(use_toolbar: Use) -> None:
    require(find_spec("line_profiler") is not None, "needs line_profiler")
    tool = use_toolbar(panels=[f"{__name__}.LineProfilerPanel", HISTORY])
    shown = tool.get("/sync/page/", "LineProfilerPanel")
    assert "Measured by line_profiler." in shown.render("LineProfilerPanel")
