"""How an example answers: an HTML page, or the same payload as JSON with `?format=json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

SHOWN_ROWS = 100
SHOWN_CHARACTERS = 80


class Payload(TypedDict):
    columns: list[str]
    rows: list[list[Any]]


def payload(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Payload:
    """The plain data of a page; the rows are read to the end here."""
    return {"columns": list(columns), "rows": [list(row) for row in rows]}


def wants_json(request: HttpRequest) -> bool:
    return request.GET.get("format") == "json"


def answer(request: HttpRequest, data: Payload, *, note: str = "") -> HttpResponse:
    """The payload as JSON or as a table of its first rows, with a note under it."""
    if wants_json(request):
        return JsonResponse(data)
    # Inlined, so that it is no function in the profile of every page.
    rows = [
        [
            value[:SHOWN_CHARACTERS] + "…"
            if isinstance(value, str) and len(value) > SHOWN_CHARACTERS
            else value
            for value in row
        ]
        for row in data["rows"][:SHOWN_ROWS]
    ]
    context = {**data, "rows": rows, "total": len(data["rows"]), "note": note}
    return render(request, "examples/page.html", context)
