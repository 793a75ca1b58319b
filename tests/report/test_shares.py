from __future__ import annotations

import json
from typing import Any

import pytest

from django_hotpath.capture import RequestInfo, Timing
from django_hotpath.report.viewmodels.shares import Shares, shares
from tests.report.samples import calls, capture, function

SITE = "/venv/lib/python3.13/site-packages/"


def of(found: dict[str, Any], *, wall_ms: float | None = None, **values: Any) -> Shares:
    wall = sum(row["own_ms"] for row in found["functions"]) if wall_ms is None else wall_ms
    values.setdefault("timing", Timing(wall_ms=wall))
    result = shares(capture(instruments={"calls": found}, **values))
    assert result is not None
    return result


def times(found: Shares) -> dict[str, float]:
    return {part.key: part.ms for part in found.parts}


def exact(
    *nodes: tuple[int, int, float], functions: list[dict[str, Any]], **tree: Any
) -> dict[str, Any]:
    """Calls with a tree of (parent, function, own milliseconds); the root comes by itself."""
    return calls(
        *functions,
        engine="native",
        total_ms=sum(own for *_, own in nodes),
        tree={
            "parent": [-1, *(parent for parent, *_ in nodes)],
            "frame": [-1, *(frame for _, frame, _ in nodes)],
            "own_ms": [0.0, *(own for *_, own in nodes)],
            "calls": [0, *(1 for _ in nodes)],
            "omitted": 0,
            **tree,
        },
    )


def test_parts_come_in_the_same_order_whatever_they_took() -> None:
    found = of(
        calls(
            function(kind="stdlib", package="json", file="x", own_ms=50.0),
            function(kind="library", package="rest_framework", file="x"),
            function(kind="django", package="django", file=SITE + "django/urls/base.py"),
            function(kind="django", package="django", file=SITE + "django/db/models/query.py"),
            function(kind="library", package="psycopg", file=SITE + "psycopg/cursor.py"),
            function(kind="hotpath", package="django_hotpath", file="x"),
            function(),
        )
    )
    assert [part.key for part in found.parts] == [
        *("project", "orm", "database", "django", "package:rest_framework", "stdlib", "tools"),
    ]
    largest = found.largest
    assert largest is not None
    assert largest.key == "stdlib"


def test_many_libraries_are_summed_up_and_named() -> None:
    rows = [function(kind="library", package=f"p{i}", own_ms=float(i + 1)) for i in range(9)]
    found = of(calls(*rows))
    other = found.parts[-1]
    assert (other.label, other.ms) == ("Other libraries", 1 + 2 + 3)
    assert json.loads(other.members) == ["package:p2", "package:p1", "package:p0"]
    assert found.total_ms == 45


def test_the_parts_of_the_time_add_up_to_100_percent() -> None:
    rows = [function(kind="library", package=f"p{i}", own_ms=1 / (i + 3)) for i in range(7)]
    found = of(calls(*rows), wall_ms=3.0)
    assert round(sum(part.percent for part in found.parts), 6) == 100
    last = found.parts[-1]
    assert round(last.start + last.percent, 6) == 100
    assert found.total_ms == 3.0


def test_what_runs_below_a_statement_is_database_in_a_tree() -> None:
    functions = [
        function(),
        function("SELECT 1", kind="sql", package="", file="", line=0),
        function(kind="stdlib", package="json", file="x"),
    ]
    tree = exact((0, 0, 1.0), (1, 1, 2.0), (2, 2, 3.0), (1, 2, 4.0), functions=functions)
    assert times(of(tree, wall_ms=10.0)) == {"project": 1.0, "database": 5.0, "stdlib": 4.0}


def test_waiting_is_a_part_of_the_wall_time() -> None:
    functions = [function()]
    tree = exact((0, 0, 2.0), functions=functions, wait_ms=[5.0, 5.0])
    assert times(of(tree, wall_ms=8.0)) == {"project": 2.0, "waiting": 5.0, "rest": 1.0}


def test_what_ran_while_the_request_waited_is_no_waiting() -> None:
    tree = exact((0, 0, 7.0), functions=[function()], wait_ms=[5.0, 5.0])
    assert times(of(tree, wall_ms=8.0)) == {"project": 7.0, "waiting": 1.0}


def test_threads_side_by_side_make_more_than_the_wall_time_and_it_is_said() -> None:
    found = of(exact((0, 0, 20.0), functions=[function()]), wall_ms=8.0)
    assert found.total_ms == 20.0
    assert "side by side" in found.source


@pytest.mark.parametrize(
    ("request_info", "key"),
    [(None, "project"), (RequestInfo(method="GET", path="/"), "tools")],
)
def test_the_body_of_a_block_is_your_code(request_info: RequestInfo | None, key: str) -> None:
    tree = exact((0, 0, 1.0), functions=[function(kind="stdlib", file="x")])
    tree["tree"]["own_ms"][0] = 3.0
    assert times(of(tree, wall_ms=4.0, request=request_info))[key] == 3.0


def test_functions_left_out_of_the_capture_are_a_part_of_the_time() -> None:
    assert times(of(calls(function(), total_ms=3.0, truncated=12), wall_ms=3.0))["rest"] == 2.0


def test_without_calls_the_time_is_split_in_database_and_the_rest() -> None:
    where = shares(capture())
    assert where is not None
    assert [(part.key, part.percent) for part in where.parts] == [
        ("database", 40.0),
        ("rest", 60.0),
    ]


def test_without_calls_and_queries_nothing_is_split() -> None:
    assert shares(capture(timing=Timing(wall_ms=5.0))) is None


def test_below_a_statement_is_told_from_callers_and_said_to_be_approximate() -> None:
    """A function called from there and from elsewhere is divided by its callers' time in it."""
    found = of(
        calls(
            function(own_ms=1.0, cumulative_ms=9.0),
            function("SELECT 1", kind="sql", package="", file="", own_ms=1.0, cumulative_ms=4.0),
            function(kind="stdlib", package="json", file="x", own_ms=4.0, cumulative_ms=4.0),
            edges=[[0, 1, 1, 1, 1.0, 4.0], [1, 2, 1, 1, 3.0, 3.0], [0, 2, 1, 1, 1.0, 1.0]],
        )
    )
    assert times(found) == {"project": 1.0, "database": 4.0, "stdlib": 1.0}
    assert found.approximate
    assert "Approximate" in found.source


def test_a_cache_that_runs_a_statement_counts_each_once() -> None:
    found = of(
        calls(
            function("GET k", kind="cache", package="", file="", own_ms=1.0, cumulative_ms=6.0),
            function("SELECT 1", kind="sql", package="", file="", own_ms=2.0, cumulative_ms=5.0),
            function(kind="stdlib", package="pickle", file="x", own_ms=3.0, cumulative_ms=3.0),
            edges=[[0, 1, 1, 1, 2.0, 5.0], [1, 2, 1, 1, 3.0, 3.0]],
        )
    )
    assert times(found) == {"database": 5.0, "cache": 1.0}


def test_recursion_below_a_statement_settles() -> None:
    found = of(
        calls(
            function("SELECT 1", kind="sql", package="", file="", own_ms=1.0, cumulative_ms=5.0),
            function(kind="stdlib", package="a", file="x", own_ms=2.0, cumulative_ms=4.0),
            function(kind="stdlib", package="b", file="x", own_ms=2.0, cumulative_ms=3.0),
            edges=[[0, 1, 1, 1, 2.0, 4.0], [1, 2, 1, 1, 2.0, 3.0], [2, 1, 1, 1, 1.0, 1.0]],
        )
    )
    assert sum(times(found).values()) == pytest.approx(5.0)
    assert times(found)["database"] > 3.9
