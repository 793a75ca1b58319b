"""Reads the results of ``lines`` and ``line_memory`` by function and by the text of the line."""

from __future__ import annotations

from typing import Any

from django_hotpath import stores
from django_hotpath.capture import Capture


def function(result: dict[str, Any], name: str) -> dict[str, Any]:
    """By qualified name, or the end of it."""
    (found,) = [
        row
        for row in result["functions"]
        if row["function"] == name or row["function"].endswith(f".{name}")
    ]
    return found  # type: ignore[no-any-return]


def lines(result: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The lines that can run, by their text."""
    return {
        line["source"].strip(): line
        for line in function(result, name)["lines"]
        if line["hits"] is not None
    }


def hits(result: dict[str, Any], name: str) -> dict[str, int]:
    return {text: line["hits"] for text, line in lines(result, name).items()}


def functions(result: dict[str, Any]) -> set[str]:
    return {row["function"] for row in result["functions"]}


def stored(response: Any) -> Capture:
    """The capture that the answer's header points to, closed first: it is stored with that."""
    response.close()
    return stores.get_store().get(response["Hotpath-Capture"].strip("/").split("/")[-1])
