"""The section of sampled stacks."""

from __future__ import annotations

from typing import Any

from django_hotpath.report.viewmodels.samples import DEPTH, TREE_ROWS, SamplesView, samples_view
from tests.report.samples import function


def samples(paths: dict[tuple[str, ...], float], count: int = 100, **values: Any) -> dict[str, Any]:
    """The result for these stacks and what each took in milliseconds; names with a dot are of
    the project, ``package`` or ``package:name`` otherwise."""
    names = list(dict.fromkeys(name for path in paths for name in path))
    nodes: dict[tuple[str, ...], int] = {(): 0}
    tree: dict[str, list[Any]] = {"parent": [-1], "frame": [-1], "own_ms": [0.0], "calls": [0]}
    for path, own in paths.items():
        for depth in range(1, len(path) + 1):
            if path[:depth] not in nodes:
                nodes[path[:depth]] = len(tree["parent"])
                tree["parent"].append(nodes[path[: depth - 1]])
                tree["frame"].append(names.index(path[depth - 1]))
                tree["own_ms"].append(0.0)
                tree["calls"].append(0)
        tree["own_ms"][nodes[path]] += own
    total = list(tree["own_ms"])
    for node in range(len(total) - 1, 0, -1):
        total[tree["parent"][node]] += total[node]
    functions = []
    for name in names:
        package, _, of = name.partition(":")
        kind = "library" if of else "project"
        own = sum(
            ms
            for ms, frame in zip(tree["own_ms"], tree["frame"], strict=True)
            if frame >= 0 and names[frame] == name
        )
        functions.append(
            function(
                of or name,
                kind=kind,
                package=package if of else "shop",
                own_ms=own,
                cumulative_ms=sum(ms for path, ms in paths.items() if name in path),
            )
        )
    return {
        "engine": "thread",
        "mode": "wall",
        "wanted_period_ms": 1.0,
        "achieved_period_ms": 1.1,
        "samples": count,
        "sampled_ms": total[0],
        "total_ms": total[0],
        "functions": functions,
        "edges": [],
        "tree": {**tree, "total_ms": total},
        **values,
    }


def shown(view: SamplesView) -> list[tuple[int, str, int]]:
    """Depth, name and how many frames of each row."""
    return [
        (row.depth, row.frame.function if row.frame else row.packages, row.times)
        for row in view.tree
    ]


def test_the_tree_comes_largest_first() -> None:
    view = samples_view(samples({("a", "b"): 10.0, ("a", "c"): 30.0}))
    assert shown(view) == [(0, "a", 1), (1, "c", 1), (1, "b", 1)]
    assert [row.total_share for row in view.tree] == [1.0, 0.75, 0.25]


def test_calls_below_one_percent_are_folded() -> None:
    view = samples_view(samples({("a",): 98.5, ("a", "b", "c"): 0.9, ("a", "d"): 0.6}))
    assert shown(view) == [(0, "a", 1)]
    assert (view.folded, round(view.folded_share, 4)) == (3, 0.015)


def test_frames_of_others_that_only_call_each_other_are_one_row() -> None:
    stack = ("django:one", "django:two", "asgiref:three", "django:four", "view")
    view = samples_view(samples({stack: 10.0}))
    assert shown(view) == [(0, "django, asgiref", 4), (1, "view", 1)]
    assert view.tree[0].passed == ("one", "two", "three", "four")


def test_two_such_frames_are_shown() -> None:
    view = samples_view(samples({("django:one", "django:two", "view"): 10.0}))
    assert [name for _depth, name, _times in shown(view)] == ["one", "two", "view"]


def test_where_time_is_spent_a_frame_has_its_row() -> None:
    stack = ("django:one", "django:two", "django:three", "django:four")
    view = samples_view(samples({stack: 10.0}))
    assert shown(view)[-1] == (1, "four", 1)


def test_a_recursion_is_one_row() -> None:
    view = samples_view(samples({("a", *["down"] * 500, "leaf"): 10.0}))
    assert shown(view) == [(0, "a", 1), (1, "down", 500), (2, "leaf", 1)]


def test_ten_thousand_frames_are_walked_and_bounded() -> None:
    stack = tuple(f"f{number}" for number in range(10_000))
    result = samples({("f0",): 1.0})
    depth = len(stack)
    result["functions"] = [function(name, own_ms=0.0, cumulative_ms=1.0) for name in stack]
    result["tree"] = {
        "parent": [-1, *range(depth)],
        "frame": [-1, *range(depth)],
        "own_ms": [0.0] * depth + [1.0],
        "total_ms": [1.0] * (depth + 1),
    }
    view = samples_view(result)
    assert (len(view.tree), view.left_out) == (TREE_ROWS, depth - TREE_ROWS)
    assert view.tree[-1].indent == view.tree[DEPTH].indent


def test_functions_come_by_own_time() -> None:
    view = samples_view(samples({("a",): 1.0, ("a", "b"): 3.0}))
    rows = [(row.frame.function, row.own_share, row.cumulative_share) for row in view.functions]
    assert rows == [("b", 0.75, 0.75), ("a", 0.25, 1.0)]


def test_few_samples_leave_a_wide_margin() -> None:
    assert samples_view(samples({("a",): 1.0}, count=100)).margin == 0.1
    assert samples_view(samples({("a",): 1.0}, count=10_000)).margin == 0.01


def test_memory_is_shown_where_it_was_noted() -> None:
    noted = {"rss_first": 1, "rss_peak": 3, "rss_last": 2, "points": [[0.0, 1]]}
    memory = samples_view(samples({("a",): 1.0}, memory=noted)).memory
    assert memory is not None
    assert (memory.first, memory.peak, memory.last) == (1, 3, 2)


def test_no_sample_is_no_row() -> None:
    empty = samples({}, count=0, achieved_period_ms=None)
    view = samples_view(empty)
    assert (view.tree, view.functions) == ([], [])


def test_the_section_names_the_engine_and_the_rate() -> None:
    from django_hotpath.report.pages import Links, report_page
    from tests.report.samples import capture

    page = report_page(
        capture(instruments={"samples": samples({("<b>", "view"): 10.0})}),
        Links(asset=lambda name: f"/{name}"),
    )
    assert 'id="samples"' in page
    assert "by thread, one every 1.10" in page
    assert "&lt;b&gt;" in page
    assert "style=" not in page


def test_the_text_names_the_heaviest_functions() -> None:
    from django_hotpath.exporters.text import export
    from tests.report.samples import capture

    text = export(capture(instruments={"samples": samples({("a", "busy"): 10.0})})).decode()
    assert "SAMPLED FUNCTIONS by own time (of 2)" in text
    assert "busy  shop/views.py:1" in text
