"""A summary for a pull request, an issue or an assistant: verdict, figures, findings with code.

GitHub's Markdown. What comes from the capture is text: Markdown and HTML in it are escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.analysis.slowdown import clauses
from django_hotpath.capture import Capture, Finding
from django_hotpath.exporters._markdown import block, code, row, text
from django_hotpath.exporters._names import cut

CONTENT_TYPE = "text/markdown; charset=utf-8"
SUFFIX = "md"
LABEL = "Markdown"
HINT = "a summary to paste into a pull request, an issue or an assistant"
SHOWN = True

_FINDINGS, _FUNCTIONS, _GROUPS = 20, 10, 10
_SQL, _LABEL = 500, 200


def export(capture: Capture) -> bytes:
    return ("\n".join(_lines(capture)).rstrip() + "\n").encode("utf-8")


def _lines(capture: Capture) -> Iterator[str]:
    yield f"## {text(cut(capture.label, _LABEL))}"
    yield ""
    yield f"**{text(_verdict(capture))}**"
    yield ""
    yield from _figures(capture)
    yield from _findings(capture.findings)
    yield from _functions(capture.instruments.get("calls"), "calls")
    if "calls" not in capture.instruments:
        yield from _functions(capture.instruments.get("samples"), "samples")
    yield from _queries(capture.instruments.get("queries"))
    yield (
        f"<sub>django-hotpath {text(capture.environment.hotpath)}, capture {code(capture.id)}, "
        f"{text(capture.started_at)}, Python {text(capture.environment.python)}, "
        f"Django {text(capture.environment.django)}</sub>"
    )


def _verdict(capture: Capture) -> str:
    wall = f"{capture.timing.wall_ms:,.1f} ms"
    if not capture.findings:
        return f"{wall}, none of the known problems"
    worst = max(capture.findings, key=lambda finding: finding.cost_ms)
    others = len(capture.findings) - 1
    more = f", and {others} more" if others else ""
    return f"{wall}: {worst.title} ({worst.cost_ms:,.1f} ms){more}"


def _figures(capture: Capture) -> Iterator[str]:
    timing, request = capture.timing, capture.request
    found: list[tuple[str, str]] = []
    if request:
        found.append(("Status", text(str(request.status or "none"))))
        found.append(("View", code(request.view or "none")))
        found.append(("Route", code(request.route or "none")))
        if request.exception:
            raised = f"{request.exception['type']}: {request.exception['message']}"
            found.append(("Raised", text(raised)))
    for label, value in (
        ("Wall time", timing.wall_ms),
        ("CPU time", timing.cpu_ms),
        ("Database", timing.db_ms),
        ("Cache", timing.cache_ms),
        ("Templates", timing.template_ms),
        ("Other services (HTTP)", timing.http_ms),
        ("Garbage collector", timing.gc_ms),
        ("Profiler's own", capture.overhead.hotpath_ms),
    ):
        if value is not None:
            found.append((label, f"{value:,.1f} ms"))
    if queries := capture.instruments.get("queries"):
        found.append(("Queries", f"{queries['count']:,}"))
    yield "| Figure | Value |"
    yield "|---|---|"
    yield from (row(cells) for cells in found)
    yield ""
    disturbed = [*clauses(capture.overhead.engines), *capture.environment.warnings]
    yield from (f"- Note: {text(note)}" for note in disturbed)
    if disturbed:
        yield ""


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield f"### Findings ({len(findings)})"
    yield ""
    for number, finding in enumerate(findings[:_FINDINGS], 1):
        yield f"{number}. **{text(finding.title)}** ({finding.severity}, {finding.cost_ms:,.1f} ms)"
        yield ""
        yield f"   {text(finding.detail)}"
        yield ""
        if finding.call_site:
            yield f"   At {code(str(finding.call_site))} in {code(finding.call_site.function)}"
            yield ""
        fix = finding.fix
        if fix:
            where = f" At {code(str(fix.at))}:" if fix.at and fix.code else ""
            yield f"   Fix: {text(fix.summary)}{where}"
            yield ""
            if fix.code:
                yield from (f"   {line}" for line in block(fix.code, "python"))
                yield ""
            if fix.predicted:
                before, after = fix.predicted.queries
                saved = f"{fix.predicted.saved_ms:,.1f} ms"
                yield f"   Predicted: {before:,} to {after:,} queries, {saved} less"
                yield ""
        if finding.verified:
            before, after = finding.verified.queries
            was, now = finding.verified.wall_ms
            kind = "Verified" if finding.verified.confirmed else "Not confirmed"
            remark = f". {text(finding.verified.remark)}" if finding.verified.remark else ""
            queries = f"{before:,} to {after:,} queries"
            yield f"   {kind}: {queries}, {was:,.1f} to {now:,.1f} ms{remark}"
            yield ""
    if len(findings) > _FINDINGS:
        yield f"And {len(findings) - _FINDINGS:,} more."
        yield ""
    if not findings:
        yield "None of the known problems."
        yield ""


def _functions(calls: Mapping[str, Any] | None, unit: str) -> Iterator[str]:
    if not calls:
        return
    yield f"### Functions by own time (of {len(calls['functions']):,})"
    yield ""
    yield f"| Function | Where | {unit.title()} | Own, ms | Cumulative, ms |"
    yield "|---|---|--:|--:|--:|"
    ranked = sorted(calls["functions"], key=lambda function: -function["own_ms"])
    for function in ranked[:_FUNCTIONS]:
        file = short_path(str(function["file"] or ""))
        place = code(f"{file}:{function['line']}") if file else text(str(function["kind"]))
        yield row(
            (
                code(cut(str(function["function"]), _LABEL)),
                place,
                f"{function['calls']:,}",
                f"{function['own_ms']:,.2f}",
                f"{function['cumulative_ms']:,.2f}",
            )
        )
    yield ""


def _queries(recorded: Mapping[str, Any] | None) -> Iterator[str]:
    if not recorded:
        return
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for query in recorded["queries"]:
        site = query.get("call_site") or {}
        groups[query["fingerprint"], site.get("file"), site.get("line")].append(query)
    yield f"### Queries by time ({recorded['count']:,} in {len(groups):,} groups)"
    yield ""
    ranked = sorted(groups.items(), key=lambda item: -sum(q["duration_ms"] for q in item[1]))
    for (_fingerprint, file, line), group in ranked[:_GROUPS]:
        total = sum(query["duration_ms"] for query in group)
        times = "once" if len(group) == 1 else f"{len(group):,} times"
        place = f", at {code(f'{file}:{line}')}" if file else ""
        yield f"- {times}, {total:,.2f} ms{place}"
        yield ""
        sql = " ".join(str(group[0]["sql"]).split())
        yield from (f"  {line}" for line in block(cut(sql, _SQL), "sql"))
        yield ""
