from __future__ import annotations

from pathlib import Path

import pytest

from django_hotpath.exporters import _budget
from tests.exporters import captures, readers


def test_a_stack_is_a_line() -> None:
    lines = captures.chain(["view", "inner"]).export("collapsed").decode().splitlines()
    assert lines == [
        "GET /books/;view (shop/part_0.py:1) 1000000",
        "GET /books/;view (shop/part_0.py:1);inner (shop/part_1.py:2) 2000000",
    ]


def test_speedscope_reads_it(tmp_path: Path) -> None:
    capture = captures.at_random(3)
    (found,) = readers.speedscope(tmp_path, "x.collapsed.txt", capture.export("collapsed"))
    assert found["total"] == captures.total_ns(capture)


def test_a_name_neither_ends_a_frame_nor_a_line(tmp_path: Path) -> None:
    data = captures.hostile().export("collapsed")
    (found,) = readers.speedscope(tmp_path, "x.collapsed.txt", data)
    assert found["deepest"] == len(captures.HOSTILE) + 1
    assert len(data.decode().splitlines()) == len(captures.HOSTILE)


def test_deep_trees_are_cut_where_the_file_would_grow_by_the_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_budget, "MAX_FRAMES", 1_000)
    capture = captures.chain([f"f{n}" for n in range(200)])
    lines = capture.export("collapsed").decode().splitlines()
    assert sum(line.count(";") + 1 for line in lines) <= 1_100
    assert "(left out: the smallest)" in lines[-1]
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == captures.total_ns(capture)
