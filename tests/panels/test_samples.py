"""SamplesPanel: a flame graph of the samples, and the functions they were in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from django_hotpath.capture import Capture
from django_hotpath.panels.samples import SamplesPanel
from tests.panels.stored import stored, subtitle
from tests.panels.toolbar import HISTORY, Toolbar
from tests.report.samples import HOSTILE, calls, capture, function

Use = Callable[..., Toolbar]


class ThreadPanel(SamplesPanel):
    """As a project that wants the thread writes it."""

    instruments = ("thread",)


def samples(*names: str, **values: Any) -> dict[str, Any]:
    """One function below the other, each with a sample of two milliseconds."""
    size = len(names)
    return {
        "engine": "vmprof",
        "mode": "wall",
        "samples": size,
        "sampled_ms": 2.0 * size,
        "wanted_period_ms": 1.0,
        "achieved_period_ms": 2.0,
        "functions": [function(name, calls=1, own_ms=2.0) for name in names],
        "tree": {
            "parent": [-1, *range(size)],
            "frame": [-1, *range(size)],
            "calls": [0, *[1] * size],
            "own_ms": [0.0, *[2.0] * size],
            "total_ms": [2.0 * size, *(2.0 * (size - at) for at in range(size))],
            "omitted": 0,
        },
        "order": {"node": list(range(1, size + 1)), "ms": [2.0] * size, "omitted": 0},
        "truncated": 0,
        **values,
    }


def sampled(*names: str, **others: Any) -> Capture:
    return capture(instruments={"samples": samples(*names), **others})


def flame(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="flame-data" type="application/json">(.*?)</script>', html)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


@pytest.mark.parametrize(
    ("names", "text"),
    [((), "no sample"), (("a",), "1 sample, 2.00 ms"), (("a", "b"), "2 samples, 4.00 ms")],
)
def test_the_side_bar_says_how_many_and_of_how_much(names: tuple[str, ...], text: str) -> None:
    assert subtitle(SamplesPanel, sampled(*names)) == text


def test_shows_the_stacks_as_a_flame_graph(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(SamplesPanel, sampled("view", "helper")).render("SamplesPanel")
    assert 'data-flame="flame-data"' in html
    assert flame(html)["frames"]["name"] == ["view", "helper"]
    assert "2 samples by vmprof, one every 2.00" in html


def test_the_flame_graph_is_of_samples_alone(use_toolbar: Use) -> None:
    use_toolbar()
    both = sampled("view", calls=calls(function("called")))
    data = flame(stored(SamplesPanel, both).render("SamplesPanel"))
    assert [source["key"] for source in data["sources"]] == ["samples"]


def test_functions_keep_the_numbers_by_which_their_source_is_asked_for(use_toolbar: Use) -> None:
    use_toolbar()
    both = sampled("view", calls=calls(function("one"), function("two")))
    frames = flame(stored(SamplesPanel, both).render("SamplesPanel"))["frames"]
    assert dict(zip(frames["name"], frames["row"], strict=True))["view"] == 2


def test_lists_the_functions(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(SamplesPanel, sampled("view", "helper")).render("SamplesPanel")
    assert "<code>helper</code>" in html
    assert "2 of 2 functions" in html


def test_without_a_sample_says_why(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(SamplesPanel, sampled()).render("SamplesPanel")
    assert "No sample was taken, by vmprof." in html
    assert "flame-data" not in html


def test_says_that_tracing_is_in_the_times(use_toolbar: Use) -> None:
    use_toolbar()
    found = sampled("view", allocations={"total_size": 1})
    assert "Allocations was on too" in stored(SamplesPanel, found).render("SamplesPanel")
    assert "was on too" not in stored(SamplesPanel, sampled("view")).render("SamplesPanel")


def test_names_are_text(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(SamplesPanel, sampled(HOSTILE)).render("SamplesPanel")
    assert "<img" not in html


def test_a_project_may_choose_the_engine(use_toolbar: Use) -> None:
    tool = use_toolbar(panels=[f"{__name__}.ThreadPanel", HISTORY])
    shown = tool.get("/sync/page/", "ThreadPanel")
    assert shown.capture("ThreadPanel").instruments["samples"]["engine"] == "thread"
