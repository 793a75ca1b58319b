"""The capture for a terminal: the verdict, the findings, the ten dearest functions and queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from textwrap import fill
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.analysis.slowdown import clauses
from django_hotpath.capture import Capture, Finding

CONTENT_TYPE = "text/plain; charset=utf-8"
SUFFIX = "txt"
LABEL = "Text"
HINT = "a summary for a terminal"
SHOWN = True
_TOP = 10
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def export(capture: Capture) -> bytes:
    return ("\n".join(_lines(capture)) + "\n").encode("utf-8", "backslashreplace")


def _lines(capture: Capture) -> Iterator[str]:
    timing = capture.timing
    yield _clean(capture.label)
    if capture.request:
        request = capture.request
        yield _clean(
            f"{request.status or '-'}  {request.view or '(no view)'}  {request.route or ''}"
        )
        if request.exception:
            yield _clean(f"raised {request.exception['type']}: {request.exception['message']}")
        if request.stream:
            yield _streamed(request.stream)
    figures = [f"{timing.wall_ms:,.1f} ms"]
    if timing.cpu_ms is not None:
        figures.append(f"CPU {timing.cpu_ms:,.1f} ms")
    queries = capture.instruments.get("queries")
    if queries:
        figures.append(f"{queries['count']:,} queries {queries['total_ms']:,.1f} ms")
    figures.append(f"profiler {capture.overhead.hotpath_ms:,.1f} ms")
    yield "  ".join(figures)
    for clause in clauses(capture.overhead.engines):
        yield _clean(clause)
    for warning in capture.environment.warnings:
        yield _clean(f"! {warning}")
    yield ""
    yield from _findings(capture.findings)
    yield from _functions(capture.instruments.get("calls"))
    yield from _functions(capture.instruments.get("samples"), "samples")
    yield from _by_line("LINES by time", "ms", capture.instruments.get("lines"))
    yield from _queries(queries)
    yield from _usage(capture.instruments.get("usage"))
    yield from _eventloop(capture.instruments.get("eventloop"))
    yield from _allocations(capture.instruments.get("allocations"))
    yield from _by_line("LINES by memory", "increment", capture.instruments.get("line_memory"))
    yield from _objects(capture.instruments.get("objects"))


def _streamed(stream: dict[str, Any]) -> str:
    if stream["chunks"] is None:
        return "streamed by the server itself"
    size = "" if stream["bytes"] is None else f", {stream['bytes']:,} bytes"
    return (
        f"streamed {stream['chunks']:,} chunks{size} in {stream['generating_ms']:,.1f} ms "
        f"(and {stream['waiting_ms']:,.1f} ms of waiting, left out)"
    )


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    yield f"FINDINGS ({len(findings)})"
    for finding in findings:
        yield _clean(f"  [{finding.severity}] {finding.title}  ({finding.cost_ms:,.1f} ms)")
        if finding.fix:
            yield fill(
                _clean(finding.fix.summary), 96, initial_indent="      ", subsequent_indent="      "
            )
            for line in (finding.fix.code or "").splitlines():
                yield f"      | {_clean(line)}"
    if not findings:
        yield "  none of the known problems"
    yield ""


def _functions(calls: dict[str, Any] | None, unit: str = "calls") -> Iterator[str]:
    if not calls:
        return
    title = "FUNCTIONS" if unit == "calls" else "SAMPLED FUNCTIONS"
    yield f"{title} by own time (of {len(calls['functions']):,})"
    yield f"  {unit:>10} {'own ms':>10} {'cum. ms':>10}  function"
    ranked = sorted(calls["functions"], key=lambda function: -function["own_ms"])
    for function in ranked[:_TOP]:
        file = short_path(function["file"])
        place = f"  {file}:{function['line']}" if file else ""
        yield _clean(
            f"  {function['calls']:>10,} {function['own_ms']:>10,.2f} "
            f"{function['cumulative_ms']:>10,.2f}  {function['function']}{place}"
        )
    yield ""


def _queries(recorded: dict[str, Any] | None) -> Iterator[str]:
    if not recorded:
        return
    groups: dict[tuple[str, Any], list[dict[str, Any]]] = defaultdict(list)
    for query in recorded["queries"]:
        site = query.get("call_site") or {}
        groups[query["fingerprint"], (site.get("file"), site.get("line"))].append(query)
    yield f"QUERIES by time ({recorded['count']:,} in {len(groups):,} groups)"
    yield f"  {'times':>10} {'ms':>10}  statement"
    ranked = sorted(groups.items(), key=lambda item: -sum(q["duration_ms"] for q in item[1]))
    for (_fingerprint, (file, line)), group in ranked[:_TOP]:
        total = sum(query["duration_ms"] for query in group)
        sql = " ".join(group[0]["sql"].split())
        yield _clean(f"  {len(group):>10,} {total:>10,.2f}  {sql[:110]}")
        if file:
            yield _clean(f"  {'':>10} {'':>10}  at {file}:{line}")
    yield ""


def _usage(recorded: dict[str, Any] | None) -> Iterator[str]:
    if not recorded:
        return
    yield f"ROWS ({recorded['rows']:,} of {recorded['count']:,} querysets)"
    yield f"  {'rows':>10} {'looked at':>10} {'columns':>9}  model and line"
    ranked = sorted(recorded["querysets"], key=lambda found: -found["rows"])
    for found in ranked[:_TOP]:
        site = found.get("call_site")
        place = f" at {site['file']}:{site['line']}" if site else ""
        columns = f"{len(found['read'])}/{len(found['columns'])}"
        yield _clean(
            f"  {found['rows']:>10,} {found['touched']:>10,} {columns:>9}  {found['model']}{place}"
        )
    yield ""


def _eventloop(recorded: dict[str, Any] | None) -> Iterator[str]:
    if not recorded or recorded["loop"] is None:
        return
    yield f"EVENT LOOP (lag at worst {recorded['lag_max_ms']:,.1f} ms)"
    yield f"  blocked {recorded['held_count']:,} times, {recorded['held_ms']:,.1f} ms in all"
    others = recorded["others"]
    yield f"  held by others {others['count']:,} times, {others['total_ms']:,.1f} ms in all"
    yield f"  awaited {recorded['wait_count']:,} times, {recorded['waited_ms']:,.1f} ms in all"
    yield ""


def _allocations(recorded: dict[str, Any] | None) -> Iterator[str]:
    if not recorded:
        return
    yield f"ALLOCATIONS (peak {recorded['traced_peak']:,} bytes)"
    yield f"  {'bytes':>12} {'blocks':>8}  line"
    for row in recorded["by_line"][:_TOP]:
        yield _clean(
            f"  {row['size']:>12,} {row['count']:>8,}  {short_path(row['file'])}:{row['line']}"
        )
    yield ""


def _by_line(title: str, cost: str, recorded: dict[str, Any] | None) -> Iterator[str]:
    if not recorded:
        return
    ran = [
        (line[cost], line, function)
        for function in recorded["functions"]
        for line in function["lines"]
        if line.get("hits")
    ]
    yield f"{title} ({len(ran):,} that ran, of {len(recorded['functions']):,} functions)"
    yield f"  {'hits':>10} {'ms' if cost == 'ms' else 'bytes':>12}  line"
    ran.sort(key=lambda found: -found[0])
    for value, line, function in ran[:_TOP]:
        figure = f"{value:,.2f}" if cost == "ms" else f"{value:,}"
        place = f"{short_path(function['file'])}:{line['line']}"
        source = line["source"].strip()[:80]
        yield _clean(f"  {line['hits']:>10,} {figure:>12}  {place}  {source}")
    yield ""


def _objects(recorded: dict[str, Any] | None) -> Iterator[str]:
    if not recorded:
        return
    yield f"MODEL INSTANCES ({recorded['created']:,} made, {recorded['alive']:,} still alive)"
    yield f"  {'made':>10} {'alive':>10} {'bytes':>12}  model"
    for row in recorded["models"][:_TOP]:
        yield _clean(
            f"  {row['created']:>10,} {row['alive']:>10,} {row['total_size']:>12,}  {row['model']}"
        )
    yield ""


def _clean(text: str) -> str:
    """A terminal obeys control characters: none gets through."""
    return text.translate(_CONTROL)
