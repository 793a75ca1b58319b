"""``slow_template``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.capture import Capture
from tests.analysis.found import kinds, only
from tests.factories import capture, function, query

NAME = "shop/list.html"


def template(name: str = NAME, **values: Any) -> dict[str, Any]:
    return {
        "name": name,
        "file": f"templates/{name}",
        "engine": "django",
        "count": 1,
        "own_ms": 80.0,
        "cumulative_ms": 80.0,
        **values,
    }


def render(index: int = 0, name: str = NAME, **values: Any) -> dict[str, Any]:
    return {
        "index": index,
        "name": name,
        "engine": "django",
        "start_ms": 10.0,
        "duration_ms": 80.0,
        "own_ms": 80.0,
        "parent": None,
        **values,
    }


def with_templates(
    *templates: dict[str, Any], renders: tuple[dict[str, Any], ...] = (), **instruments: Any
) -> Capture:
    recorded = {
        "count": sum(found["count"] for found in templates),
        "total_ms": sum(found["own_ms"] for found in templates),
        "truncated": 0,
        "templates": list(templates),
        "renders": list(renders),
    }
    return capture(wall_ms=100.0, instruments={"templates": recorded, **instruments})


def tree(*nodes: tuple[int, str, float]) -> dict[str, Any]:
    """``calls`` of these nodes below the root: parent, kind (of a function of its own), own ms."""
    rows = [
        function(NAME if kind == "template" else f"f{number}", kind=kind, own_ms=own)
        for number, (_parent, kind, own) in enumerate(nodes)
    ]
    return {
        "engine": "native",
        "builtins": False,
        "total_ms": 100.0,
        "calls": len(rows),
        "primitive_calls": len(rows),
        "functions": rows,
        "edges": [],
        "truncated": 0,
        "tree": {
            "parent": [-1, *(parent for parent, _kind, _own in nodes)],
            "frame": [-1, *range(len(nodes))],
            "own_ms": [0.0, *(own for _parent, _kind, own in nodes)],
        },
    }


def queries(*found: dict[str, Any]) -> dict[str, Any]:
    return {"count": len(found), "total_ms": 0.0, "truncated": 0, "frames": [], "queries": found}


def test_found() -> None:
    finding = only(with_templates(template()))
    assert (finding.kind, finding.severity) == ("slow_template", "high")
    assert finding.title == "Rendering shop/list.html takes 80% of the time by itself"
    assert str(finding.call_site) == "templates/shop/list.html:1"


def test_gone_after_the_fix() -> None:
    assert kinds(with_templates(template(own_ms=12.0))) == []


def test_silent_on_a_small_share() -> None:
    assert kinds(with_templates(template(own_ms=20.0))) == []


def test_silent_on_what_it_includes() -> None:
    whole = template(own_ms=4.0, cumulative_ms=90.0)
    assert kinds(with_templates(whole)) == []


def test_silent_on_queries_that_it_sets_off() -> None:
    slow = query(0, start_ms=20.0, duration_ms=60.0)
    assert kinds(with_templates(template(), renders=(render(),), queries=queries(slow))) == []


def test_queries_of_what_it_includes_are_not_taken_from_it() -> None:
    inner = render(1, "shop/row.html", start_ms=20.0, duration_ms=5.0, parent=0)
    slow = query(0, start_ms=21.0, duration_ms=60.0)
    found = with_templates(template(), renders=(render(), inner), queries=queries(slow))
    assert only(found).cost_ms == 80.0


def test_queries_after_what_it_includes_are_taken_from_it() -> None:
    inner = render(1, "shop/row.html", start_ms=20.0, duration_ms=5.0, parent=0)
    slow = query(0, start_ms=30.0, duration_ms=60.0)
    found = with_templates(template(), renders=(render(), inner), queries=queries(slow))
    assert kinds(found) == []


def test_queries_beside_it_are_not_taken_from_it() -> None:
    slow = query(0, start_ms=95.0, duration_ms=60.0)
    found = with_templates(template(), renders=(render(),), queries=queries(slow))
    assert only(found).cost_ms == 80.0


def test_the_tree_tells_what_is_its_own() -> None:
    calls = tree((0, "template", 10.0), (1, "django", 50.0), (1, "builtin", 5.0))
    assert only(with_templates(template(), calls=calls)).cost_ms == 65.0


@pytest.mark.parametrize("kind", ["project", "sql", "cache", "http"])
def test_silent_on_work_that_it_calls(kind: str) -> None:
    calls = tree((0, "template", 10.0), (1, kind, 8.0), (2, "stdlib", 55.0))
    assert "slow_template" not in kinds(with_templates(template(), calls=calls))


@pytest.mark.parametrize("file", ["/site/django/contrib/admin/change_list.html", "<string>"])
def test_silent_on_templates_of_others(file: str) -> None:
    assert kinds(with_templates(template(file=file))) == []


def test_many_renderings_get_another_advice() -> None:
    finding = only(with_templates(template(count=500)))
    assert finding.fix is not None
    assert "number of renderings" in finding.fix.summary
    assert "rendered 500 times" in finding.detail


def test_jinja2_is_not_advised_to_those_who_have_it() -> None:
    finding = only(with_templates(template(engine="jinja2")))
    assert finding.fix is not None
    assert "Jinja2" not in finding.fix.summary
