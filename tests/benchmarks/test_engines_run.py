from __future__ import annotations

import re

from django_hotpath.instruments import registry
from tests.benchmarks.running import row, run, table

_FIGURE = re.compile(r"[\d.]+ \([\d.]+-[\d.]+\)")
_TABLES = ("Inside the view", "The whole answer", "Once the answer has left")
_VIEWS = ("template", "async")


# One test: with its processes spread by pytest-xdist, a fixture would run the benchmark in each.
def test_every_engine_has_a_row_with_figures_or_a_reason() -> None:
    printed = run("engines.py", "--only", *_VIEWS)
    _before, _heading, reasons = printed.partition("\n## Not measured\n")
    for name in registry.names():
        for cls in registry.engines(name):
            label = name if cls.engine == "hotpath" else f"{name}, {cls.engine}"
            for title in _TABLES:
                assert _is_measured_or_explained(row(printed, title, label), label, reasons)
            if cls.available() is None and name in {"calls", "lines", "queries"}:
                assert _FIGURE.fullmatch(row(printed, "Inside the view", label)["template"])
    for title in _TABLES[:2]:
        control = row(printed, title, "nothing (control)")
        assert all(_FIGURE.fullmatch(control[view]) for view in _VIEWS)
        assert all(
            _FIGURE.fullmatch(row(printed, title, f"cProfile by itself{kind}")["template"])
            for kind in ("", ", no built-ins")
        )
        peer = row(printed, title, "pyinstrument by itself, 1 ms")["template"]
        assert peer == "not installed" or _FIGURE.fullmatch(peer)
        assert float(row(printed, title, "(bare, ms)")["template"]) > 0
    assert len(table(printed, "Inside the view")) == len(table(printed, "The whole answer"))
    targets = printed.partition("\n## Targets\n")[2]
    assert "samples, thread, inside template: " in targets
    assert "limit 1.1" in targets


def _is_measured_or_explained(found: dict[str, str], label: str, reasons: str) -> bool:
    cells = [found[view] for view in _VIEWS]
    assert "failed" not in cells
    if cells[0].startswith("not measured") or "refused" in cells:
        return f"\n- {label}: " in reasons
    return all(re.match(r"[\d.]+", cell) for cell in cells)
