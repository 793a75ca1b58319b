from __future__ import annotations

from tests.benchmarks.running import row, run

OURS = (
    "bare, no middleware",
    "no-op middleware again (control)",
    "hotpath",
    "hotpath, SLOW_REQUEST_MS None",
    "hotpath, DEBUG on: a line in the history for each request",
)
PEERS = ("debug-toolbar, hidden", "silk at 0 %", "pyinstrument, not asked")
STATEMENTS = (
    "a wrapper that only passes on",
    "hotpath, outside any request",
    "hotpath, in a request (counting for the slow-request log)",
)


# One test: with its processes spread by pytest-xdist, a fixture would run the benchmark in each.
def test_the_idle_part_prints_its_rows_with_or_without_the_peers() -> None:
    head, _, tables = run("overhead.py", "--only", "idle").partition("\n## ")
    for name in ("Machine", "Python", "Django", "django-hotpath", "pyinstrument"):
        assert f"\n- {name}: " in head
    rows = _rows(tables)
    for label in OURS:
        assert len(rows[label]) == 5
        assert all(_is_figure(cell) for cell in rows[label])
    for label in PEERS:
        assert rows[label][0] == "not installed" or _is_figure(rows[label][0])
    for label in STATEMENTS:
        assert _is_figure(rows[label][0])
    assert "idle, sync, called directly, over the no-op" in tables.partition("## Targets")[2]


def test_the_steps_after_a_view_are_told_apart() -> None:
    printed = run("overhead.py", "--only", "after")
    for view in ("hello", "template", "nplus1"):
        steps = row(printed, f"After the view: {view}", "hotpath ?profile=1")
        for step in ("stopping", "building", "rendering", "after the view"):
            assert float(steps[step]) > 0
        kept = row(printed, f"After the view: {view}", "hotpath ?profile=1, own answer kept")
        # It is built and stored when the answer has left.
        assert (kept["building"], kept["storing"], kept["rendering"]) == ("0.00", "0.00", "0.00")
        assert float(kept["once it has left"]) > 0


def _rows(tables: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split("|") for line in tables.splitlines() if line.startswith("|")]
    return {label.strip(): [cell.strip() for cell in cells] for label, *cells in lines}


def _is_figure(cell: str) -> bool:
    return cell.startswith(("+", "-")) and " to " in cell


def test_the_toolbar_is_measured_without_our_panels_with_them_off_and_with_each_on() -> None:
    printed = run("overhead.py", "--only", "panels")
    title = "Panels: what is added to the whole request"
    labels = [
        "the same again (control)",
        "with seven panels that do nothing, off",
        "with all of hotpath's, off",
        "with hotpath's, FindingsPanel on",
        "with debug-toolbar's SQLPanel",
        "with debug-toolbar's ProfilingPanel",
    ]
    for label in labels:
        found = row(printed, title, label)
        cells = [found[view] for view in ("hello", "template", "nplus1")]
        assert all(" ms (" in cell for cell in cells) or cells[0] == "not installed"
    if row(printed, title, labels[2])["hello"] != "not installed":
        for where in ("by a cursor", "by the ORM", "in a template"):
            title = f"Panels: recording a query {where}"
            found = row(printed, title, "with hotpath's, FindingsPanel on, against itself")
            assert _is_figure(found["in the view"])
            assert f"FindingsPanel, a query {where}, in the request: " in printed
