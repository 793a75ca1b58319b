"""What was seen of the rows, in the shape of ``docs/reference/capture.md``."""

from __future__ import annotations

from typing import Any

from django_hotpath.instruments.usage_models import visible_columns
from django_hotpath.instruments.usage_rows import MAX_FOLLOWED, Eager, Fetch, Rows, Shape


def plain(rows: Rows) -> dict[str, Any]:
    """Of the rows that they were, not of those that are still alive."""
    tops = [shape for fetch in rows.fetches for shape in _tops(fetch)]
    numbers = {id(shape): number for number, shape in enumerate(tops)}
    querysets = [_queryset(shape, tops, numbers) for shape in tops]
    return {
        "count": sum(fetch.runs for fetch in rows.fetches) + rows.dropped,
        "rows": sum(found["rows"] for found in querysets),
        "reads": rows.reads,
        "truncated": rows.dropped,
        "bound": MAX_FOLLOWED,
        "querysets": querysets,
    }


def _tops(fetch: Fetch) -> list[Shape]:
    """The rows themselves; several where they are of several classes."""
    return [shape for (path, _model), shape in fetch.shapes.items() if not path]


def _queryset(top: Shape, tops: list[Shape], numbers: dict[int, int]) -> dict[str, Any]:
    fetch, place = top.fetch, top.fetch.place
    found: dict[str, Any] = {
        "query": fetch.indexes[0] if fetch.indexes else None,
        "queries": list(fetch.indexes),
        "runs": fetch.runs,
        "call_site": place.call_site,
        "raw": place.raw,
        "dicts": place.dicts,
        "of": None,
        **_rows(top),
        "relations": {},
    }
    if place.parent is not None:
        shape, eager = place.parent
        found["of"] = {"queryset": _number(shape.fetch, numbers), "lookup": eager.lookup}
    for (path, _model), shape in fetch.shapes.items():
        for name, eager in shape.eager.items():
            relation = f"{path}__{name}" if path else name
            if relation not in found["relations"]:
                found["relations"][relation] = _relation(shape, name, eager, tops, numbers)
    return found


def _rows(shape: Shape) -> dict[str, Any]:
    visible = visible_columns(shape.model)
    return {
        "model": shape.model._meta.label,
        "rows": shape.rows,
        "followed": shape.followed,
        "touched": shape.touched,
        "first": shape.first if shape.touched else None,
        "last": shape.last if shape.touched else None,
        "columns": list(shape.columns),
        "keys": [name for name in shape.columns if name in shape.keys],
        "unseen": [name for name in shape.columns if name not in visible],
        "read": {name: shape.read[name] for name in shape.columns if name in shape.read},
        "bytes": _bytes(shape),
    }


def _bytes(shape: Shape) -> dict[str, int]:
    """Of all rows, from those that were sized."""
    if not shape.sized:
        return {}
    return {name: size * shape.rows // shape.sized for name, size in shape.bytes.items()}


def _relation(
    shape: Shape, name: str, eager: Eager, tops: list[Shape], numbers: dict[int, int]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "of": shape.model._meta.label,
        "how": eager.how,
        "accessor": name,
        "lookup": eager.lookup,
        "queryset": None if eager.owner is None else _number(eager.owner, numbers),
        "seen": eager.visible,
        "to_attr": eager.to_attr or None,
        "of_rows": eager.rows,
        "read": shape.read.get(name, 0),
    }
    if eager.how == "select_related":
        below = [
            child for (path, _model), child in shape.fetch.shapes.items() if path == eager.lookup
        ]
    else:
        below = [
            top
            for top in tops
            if top.fetch.place.parent is not None and top.fetch.place.parent[1] is eager
        ]
        found["querysets"] = [numbers[id(top)] for top in below]
    found["instances"] = sum(child.rows for child in below)
    found["distinct"] = len(set().union(*(child.pks for child in below)))
    found["touched"] = sum(child.touched for child in below)
    if below and eager.how == "select_related":
        rows = _rows(below[0])
        found["model"] = rows["model"]
        found["rows"] = {
            key: rows[key] for key in ("columns", "keys", "unseen", "read", "bytes", "followed")
        }
    elif below:
        found["model"] = below[0].model._meta.label
    return found


def _number(fetch: Fetch, numbers: dict[int, int]) -> int | None:
    return next((numbers[id(shape)] for shape in _tops(fetch)), None)
