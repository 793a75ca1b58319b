from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from django_hotpath.exporters import ExportError
from tests import factories
from tests.exporters import captures, readers
from tests.factories import function


def test_its_own_importer_reads_both_orders(tmp_path: Path) -> None:
    data = captures.in_order().export("speedscope")
    first, second, merged = readers.speedscope(tmp_path, "x.speedscope.json", data)
    assert [first["total"], second["total"], merged["total"]] == [10e6, 7e6, 15e6]
    assert [first["calls"], second["calls"], merged["calls"]] == [4, 1, 4]
    assert {found["unit"] for found in (first, second, merged)} == {"nanoseconds"}
    assert {frame["name"]: frame["total"] for frame in first["frames"]} == {
        "outer": 10e6,
        "inner": 6e6,
    }
    assert second["frames"][0]["name"] == "worker"


def test_files_and_lines_go_along(tmp_path: Path) -> None:
    data = captures.chain(["view"]).export("speedscope")
    (found,) = readers.speedscope(tmp_path, "x.json", data)
    assert {"name": "view", "file": "shop/part_0.py", "line": 1, "total": 2e6, "own": 2e6} in found[
        "frames"
    ]


def test_samples_in_order_and_merged(tmp_path: Path) -> None:
    data = captures.sampled().export("speedscope")
    ordered, merged = readers.speedscope(tmp_path, "x.json", data)
    # view > left, view > right, view > left, view alone
    assert [ordered["calls"], merged["calls"]] == [1 + 1 + 3, 1 + 1 + 2]
    assert ordered["total"] == merged["total"] == 4e6


def test_memory_is_a_profile_in_bytes(tmp_path: Path) -> None:
    data = captures.allocated().export("speedscope")
    (found,) = readers.speedscope(tmp_path, "x.json", data)
    assert [found["unit"], found["total"]] == ["bytes", 1000]
    assert {frame["name"]: frame["total"] for frame in found["frames"]}["a.py:1"] == 900


@pytest.mark.parametrize(
    "capture",
    [captures.in_order(), captures.sampled(), captures.allocated(), captures.hostile()],
    ids=["calls", "samples", "memory", "hostile"],
)
def test_it_is_what_its_schema_says(capture: captures.Capture) -> None:
    jsonschema.validate(json.loads(capture.export("speedscope")), readers.speedscope_schema())


def test_hostile_names_are_names(tmp_path: Path) -> None:
    data = captures.hostile().export("speedscope")
    (found,) = readers.speedscope(tmp_path, "x.json", data)
    names = [frame["name"] for frame in found["frames"]]
    assert "</script><img onerror=alert(1)>" in names
    assert "\\udcff\\udc80" in names
    assert "\u202egnp.exe\u200b\u2066" in names
    assert max(len(name) for name in names) <= 1_000


def test_calls_of_cprofile_are_refused_with_the_reason() -> None:
    with pytest.raises(ExportError, match="cProfile knows callers and callees but no stacks"):
        factories.with_functions(function()).export("speedscope")
