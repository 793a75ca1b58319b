"""Model instances by model, other objects by type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.report.formats import share


@dataclass(frozen=True, kw_only=True)
class ObjectsView:
    engine: str
    created: int
    alive: int
    untracked: int
    garbage: int | None
    truncated: int
    deep: bool
    """Whether the size with all that an instance holds was measured."""
    sized: bool
    """Whether types have sizes."""
    models: Sequence[Mapping[str, Any]]
    """With ``share`` of the bytes of all models, and how many instances were ``followed``."""
    types: Sequence[Mapping[str, Any]]


def objects_view(objects: Mapping[str, Any]) -> ObjectsView:
    models = objects["models"]
    types = objects["types"]
    total = sum(row["total_size"] for row in models)
    return ObjectsView(
        engine=str(objects.get("engine", "")),
        created=objects["created"],
        alive=objects["alive"],
        untracked=objects.get("untracked") or 0,
        garbage=objects.get("garbage"),
        truncated=objects.get("truncated") or 0,
        deep=any(row.get("deep_size") is not None for row in models),
        sized=any(row.get("size") is not None for row in types),
        models=[
            {
                **row,
                "share": share(row["total_size"], total),
                "followed": row["created"] - row["untracked"],
            }
            for row in models
        ],
        types=types,
    )
