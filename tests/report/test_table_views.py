"""What the tables of templates, caches, lines and memory are made of."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.report.viewmodels.cache import cache_view
from django_hotpath.report.viewmodels.lines import lines_view
from django_hotpath.report.viewmodels.memorychart import HEIGHT, WIDTH, memory_chart
from django_hotpath.report.viewmodels.sections import gc_view
from django_hotpath.report.viewmodels.templates import TREE_ROWS, templates_view
from tests.report.samples import GC, SITE, lines, timed_function


def render(index: int, name: str, own: float, total: float, parent: int | None) -> dict[str, Any]:
    return {
        "index": index,
        "name": name,
        "engine": "django",
        "start_ms": float(index),
        "duration_ms": total,
        "own_ms": own,
        "parent": parent,
    }


def templates(*renders: dict[str, Any]) -> dict[str, Any]:
    sums = [
        {"name": r["name"], "file": "", "engine": "django", "count": 1, "own_ms": r["own_ms"]}
        | {"cumulative_ms": r["duration_ms"]}
        for r in renders
    ]
    return {"count": len(renders), "total_ms": 10.0, "templates": sums, "renders": list(renders)}


class TestTemplates:
    def test_stand_below_what_rendered_them_the_slowest_first(self) -> None:
        view = templates_view(
            templates(
                render(0, "page", 1.0, 10.0, None),
                render(1, "small", 2.0, 2.0, 0),
                render(2, "large", 6.0, 7.0, 0),
                render(3, "leaf", 1.0, 1.0, 2),
            )
        )
        assert [(row.depth, row.name) for row in view.tree] == [
            (0, "page"),
            (1, "large"),
            (2, "leaf"),
            (1, "small"),
        ]

    def test_rendered_from_the_same_place_are_one_row(self) -> None:
        rows = [render(i, "row", 1.0, 1.0, 0) for i in range(1, 6)]
        view = templates_view(templates(render(0, "page", 5.0, 10.0, None), *rows))
        assert [(row.name, row.count, row.total_ms) for row in view.tree] == [
            ("page", 1, 10.0),
            ("row", 5, 5.0),
        ]
        assert view.tree[1].mean_ms == 1.0

    def test_own_times_of_the_tree_add_up_to_those_of_the_renderings(self) -> None:
        renders = [render(0, "a", 1.5, 4.0, None), render(1, "b", 2.5, 2.5, 0)]
        view = templates_view(templates(*renders))
        assert sum(row.own_ms for row in view.tree) == sum(r["own_ms"] for r in renders)

    def test_within_themselves_have_a_row_for_each_level(self) -> None:
        deep = [render(i, "node", 1.0, 3.0 - i, i - 1 if i else None) for i in range(3)]
        assert [row.depth for row in templates_view(templates(*deep)).tree] == [0, 1, 2]

    def test_of_a_rendering_that_was_not_kept_are_at_the_top(self) -> None:
        view = templates_view(templates(render(5, "a", 1.0, 1.0, 99)))
        assert [row.depth for row in view.tree] == [0]

    def test_beyond_the_bound_are_counted(self) -> None:
        many = [render(i, f"t{i}", 1.0, 1.0, None) for i in range(TREE_ROWS + 7)]
        assert templates_view(templates(*many)).left_out == 7


def operation(name: str = "get", keys: tuple[str, ...] = ("a",), **values: Any) -> dict[str, Any]:
    return {
        "operation": name,
        "alias": "default",
        "backend": "LocMemCache",
        "keys": list(keys),
        "key_count": len(keys),
        "hits": None,
        "misses": None,
        "start_ms": 1.0,
        "duration_ms": 2.0,
        "call_site": dict(SITE),
        **values,
    }


def cache(*operations: dict[str, Any]) -> Any:
    hits = sum(found["hits"] or 0 for found in operations)
    misses = sum(found["misses"] or 0 for found in operations)
    return cache_view(
        {
            "count": len(operations),
            "total_ms": 1.0,
            "hits": hits,
            "misses": misses,
            "operations": list(operations),
        },
        wall_ms=10.0,
    )


class TestCache:
    def test_keys_that_missed_come_first(self) -> None:
        view = cache(
            operation(keys=("hit",), hits=1, misses=0, duration_ms=9.0),
            operation(keys=("missed",), hits=0, misses=1),
            operation("set", keys=("missed",)),
        )
        assert [(row.key, row.hits, row.misses, row.writes) for row in view.keys] == [
            ("missed", 0, 1, 1),
            ("hit", 1, 0, 0),
        ]

    def test_which_of_several_keys_missed_is_not_guessed(self) -> None:
        view = cache(operation("get_many", keys=("a", "b"), hits=1, misses=1))
        assert [(row.hits, row.misses, row.unknown) for row in view.keys] == [(0, 0, 1)] * 2

    def test_all_keys_of_an_operation_that_missed_altogether_missed(self) -> None:
        view = cache(operation("get_many", keys=("a", "b"), hits=0, misses=2))
        assert [row.misses for row in view.keys] == [1, 1]

    def test_an_operation_on_several_keys_shares_its_time_out(self) -> None:
        view = cache(operation("get_many", keys=("a", "b"), hits=2, misses=0, duration_ms=3.0))
        assert [row.total_ms for row in view.keys] == [1.5, 1.5]

    def test_the_hit_rate_is_of_keys_that_were_read(self) -> None:
        view = cache(operation(hits=3, misses=1), operation("set"))
        assert view.hit_share == 0.75
        assert [row.hit_share for row in view.groups] == [0.75, None]

    def test_without_a_read_there_is_no_hit_rate(self) -> None:
        assert cache(operation("set")).hit_share is None

    def test_all_operations_are_in_the_data_with_what_repeats_once(self) -> None:
        data = cache(*(operation(start_ms=float(i)) for i in range(30))).data
        assert (data["keys"], data["names"]) == ([("a",)], [("get", "default")])
        assert len(data["columns"]["start"]) == 30


class TestLines:
    @pytest.mark.parametrize(
        ("ms", "heat"), [(0.1, 0), (1.0, 1), (6.0, 2), (20.0, 3), (40.0, 4), (70.0, 5)]
    )
    def test_are_the_hotter_the_more_they_cost(self, ms: float, heat: int) -> None:
        found = timed_function(total_ms=100.0)
        found["lines"] = [
            {"line": 1, "source": "a", "hits": 1, "ms": ms},
            {"line": 2, "source": "b", "hits": 1, "ms": 100.0 - ms},
        ]
        (view,) = lines_view(lines(found), wall_ms=100).functions
        assert view.rows[0].heat == heat

    def test_that_never_ran_are_cold(self) -> None:
        (view,) = lines_view(lines(), wall_ms=100).functions
        assert [row.heat for row in view.rows] == [0, 5, 0]


class TestMemoryChart:
    def test_spans_the_time_and_the_range(self) -> None:
        chart = memory_chart({"points": [[0.0, 100], [50.0, 300], [100.0, 200]]})
        assert chart is not None
        assert chart.line == f"0.0,{HEIGHT}.0 300.0,0.0 {WIDTH}.0,50.0"
        assert (chart.least, chart.most, chart.peak_ms) == (100, 300, 50.0)

    def test_keeps_the_peak_of_many_points(self) -> None:
        points: list[list[float]] = [[float(i), 100] for i in range(1000)]
        points[777][1] = 500
        chart = memory_chart({"points": points})
        assert chart is not None
        assert ",0.0 " in chart.line
        assert len(chart.line.split()) <= 302

    @pytest.mark.parametrize("memory", [None, {}, {"points": []}, {"points": [[0.0, 1]]}])
    def test_needs_two_points(self, memory: dict[str, Any] | None) -> None:
        assert memory_chart(memory) is None

    def test_of_memory_that_does_not_change_is_flat(self) -> None:
        chart = memory_chart({"points": [[0.0, 5], [1.0, 5]]})
        assert chart is not None
        assert chart.line == f"0.0,{HEIGHT}.0 {WIDTH}.0,{HEIGHT}.0"


def test_pauses_lie_on_the_axis_of_the_request() -> None:
    (pause,) = gc_view(GC, wall_ms=10.0).pauses
    assert (pause["start_share"], pause["duration_share"]) == (0.2, 0.04)
