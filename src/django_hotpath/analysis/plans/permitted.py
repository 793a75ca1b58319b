"""Which captured statements may be explained, and which may be run for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django_hotpath.analysis.plans.functions import DJANGOS, HARMLESS, KEYWORDS
from django_hotpath.analysis.statements import bare, nature

_CALL = re.compile(r"([A-Z_][\w.]*) ?\(")
_QUOTED_CALL = re.compile(r'"" ?\(')


def refusal(query: Mapping[str, Any], *, run: bool = False) -> str | None:
    """Why this statement of a capture is not explained; None when it is.

    ``run`` asks whether it may be run for it too, as ANALYZE and the trial of an index do.
    """
    if query.get("error"):
        return "The statement failed when it was captured; such a one is never explained."
    if query.get("running"):
        return "The statement had not ended when the capture did."
    if query.get("many"):
        return "It was sent once for many sets of parameters (executemany): those write."
    if query.get("sql_truncated"):
        return "Its text was too long to be kept whole."
    sql = str(query.get("sql", ""))
    found = nature(sql)
    if found.verb not in {"SELECT", "VALUES", "TABLE"}:
        return f"Only SELECT is explained; this is {found.verb or 'no statement that is known'}."
    if not found.reads:
        return (
            "It is not certain that it only reads: it calls a function without a table, writes "
            "somewhere (INTO) or holds several statements."
        )
    if found.resets:
        return "It locks what it reads (FOR UPDATE), which would make others wait."
    return _effects(sql) if run else None


def _effects(sql: str) -> str | None:
    text = bare(sql)
    if _QUOTED_CALL.search(text):
        return "To run it would call a function that is not known to have no effect."
    for name in dict.fromkeys(_CALL.findall(text)):
        last = name.rpartition(".")[2]
        if last in HARMLESS or name in KEYWORDS or last.startswith(DJANGOS):
            continue
        return (
            f"To run it would call {last.lower()}(), which is not known to have no effect. "
            "The plan without ANALYZE does not run it."
        )
    return None
