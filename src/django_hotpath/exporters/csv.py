"""The queries as a table, one row a statement: UTF-8, commas, quoted where needed.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula: texts that
do so are given an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from django_hotpath.exporters._names import valid

CONTENT_TYPE = "text/csv; charset=utf-8"
SUFFIX = "queries.csv"
LABEL = "CSV of the queries"
HINT = "a spreadsheet: one row a statement, with its line of code"

COLUMNS = (
    *("index", "start_ms", "duration_ms", "fetch_ms", "rows", "times", "alias", "vendor", "sql"),
    *("params", "file", "line", "function", "template", "template_line"),
    *("many", "transaction", "error", "fingerprint"),
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001
# What spreadsheets and their importers skip before they look.
_SKIPPED = "".join(map(chr, (*range(0x21), 0x7F, 0xA0, 0x200B, 0x200E, 0x200F, 0x202E, 0xFEFF)))


def refusal(capture: Capture) -> str | None:
    if "queries" in capture.instruments:
        return None
    return "this capture has no queries: take one with ?profile=queries"


def export(capture: Capture) -> bytes:
    """``times`` is how many statements have this one's fingerprint.

    Raises ``ExportError`` for a capture without ``queries``.
    """
    reason = refusal(capture)
    if reason is not None:
        raise ExportError(reason)
    queries = capture.instruments["queries"]["queries"]
    times = Counter(query.get("fingerprint") for query in queries)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for query in queries:
        writer.writerow([_cell(value) for value in _row(query, times[query.get("fingerprint")])])
    return out.getvalue().encode("utf-8")


def _row(query: Mapping[str, Any], times: int) -> list[Any]:
    site = query.get("call_site") or {}
    params = query.get("params")
    found = {
        **{name: query.get(name) for name in COLUMNS},
        **{name: site.get(name) for name in COLUMNS if name in site},
        "times": times,
        "params": ", ".join(map(str, params)) if params else None,
    }
    return [found[name] for name in COLUMNS]


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = valid(value).replace("\x00", "\\x00")
    if text.startswith(_FORMULA) or text.lstrip(_SKIPPED).startswith(_FORMULA):
        return f"'{text}"
    return text
