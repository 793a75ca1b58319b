"""Functions and layers before and after: means of the runs, which add up to the mean time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django_hotpath.analysis.compare.model import FunctionChange, LayerChange
from django_hotpath.analysis.compare.statistics import ALPHA, enough, p_value
from django_hotpath.analysis.layers import layer, layer_of, node_layers
from django_hotpath.capture import Capture

Key = tuple[str, str, str]

MOST = 200
# Of so many the own times are tested; below, differences are too small to look at.
_TESTED = 60


def identity(function: Mapping[str, Any]) -> Key:
    """What a function is, whatever line it moved to: kind, file and qualified name."""
    return str(function["kind"]), str(function.get("file") or ""), str(function["function"])


@dataclass
class _Rows:
    row: Mapping[str, Any]
    own: list[float] = field(default_factory=list)
    total: float = 0.0
    calls: int = 0


def functions(a: Sequence[Capture], b: Sequence[Capture]) -> list[FunctionChange]:
    """Those whose own time changed most, most first; empty unless both sets measured calls."""
    if not have_calls([*a, *b]):
        return []
    before, after = _rows(a), _rows(b)
    found = []
    for key in [*before, *(key for key in after if key not in before)]:
        old, now = before.get(key), after.get(key)
        shown = (now or old).row  # type: ignore[union-attr]
        found.append(
            (
                FunctionChange(
                    function=key[2],
                    file=key[1],
                    line=int(shown.get("line") or 0),
                    kind=key[0],
                    layer=layer_of(shown),
                    before_calls=old.calls / len(a) if old else 0.0,
                    after_calls=now.calls / len(b) if now else 0.0,
                    before_own_ms=sum(old.own) / len(a) if old else 0.0,
                    after_own_ms=sum(now.own) / len(b) if now else 0.0,
                    before_ms=old.total / len(a) if old else 0.0,
                    after_ms=now.total / len(b) if now else 0.0,
                    certain=False,
                ),
                old.own if old else [0.0] * len(a),
                now.own if now else [0.0] * len(b),
            )
        )
    found.sort(key=lambda entry: -abs(entry[0].after_own_ms - entry[0].before_own_ms))
    tested = enough(len(a), len(b))
    return [
        _with_test(change, old_own, now_own) if tested and at < _TESTED else change
        for at, (change, old_own, now_own) in enumerate(found[:MOST])
    ]


def _with_test(
    change: FunctionChange, before: Sequence[float], after: Sequence[float]
) -> FunctionChange:
    return replace(change, certain=p_value(before, after) <= ALPHA)


def have_calls(captures: Sequence[Capture]) -> bool:
    return bool(captures) and all(
        isinstance(calls := capture.instruments.get("calls"), dict) and "functions" in calls
        for capture in captures
    )


def _rows(captures: Sequence[Capture]) -> dict[Key, _Rows]:
    found: dict[Key, _Rows] = {}
    for number, capture in enumerate(captures):
        for row in capture.instruments["calls"]["functions"]:
            rows = found.setdefault(identity(row), _Rows(row))
            rows.own += [0.0] * (number + 1 - len(rows.own))
            rows.own[number] += row["own_ms"]
            rows.total += row["cumulative_ms"]
            rows.calls += row["calls"]
    for rows in found.values():
        rows.own += [0.0] * (len(captures) - len(rows.own))
    return found


def layers(a: Sequence[Capture], b: Sequence[Capture]) -> list[LayerChange]:
    """Own time by layer, most first; of database and rest where calls were not measured."""
    if have_calls([*a, *b]):
        before, after = _mean(a, _own_by_layer), _mean(b, _own_by_layer)
    elif a and b and all(capture.timing.db_ms is not None for capture in [*a, *b]):
        before, after = _mean(a, _by_timing), _mean(b, _by_timing)
    else:
        return []
    keys = sorted(before.keys() | after.keys(), key=lambda key: -_most(before, after, key))
    return [
        LayerChange(
            key=key,
            label=layer(key).label,
            tone=layer(key).tone,
            before_ms=before.get(key, 0.0),
            after_ms=after.get(key, 0.0),
        )
        for key in keys
        if _most(before, after, key) > 0
    ]


def _most(before: Mapping[str, float], after: Mapping[str, float], key: str) -> float:
    return max(before.get(key, 0.0), after.get(key, 0.0))


def _mean(captures: Sequence[Capture], read: Any) -> dict[str, float]:
    total: dict[str, float] = {}
    for capture in captures:
        for key, value in read(capture).items():
            total[key] = total.get(key, 0.0) + value / len(captures)
    return total


def _own_by_layer(capture: Capture) -> dict[str, float]:
    calls = capture.instruments["calls"]
    found: dict[str, float] = {}
    tree = calls.get("tree")
    if tree:
        rows = list(zip(node_layers(tree, calls["functions"]), tree["own_ms"], strict=True))
        if capture.request is None and rows:
            # The root's own time is the body of a block that somebody wrote.
            rows[0] = ("project", rows[0][1])
    else:
        rows = [(layer_of(row), row["own_ms"]) for row in calls["functions"]]
    for key, own in rows:
        found[key] = found.get(key, 0.0) + max(own, 0.0)
    left_out = calls["total_ms"] - sum(found.values())
    if left_out > 1e-6 and (calls.get("truncated") or (tree and tree.get("omitted"))):
        found["rest"] = found.get("rest", 0.0) + left_out
    return found


def _by_timing(capture: Capture) -> dict[str, float]:
    wall = capture.timing.wall_ms
    database = min(capture.timing.db_ms or 0.0, wall)
    return {"database": database, "rest": wall - database}
