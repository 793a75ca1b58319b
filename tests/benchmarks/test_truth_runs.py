"""That what the engines show is true, by signals that are the same on any machine: counts."""

from __future__ import annotations

from django_hotpath.instruments.engines import native_events
from django_hotpath.instruments.engines.cprofile import SEES_ALL_THREADS
from tests.benchmarks.running import row, run, table
from tests.require import require

PROGRAMS = (
    "two parents, one helper",
    "dispatch by caller",
    "template",
    "nplus1",
    "admin changelist",
)


def test_a_native_tree_has_every_call_on_its_path() -> None:
    _require_native()
    printed = run("truth.py", "--only", "paths")
    native = row(printed, "Calls on wrong paths", "hotpath, native")
    control = row(printed, "Calls on wrong paths", "the reference again (control)")
    derived = row(printed, "Calls on wrong paths", "cProfile's edges, shared out in proportion")
    for program in PROGRAMS:
        assert native[program] == control[program] == "0 % (0)"
        assert not derived[program].startswith("0 %")
    own = row(printed, "Own time on wrong paths", "hotpath, native")
    assert own["dispatch by caller"] == "0 %"


def test_nothing_foreign_is_in_a_native_capture() -> None:
    _require_native()
    printed = run("truth.py", "--only", "company")
    for kind in ("threads", "tasks"):
        rows = table(printed, f"Beside K busy {kind}")
        native = [found for found in rows if found[""] == "calls, native"]
        assert len(native) == 2
        for found in native:
            foreign, _of, seen = found["foreign"].partition(" of ")
            assert (foreign, seen > "") == ("0", True)
            # Less would mean that the work itself is not in it.
            assert int(seen.replace(",", "")) > 8_000
    busy = [
        found["foreign"].partition(" of ")[0]
        for found in table(printed, "Beside K busy threads")
        if found[""] == "calls, cprofile"
    ]
    # That foreign calls would be found is seen where there are some.
    assert busy[0] == "0"
    assert (busy[1] != "0") == SEES_ALL_THREADS


def test_what_is_counted_is_what_happened() -> None:
    printed = run("truth.py", "--only", "counts")
    rows = table(printed, "Counts")
    assert len(rows) > 20
    for found in rows:
        # The others are known not to: the table is there to say so.
        if not found[""].startswith("cprofile"):
            assert found["measured"] in {found["known"], "not measured"}
    (fixed,) = [found for found in rows if found[""].startswith("queries after")]
    assert "select_related" in fixed[""]
    assert fixed["known"] == fixed["measured"] == "1"


def _require_native() -> None:
    reason = native_events.unavailable()
    require(reason is None, f"needs the compiled tracer, which {reason}")
