from __future__ import annotations

import re
from pathlib import Path

import pytest

from django_hotpath.exporters import ExportError
from tests import factories
from tests.exporters import captures, readers
from tests.factories import function


def own(text: str) -> dict[str, int]:
    found = re.findall(r"^\s*([\d,]+) \([ \d.]+%\)  \S*:(\S.*?)(?: \[.*\])?$", text, re.MULTILINE)
    return {name: int(number.replace(",", "")) for number, name in found}


def test_its_annotator_reads_it(tmp_path: Path) -> None:
    text = readers.callgrind(tmp_path, captures.in_order().export("callgrind"))
    assert "15,000,000 (100.0%)  PROGRAM TOTALS" in text
    assert own(text) == {"outer": 4_000_000, "inner": 6_000_000, "worker": 5_000_000}


def test_inclusive_costs_follow_the_calls(tmp_path: Path) -> None:
    data = captures.chain(["view", "inner", "innermost"]).export("callgrind")
    found = own(readers.callgrind(tmp_path, data, "--inclusive=yes"))
    assert found["view"] == 4_000_000
    assert found["inner"] == 3_000_000
    assert found["GET /books/"] == 4_000_000


@pytest.mark.parametrize("seed", range(3))
def test_speedscope_reads_it_too(tmp_path: Path, seed: int) -> None:
    capture = captures.at_random(seed)
    profiles = readers.speedscope(tmp_path, "callgrind.out.1", capture.export("callgrind"))
    own_times = sum(frame["own"] for frame in profiles[0]["frames"])
    assert own_times == pytest.approx(captures.total_ns(capture), rel=0.01)


def test_cprofile_is_enough_for_a_graph(tmp_path: Path) -> None:
    capture = factories.with_functions(function("one", own_ms=3.0), function("two", line=9))
    assert own(readers.callgrind(tmp_path, capture.export("callgrind"))) == {
        "one": 3_000_000,
        "two": 1_000_000,
    }


def test_functions_that_share_file_and_name_stay_apart(tmp_path: Path) -> None:
    capture = factories.with_functions(function("<lambda>", line=3), function("<lambda>", line=9))
    assert own(readers.callgrind(tmp_path, capture.export("callgrind"))) == {
        "<lambda> (line 3)": 1_000_000,
        "<lambda> (line 9)": 1_000_000,
    }


def test_hostile_names_neither_end_a_line_nor_look_like_a_number(tmp_path: Path) -> None:
    data = captures.hostile().export("callgrind")
    text = readers.callgrind(tmp_path, data)
    assert f"{captures.total_ns(captures.hostile()):,} (100.0%)  PROGRAM TOTALS" in text
    assert "\\udcff\\udc80" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", data.decode())


def test_a_capture_without_calls_says_so() -> None:
    with pytest.raises(ExportError, match="has no calls"):
        factories.with_queries().export("callgrind")
