"""Files stay bounded, and say so; nothing here is timed."""

from __future__ import annotations

import json

import pytest

from django_hotpath import exporters
from django_hotpath.exporters import _trees
from tests import factories
from tests.exporters import captures
from tests.factories import query


def test_a_tree_beyond_the_bound_is_pruned_and_adds_up() -> None:
    capture = captures.at_random(1, _trees.MAX_NODES + 5_000)
    (profile,) = json.loads(capture.export("speedscope"))["profiles"]
    assert "the 5,000 smallest frames are left out" in profile["name"]
    assert profile["endValue"] == captures.total_ns(capture)


@pytest.mark.parametrize("name", ["collapsed", "pprof"])
def test_a_very_deep_tree_is_no_problem(name: str) -> None:
    capture = captures.chain([f"f{n}" for n in range(20_000)])
    assert len(capture.export(name)) < 200_000_000


@pytest.mark.parametrize("name", exporters.names())
def test_twenty_thousand_queries_are_written(name: str) -> None:
    one = query(0)
    capture = factories.with_queries(
        *({**one, "index": n, "start_ms": float(n)} for n in range(20_000))
    )
    if exporters.get(name).refusal(capture) is None:
        assert capture.export(name)
