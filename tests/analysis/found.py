"""What the rules find in captures made by hand."""

from __future__ import annotations

from typing import Any

from django_hotpath.analysis.findings import find
from django_hotpath.capture import Capture, Finding
from tests.factories import query

BOOKS = "SELECT id FROM book"
AUTHOR = "SELECT name FROM author WHERE id = %s"


def kinds(capture: Capture) -> list[str]:
    return [finding.kind for finding in find(capture)]


def only(capture: Capture) -> Finding:
    (finding,) = find(capture)
    return finding


def loop(times: int, **values: Any) -> list[dict[str, Any]]:
    return [query(number, AUTHOR, params=[str(number)], **values) for number in range(times)]
