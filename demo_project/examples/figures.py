"""The measures of signals: what each of them reads from a capture, and of which instruments.

| Measure | Reads |
|---|---|
| `queries`, `queries on <alias>`, `rows fetched` | statements, rows of them |
| `duplicate queries` | statements that repeat an earlier one to the letter |
| `INSERT statements`, `UPDATE statements`, `DELETE statements` | without those of transactions |
| `columns` | columns of the first SELECT |
| `model instances`, `model instances of Company` | made by the request |
| `instances left` | model instances that were alive at the end |
| `calls of balance_of`, `built-in calls of abs` | by function or qualified name |
| `cache hits`, `cache misses`, `cache sets`, `cache gets`, … | in keys; operations |
| `bytes an object` | the line of the view by which memory grew most, divided by the size |
| `peak bytes` | the most that was allocated at once |
| `allocated bytes left` | what was still alive at the end |
| `rendered templates` | renderings, by Django or Jinja2 |
| `http requests` | to other services |
| `collections` | runs of the garbage collector |
| `plan` | kinds and texts of the steps of the plans of all SELECTs |
| `rows read` | rows of the tables that the plan reads from end to end, else rows fetched |

Any of them may end in " when asked again" (the second request), then in " at most" or " at least".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django_hotpath.capture import Capture
from django_hotpath.explain.service import explain_query

if TYPE_CHECKING:
    from examples.measuring import Measured

Reader = Callable[[Any, "re.Match[str]", "Measured"], float | str]

MEASURES: list[tuple[re.Pattern[str], str, str, Reader]] = []


def figure(found: Measured, measure: str, *, again: bool = False) -> float | str:
    for pattern, instrument, profile, read in MEASURES:
        if match := pattern.fullmatch(measure):
            return read(found.instrument(instrument, profile, again=again), match, found)
    if measure == "plan":
        return "\n".join(_steps(explained(found)))
    if measure == "rows read":
        return _rows_read(explained(found))
    raise LookupError(f"no such measure: {measure}")


def _measure(pattern: str, instrument: str, profile: str = "1") -> Callable[[Reader], Reader]:
    def add(read: Reader) -> Reader:
        MEASURES.append((re.compile(pattern), instrument, profile, read))
        return read

    return add


@_measure("queries", "queries")
def _queries(data: Any, match: re.Match[str], found: Measured) -> float:
    return data["count"]


@_measure("queries on (.+)", "queries")
def _queries_on(data: Any, match: re.Match[str], found: Measured) -> float:
    return sum(query["alias"] == match[1] for query in data["queries"])


@_measure("duplicate queries", "queries")
def _duplicates(data: Any, match: re.Match[str], found: Measured) -> float:
    return sum(query.get("duplicate_of") is not None for query in data["queries"])


@_measure("(INSERT|UPDATE|DELETE) statements", "queries")
def _writes(data: Any, match: re.Match[str], found: Measured) -> float:
    return sum(query["sql"].lstrip().startswith(match[1]) for query in data["queries"])


@_measure("rows fetched", "queries")
def _rows(data: Any, match: re.Match[str], found: Measured) -> float:
    return sum(query.get("rows") or 0 for query in data["queries"] if _is_select(query))


@_measure("columns", "queries")
def _columns(data: Any, match: re.Match[str], found: Measured) -> float:
    sql = next(query["sql"] for query in data["queries"] if _is_select(query))
    wanted = sql.removeprefix("SELECT ").partition(" FROM ")[0]
    while (plain := re.sub(r"\([^()]*\)", "", wanted)) != wanted:
        wanted = plain
    return wanted.count(",") + 1


@_measure("model instances(?: of (.+))?", "objects", "objects")
def _instances(data: Any, match: re.Match[str], found: Measured) -> float:
    if match[1] is None:
        return data["created"]
    return sum(
        model["created"]
        for model in data["models"]
        if match[1] in {model["model"], model["model"].rpartition(".")[2]}
    )


@_measure("instances left", "objects", "objects:collect")
def _left(data: Any, match: re.Match[str], found: Measured) -> float:
    return data["alive"]


@_measure("calls of (.+)", "calls")
def _calls(data: Any, match: re.Match[str], found: Measured) -> float:
    return _sum_of_calls(data, match[1])


@_measure("built-in calls of (.+)", "calls", "calls:builtins")
def _builtin_calls(data: Any, match: re.Match[str], found: Measured) -> float:
    # "<built-in method builtins.abs>"
    return _sum_of_calls(data, f"{match[1]}>")


def _sum_of_calls(data: Any, name: str) -> int:
    return sum(
        row["calls"]
        for row in data["functions"]
        if row["function"] == name or row["function"].endswith(f".{name}")
    )


@_measure("cache (hits|misses)", "cache")
def _cache_keys(data: Any, match: re.Match[str], found: Measured) -> float:
    return data[match[1]]


@_measure("cache (.+?)e?s", "cache")
def _cache_operations(data: Any, match: re.Match[str], found: Measured) -> float:
    names = {match[1], match[1] + "e"}
    return sum(one["operation"] in names for one in data["operations"])


@_measure("bytes an object", "line_memory", "memory")
def _bytes_an_object(data: Any, match: re.Match[str], found: Measured) -> float:
    grown = [line.get("increment") or 0 for one in data["functions"] for line in one["lines"]]
    return max(grown, default=0) / found.size


@_measure("peak bytes", "allocations", "allocations")
def _peak(data: Any, match: re.Match[str], found: Measured) -> float:
    return data["traced_peak"] - data["traced_before"]


@_measure("allocated bytes left", "allocations", "allocations:collect")
def _allocated(data: Any, match: re.Match[str], found: Measured) -> float:
    return data["total_size"]


@_measure("rendered templates", "templates")
def _templates(data: Any, match: re.Match[str], found: Measured) -> float:
    return data["count"]


@_measure("http requests", "http")
def _http(data: Any, match: re.Match[str], found: Measured) -> float:
    return data["count"]


@_measure("collections", "gc")
def _collections(data: Any, match: re.Match[str], found: Measured) -> float:
    return data["count"]


def _is_select(query: Any) -> bool:
    return str(query["sql"]).lstrip().upper().startswith("SELECT")


def explained(found: Measured) -> Capture:
    """The capture with the plans of its SELECTs, one for each kind of statement, ten at most."""
    key = ("plans", False)
    if key not in found.captures:
        capture = found.capture("queries")
        seen: set[str] = set()
        for query in capture.instruments["queries"]["queries"]:
            if _is_select(query) and query["fingerprint"] not in seen and len(seen) < 10:
                seen.add(query["fingerprint"])
                capture = explain_query(capture, query["index"])
        found.captures[key] = capture
    return found.captures[key]


def _nodes(capture: Capture) -> Iterator[dict[str, Any]]:
    waiting = [entry["plan"] for entry in capture.instruments.get("plans", {}).values()]
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting[:0] = node.get("children", ())


def _steps(capture: Capture) -> Iterator[str]:
    for node in _nodes(capture):
        if (kind := node.get("kind", "other")) != "other":
            on = " ".join(node[key] for key in ("table", "index") if node.get(key))
            yield f"{kind} {on}: {node['operation']}"


def _rows_read(capture: Capture) -> int:
    rows = 0
    sizes = {
        table["name"]: table["rows"] or 0
        for entry in capture.instruments.get("plans", {}).values()
        for table in entry["tables"]
    }
    for node in _nodes(capture):
        if node.get("kind") == "full_scan":
            rows += sizes.get(node.get("table", ""), 0)
    queries = capture.instruments["queries"]["queries"]
    return rows or sum(query.get("rows") or 0 for query in queries)
