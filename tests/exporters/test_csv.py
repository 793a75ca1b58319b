from __future__ import annotations

import csv
import io

import pytest

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from tests import factories
from tests.exporters import captures
from tests.factories import query


def rows(capture: Capture) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capture.export("csv").decode(), newline="")))


def test_a_row_is_a_statement_with_its_line() -> None:
    first, second = rows(factories.with_queries(query(0), query(1, params=["7", "'x'"])))
    assert first["sql"] == "SELECT 1"
    assert [first["file"], first["line"], first["function"]] == ["shop/views.py", "12", "book_list"]
    assert first["times"] == "2"
    assert second["params"] == "7, 'x'"
    assert second["start_ms"] == "1.0"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\u200b=1", "\uff1d1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = rows(factories.with_queries(query(0, text)))
    assert row["sql"] == f"'{text}"


def test_hostile_texts_stay_in_their_cells() -> None:
    found = rows(captures.hostile())
    assert len(found) == len(captures.HOSTILE)
    assert found[0]["sql"] == "</script><img onerror=alert(1)>"
    assert found[1]["sql"] == "a;b\nc\r\nd\te"
    assert found[6]["sql"].startswith("nul\\x00")
    assert len(found[7]["sql"]) == 10_007


def test_no_queries_are_a_header() -> None:
    assert factories.with_queries().export("csv").startswith(b"index,start_ms,duration_ms")


def test_a_capture_without_queries_says_so() -> None:
    with pytest.raises(ExportError, match="has no queries"):
        factories.capture().export("csv")
