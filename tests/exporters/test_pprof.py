from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.exporters import captures, readers


def test_gos_pprof_reads_it(tmp_path: Path) -> None:
    data = captures.in_order().export("pprof")
    top = readers.go_pprof(tmp_path, data, "-top", "-unit=ms")
    assert "Total samples = 15ms" in top
    assert re.search(r"^\s+4ms .* 10ms 66.67%  outer$", top, re.MULTILINE)


def test_calls_are_counted_too(tmp_path: Path) -> None:
    data = captures.in_order().export("pprof")
    top = readers.go_pprof(tmp_path, data, "-top", "-sample_index=calls")
    assert "5 total" in top


def test_files_and_lines_go_along(tmp_path: Path) -> None:
    data = captures.chain(["view"]).export("pprof")
    assert "shop/part_0.py:1" in readers.go_pprof(tmp_path, data, "-top", "-lines")


def test_memory_is_a_sample_type_beside_time(tmp_path: Path) -> None:
    capture = captures.in_order()
    instruments = {**capture.instruments, **captures.allocated().instruments}
    both = captures.factories.capture(instruments=instruments)
    top = readers.go_pprof(tmp_path, both.export("pprof"), "-top", "-sample_index=inuse_space")
    assert "1000B total" in top
    assert "b.py:2" in top
    assert "15ms" in readers.go_pprof(tmp_path, both.export("pprof"), "-top")


@pytest.mark.parametrize("seed", range(3))
def test_speedscope_reads_it_too(tmp_path: Path, seed: int) -> None:
    capture = captures.at_random(seed)
    (found,) = readers.speedscope(tmp_path, "profile.pb.gz", capture.export("pprof"))
    assert found["total"] == captures.total_ns(capture)


def test_hostile_names_are_names(tmp_path: Path) -> None:
    raw = readers.go_pprof(tmp_path, captures.hostile().export("pprof"), "-raw")
    assert "</script><img onerror=alert(1)>" in raw
    assert "\\udcff\\udc80" in raw


def test_the_same_capture_is_the_same_file() -> None:
    capture = captures.at_random(1)
    assert capture.export("pprof") == capture.export("pprof")
