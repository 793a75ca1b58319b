"""Memory that was needed for a moment: told with its line, silent where it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.analysis.findings import find
from django_hotpath.capture import Capture, Finding, Overlap
from tests.factories import capture

MB = 1_000_000


def measured(peak: int, after: int = 0, *, before: int = 0, **values: Any) -> Capture:
    allocations = {
        "foreign": False,
        "modules_loaded": 0,
        "traced_before": before,
        "traced_after": after,
        "traced_peak": peak,
        "by_line": [],
        **values.pop("allocations", {}),
    }
    instruments = {"allocations": allocations, **values.pop("instruments", {})}
    return capture(instruments=instruments, **values)


def line(number: int, peak: int, increment: int) -> dict[str, Any]:
    return {"line": number, "hits": 1, "peak": peak, "increment": increment, "source": "x"}


def found(told: Capture) -> list[Finding]:
    return [finding for finding in find(told) if finding.kind == "memory_peak"]


def test_found() -> None:
    (finding,) = found(measured(20 * MB, 2 * MB))
    assert finding.severity == "low"
    assert "20.0 MB were needed at once" in finding.title
    assert "18.0 MB of it were given back" in finding.detail


def test_much_more_matters_more() -> None:
    (finding,) = found(measured(200 * MB))
    assert finding.severity == "medium"


def test_the_line_that_made_it_is_named() -> None:
    lines = [line(3, 20 * MB, 5), line(7, 20 * MB, 15 * MB), line(9, MB, MB)]
    function = {"file": "shop/views.py", "function": "report", "kind": "project", "lines": lines}
    recorded = {"line_memory": {"unit": "traced", "functions": [function]}}
    (finding,) = found(measured(20 * MB, instruments=recorded))
    assert finding.call_site is not None
    assert (finding.call_site.file, finding.call_site.line) == ("shop/views.py", 7)


def test_resident_memory_names_no_line() -> None:
    function = {
        "file": "shop/views.py",
        "function": "report",
        "kind": "project",
        "lines": [line(7, 20 * MB, MB)],
    }
    recorded = {"line_memory": {"unit": "rss", "functions": [function]}}
    (finding,) = found(measured(20 * MB, instruments=recorded))
    assert finding.call_site is None
    assert "line unknown" in finding.title


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(measured(9 * MB), id="little"),
        pytest.param(measured(50 * MB, before=45 * MB), id="there before"),
        pytest.param(measured(20 * MB, 11 * MB), id="still held"),
        pytest.param(measured(20 * MB, allocations={"modules_loaded": 3}), id="imports"),
        pytest.param(measured(20 * MB, allocations={"foreign": True}), id="traced by others"),
        pytest.param(measured(20 * MB, overlap=Overlap(requests=1, share=0.5)), id="not alone"),
    ],
)
def test_silent(told: Capture) -> None:
    assert found(told) == []
