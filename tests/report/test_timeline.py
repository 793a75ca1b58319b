from __future__ import annotations

from typing import Any

from django_hotpath.capture import RequestInfo
from django_hotpath.report.viewmodels.timeline import timeline_view
from django_hotpath.report.viewmodels.timeline_bars import ROWS, Bar, Track, union
from tests.report import samples
from tests.report.samples import HOSTILE, capture


def shown(**instruments: Any) -> Any:
    view = timeline_view(capture(instruments=instruments))
    assert view is not None
    return view


def track(view: Any, key: str) -> dict[str, Any]:
    found = next(track for track in view.data["tracks"] if track["key"] == key)
    assert isinstance(found, dict)
    return found


def code(spans: list[tuple[int, float, float, int]], kinds: list[str]) -> dict[str, Any]:
    """Calls with one node a function, and single calls of them."""
    functions = [samples.function(f"f{i}", kind=kind) for i, kind in enumerate(kinds)]
    tree = {
        "parent": [-1, *range(len(kinds))],
        "frame": [-1, *range(len(kinds))],
        "calls": [0] + [1] * len(kinds),
        "own_ms": [0.0] * (len(kinds) + 1),
        "total_ms": [9.0] * (len(kinds) + 1),
        "omitted": 0,
    }
    columns = list(zip(*spans, strict=True))
    names = ("node", "start_ms", "duration_ms", "lane")
    return samples.calls(
        *functions,
        tree=tree,
        spans={
            **dict(zip(names, map(list, columns), strict=True)),
            "least_ms": 0.05,
            "omitted": 0,
        },
    )


def test_a_capture_of_which_nothing_has_a_time_has_no_timeline() -> None:
    assert timeline_view(capture(instruments={})) is None


def test_statements_that_follow_each_other_share_a_row() -> None:
    view = shown(queries=samples.queries(samples.query(0), samples.query(1)))
    assert track(view, "queries")["row"] == 0


def test_statements_that_overlap_go_below_each_other() -> None:
    overlapping = [samples.query(i, start_ms=i * 0.1, duration_ms=1.0) for i in range(3)]
    view = shown(queries=samples.queries(*overlapping))
    assert sorted(track(view, "queries")["row"]) == [0, 1, 2]
    assert track(view, "queries")["rows"] == 3


def test_more_overlapping_statements_than_rows_share_the_last_one() -> None:
    many = [samples.query(i, start_ms=0.0, duration_ms=1.0) for i in range(50)]
    found = track(shown(queries=samples.queries(*many)), "queries")
    assert found["rows"] == ROWS
    assert found["count"] == 50


def test_middleware_is_nested_with_the_view_inside() -> None:
    data = {
        "middleware": [
            {"name": "a.Outer", "start_ms": 0.0, "total_ms": 9.0, "own_ms": 1.0, "index": 0},
            {"name": "a.Inner", "start_ms": 0.5, "total_ms": 8.0, "own_ms": 0.5, "index": 1},
        ],
        "view": {"start_ms": 1.0, "duration_ms": 7.5},
        "missed": [],
    }
    view = shown(middleware=data)
    found = track(view, "middleware")
    assert found["row"] == [0, 1, 2]
    assert [view.data["texts"][i] for i in found["text"]][:2] == ["Outer", "Inner"]
    assert [(row.short, row.own_ms) for row in view.middleware] == [("Outer", 1.0), ("Inner", 0.5)]


def test_only_the_projects_own_calls_are_your_code_each_below_its_caller() -> None:
    calls = code(
        [(1, 0.0, 9.0, 0), (2, 1.0, 7.0, 0), (3, 2.0, 5.0, 0)], ["project", "django", "project"]
    )
    view = shown(calls=calls)
    found = track(view, "code")
    assert found["row"] == [0, 1]
    assert [view.data["texts"][i] for i in found["text"]] == ["f0", "f2"]


def test_calls_of_another_task_have_rows_of_their_own() -> None:
    view = shown(calls=code([(1, 0.0, 9.0, 0), (1, 1.0, 5.0, 1)], ["project"]))
    assert track(view, "code")["row"] == [0, 1]


def test_time_without_anything_recorded_is_a_gap_named_by_what_ran_in_it() -> None:
    calls = code([(1, 0.0, 40.0, 0), (2, 0.0, 9.0, 0)], ["project", "django"])
    statement = samples.query(0, start_ms=10.0, duration_ms=20.0)
    view = shown(calls=calls, queries=samples.queries(statement))
    longest = view.gaps[0]
    wall = capture(instruments={}).timing.wall_ms
    assert sum(gap.ms for gap in view.gaps) == view.gap_ms == wall - 20.0
    first = next(gap for gap in view.gaps if gap.start_ms == 0.0)
    assert first.ms == 10.0
    assert first.within == "f1"
    assert longest.ms == max(gap.ms for gap in view.gaps)


def test_overlapping_statements_leave_no_gap_between_them() -> None:
    two = [samples.query(i, start_ms=i * 1.0, duration_ms=5.0) for i in range(2)]
    view = shown(queries=samples.queries(*two))
    assert view.gap_ms == capture(instruments={}).timing.wall_ms - 6.0


def test_bars_that_are_not_in_order_keep_their_rows_and_their_places() -> None:
    late = [samples.query(i, start_ms=at, duration_ms=1.0) for i, at in enumerate((5.0, 0.0, 0.5))]
    found = track(shown(queries=samples.queries(*late)), "queries")
    assert (found["index"], found["row"]) == ([1, 0, 2], [0, 0, 1])
    assert found["busy"] == 2.5


def test_a_failed_statement_is_marked() -> None:
    view = shown(queries=samples.queries(samples.query(0), samples.query(1, error="E: no")))
    assert track(view, "queries")["failed"] == [1]


def test_a_stream_is_a_bar_from_its_first_chunk_to_its_last() -> None:
    request = RequestInfo(
        method="GET",
        path="/",
        stream={"chunks": 3, "generating_ms": 2.0, "waiting_ms": 5.0, "bytes": 1},
    )
    found = capture(instruments={}, request=request)
    view = timeline_view(found)
    assert view is not None
    bars = track(view, "stream")
    assert bars["start"] == [found.timing.wall_ms - 2.0]
    assert bars["ms"] == [7.0]
    assert view.total_ms == found.timing.wall_ms + 5.0


def test_steps_that_held_the_loop_beyond_the_bound_are_said_to_be_missing() -> None:
    step = {"start_ms": 1.0, "duration_ms": 60.0}
    view = shown(eventloop={"held_count": 5, "holds": [step, step], "waits": [], "truncated": 9})
    assert track(view, "holds")["missed"] == 3


def test_texts_are_kept_once_and_long_ones_are_cut() -> None:
    cache = samples.cache("k" * 10_000)
    cache["operations"] *= 50
    view = shown(cache=cache)
    assert len(view.data["texts"]) == 3
    assert max(map(len, view.data["texts"])) == 300


def test_what_the_page_says_of_statements_elsewhere_is_not_sent_twice() -> None:
    found = track(shown(queries=samples.queries(*map(samples.query, range(9)))), "queries")
    assert found["count"] == 9
    assert not {"start", "ms", "text", "note", "index"} & found.keys()


def test_hostile_names_are_kept_as_they_are() -> None:
    view = shown(cache=samples.cache(HOSTILE))
    assert any(HOSTILE in text for text in view.data["texts"])


def test_the_union_of_intervals_counts_no_moment_twice() -> None:
    assert union([(3.0, 4.0), (0.0, 2.0), (1.0, 2.5)]) == [(0.0, 2.5), (3.0, 4.0)]


def test_the_busy_time_of_a_track_counts_no_moment_twice() -> None:
    bars = [Bar(0.0, 2.0, "a"), Bar(1.0, 2.0, "b")]
    assert Track(key="x", label="", hint="", tone="", bars=bars).busy == 3.0


def test_djangos_handler_stands_between_the_middleware_and_the_view() -> None:
    data = {
        "middleware": [
            {"name": "a.Outer", "start_ms": 0.0, "total_ms": 9.0, "own_ms": 1.0, "index": 0}
        ],
        "handler": {"start_ms": 0.5, "total_ms": 8.0, "own_ms": 0.5},
        "view": {"start_ms": 1.0, "duration_ms": 7.5},
        "missed": [],
    }
    view = shown(middleware=data)
    assert track(view, "middleware")["row"] == [0, 1, 2]
    assert view.middleware[-1].own_ms == 0.5
    assert view.middleware_ms == 1.5
