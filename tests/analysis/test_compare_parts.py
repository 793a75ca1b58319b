from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from django_hotpath.analysis.compare import compare
from django_hotpath.capture import CallSite, Capture, Finding, Timing
from tests.factories import SITE, capture, function, query, with_functions, with_queries
from tests.report.samples import finding


def found_at(line: int, **values: Any) -> Finding:
    site = CallSite(file="shop/views.py", line=line, function="book_list")
    return finding(call_site=site, relation="Book.author", **values)


def with_findings(*findings: Finding) -> Capture:
    return capture(findings=findings)


def states(a: list[Capture], b: list[Capture]) -> list[str]:
    return [found.state for found in compare(a, b).findings]


def test_a_finding_is_fixed_new_or_still_there() -> None:
    other = found_at(3, text="other")
    other = replace(other, kind="slow_query")
    assert states([with_findings(found_at(1))], [with_findings()]) == ["fixed"]
    assert states([with_findings()], [with_findings(found_at(1))]) == ["new"]
    assert states([with_findings(found_at(1))], [with_findings(found_at(1), other)]) == [
        "new",
        "still",
    ]


def test_a_finding_is_the_same_when_its_line_moved() -> None:
    assert states([with_findings(found_at(10))], [with_findings(found_at(14))]) == ["still"]


def test_two_findings_of_a_function_are_two() -> None:
    both = with_findings(found_at(10), found_at(20))
    assert states([both], [with_findings(found_at(11))]) == ["still", "fixed"]


def test_a_finding_of_few_runs_does_not_count() -> None:
    a = [with_findings() for _ in range(3)]
    b = [with_findings(found_at(1)), with_findings(), with_findings()]
    assert states(a, b) == []


def test_a_finding_leads_to_captures_that_show_it() -> None:
    a, b = with_findings(found_at(1)), with_findings(found_at(2))
    [found] = compare(a, b).findings
    assert (found.before_capture, found.before_number) == (a.id, 0)
    assert (found.after_capture, found.after_number) == (b.id, 0)


def changes(a: Capture | list[Capture], b: Capture | list[Capture]) -> dict[str, str]:
    return {found.sql: found.state for found in compare(a, b).queries}


def test_statements_appear_vanish_and_change_in_number() -> None:
    a = with_queries(query(0, "SELECT 1 FROM a"), query(1, "SELECT 1 FROM b"))
    b = with_queries(
        query(0, "SELECT 1 FROM b"), query(1, "SELECT 1 FROM b"), query(2, "SELECT 1 FROM c")
    )
    assert changes(a, b) == {
        "SELECT 1 FROM a": "gone",
        "SELECT 1 FROM b": "more",
        "SELECT 1 FROM c": "new",
    }


def test_a_statement_with_other_values_is_the_same() -> None:
    a = with_queries(query(0, "SELECT x FROM a WHERE id = 1"))
    b = with_queries(query(0, "SELECT x FROM a WHERE id = 2"))
    assert list(changes(a, b).values()) == ["same"]


def test_a_statement_that_is_run_lines_lower_is_the_same() -> None:
    a = with_queries(query(0))
    b = with_queries(query(0, call_site={**SITE, "line": 40}))
    [found] = compare(a, b).queries
    assert (found.state, found.moved) == ("same", False)


def test_a_statement_that_is_run_by_another_function_has_moved() -> None:
    a = with_queries(query(0))
    b = with_queries(query(0, call_site={**SITE, "function": "get_books"}))
    [found] = compare(a, b).queries
    assert (found.state, found.moved) == ("same", True)


def test_a_statement_of_a_template_is_told_by_the_template() -> None:
    site = {**SITE, "template": "books.html", "template_line": 3}
    a = with_queries(query(0, call_site=site))
    b = with_queries(query(0, call_site={**site, "template_line": 9, "function": "other"}))
    [found] = compare(a, b).queries
    assert (found.state, found.moved) == ("same", False)


def test_statements_of_sets_are_medians() -> None:
    twice = [with_queries(query(0), query(1)) for _ in range(3)]
    [found] = compare([with_queries(query(0)), *twice[:2]], twice[2]).queries
    assert (found.before, found.after, found.state) == (2, 2, "same")


def test_queries_that_one_set_did_not_measure_are_not_compared() -> None:
    assert compare(capture(), with_queries(query(0))).queries == ()


def test_functions_are_matched_by_file_and_name() -> None:
    a = with_functions(function("f", own_ms=5.0, line=3))
    b = with_functions(function("f", own_ms=2.0, line=30), function("g", own_ms=1.0))
    first, second = compare(a, b).functions
    assert (first.function, first.line) == ("f", 30)
    assert (first.before_own_ms, first.after_own_ms) == (5.0, 2.0)
    assert (second.function, second.before_calls, second.after_own_ms) == ("g", 0.0, 1.0)


def test_functions_of_sets_are_means() -> None:
    a = [with_functions(function("f", own_ms=own)) for own in (1.0, 3.0)]
    [found] = compare(a, with_functions(function("f", own_ms=2.0))).functions
    assert found.before_own_ms == 2.0


def test_a_function_that_changed_by_chance_is_not_certain() -> None:
    def made(*times: float) -> list[Capture]:
        return [
            with_functions(function("f", own_ms=own), function("g", own_ms=10 - own))
            for own in times
        ]

    same = compare(made(1, 2, 3, 4, 5), made(1.5, 2.5, 3.5, 4.5, 5.5)).functions
    assert not any(found.certain for found in same)
    other = compare(made(1, 2, 3, 4, 5), made(6, 7, 8, 9, 9.5)).functions
    assert all(found.certain for found in other)


def test_layers_add_up_to_the_mean_time() -> None:
    a = [
        with_functions(function("f", own_ms=own), function("g", own_ms=1, kind="stdlib"))
        for own in (1.0, 3.0)
    ]
    layers = {found.key: found.before_ms for found in compare(a, a).layers}
    assert layers == {"project": 2.0, "stdlib": 1.0}


def test_layers_without_calls_are_database_and_the_rest() -> None:
    one = capture(timing=Timing(wall_ms=100, db_ms=40))
    layers = {found.key: found.before_ms for found in compare(one, one).layers}
    assert layers == {"rest": 60.0, "database": 40.0}


@pytest.mark.parametrize("broken", [{"queries": "x"}, {"calls": None}])
def test_an_instrument_of_another_shape_is_left_out_of_counts(broken: dict[str, Any]) -> None:
    data = {name: {"count": 1} if value is None else value for name, value in broken.items()}
    one = capture(instruments={"calls": data.get("calls", {}), "gc": {}})
    assert compare(one, one).functions == ()


def with_code(own: float, changed: float = 10.0, seed: int = 0, **values: Any) -> Capture:
    """Twenty functions that did not change, and one that did."""
    random = Random(seed)
    rows = [function(f"f{i}", own_ms=own * random.lognormvariate(0, 0.05)) for i in range(20)]
    wall = sum(row["own_ms"] for row in rows) + changed
    return replace(
        with_functions(*rows, function("changed", own_ms=changed), wall_ms=wall), **values
    )


def test_a_busy_machine_is_no_change_of_the_code() -> None:
    a = [with_code(2.0, 20, seed) for seed in range(10)]
    b = [with_code(1.0, 10, seed + 50) for seed in range(10)]
    told = compare(a, b)
    assert told.outcome == "unclear"
    assert "code that did not change took" in told.verdict
    assert "busier during A" in told.verdict


def test_a_change_of_one_function_is_not_blamed_on_the_machine() -> None:
    a = [with_code(1.0, 40, seed) for seed in range(10)]
    b = [with_code(1.0, 10, seed + 50) for seed in range(10)]
    told = compare(a, b)
    assert told.faster
    assert not any("machine's" in text for text in told.cautions)


def test_a_part_that_is_the_machines_is_said() -> None:
    a = [with_code(1.0, 60, seed) for seed in range(10)]
    b = [with_code(0.85, 10, seed + 50) for seed in range(10)]
    told = compare(a, b)
    assert told.faster
    assert any("part of the difference is the machine's" in text for text in told.cautions)


def test_another_python_is_no_control() -> None:
    a = [with_code(2.0, 20, seed) for seed in range(10)]
    newer = replace(a[0].environment, python="3.14.0")
    b = [with_code(1.0, 10, seed + 50, environment=newer) for seed in range(10)]
    assert compare(a, b).faster


def test_waiting_is_told_from_work() -> None:
    def made(wall: float, seed: int) -> list[Capture]:
        random = Random(seed)
        return [
            capture(timing=Timing(wall_ms=wall + random.random(), cpu_ms=50 + random.random()))
            for _ in range(8)
        ]

    told = compare(made(100, 1), made(80, 2))
    assert told.faster
    assert any("what changed is waiting" in text for text in told.cautions)
