from __future__ import annotations

from django_hotpath.analysis.findings import find
from django_hotpath.exporters.text import export
from tests import factories
from tests.factories import function, query, with_functions, with_queries


def test_findings_come_before_functions_and_queries() -> None:
    capture = with_queries(*(query(n, "SELECT %s", params=[str(n)]) for n in range(5)))
    text = export(capture.with_findings(find(capture))).decode()
    assert text.index("FINDINGS (1)") < text.index("QUERIES by time (5 in 1 groups)")
    assert "5 queries in a loop at shop/views.py:12 (N+1)" in text


def test_the_dearest_functions_are_listed() -> None:
    text = export(with_functions(function("cheap"), function("dear", own_ms=99.0))).decode()
    assert text.index("dear") < text.index("cheap")


def test_a_terminal_gets_no_control_characters() -> None:
    capture = factories.capture(label="GET /\x1b[31m\x07\udcff\n")
    assert b"GET /\\x1b[31m\\x07\\udcff\\x0a" in export(capture)


def test_a_capture_of_nothing_is_still_a_text() -> None:
    assert b"none of the known problems" in export(factories.capture(request=None))
