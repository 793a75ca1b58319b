"""Statements that appeared, vanished or run more or less often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django_hotpath.analysis.compare.model import QueryChange, Site, State
from django_hotpath.capture import Capture

# What a statement is, wherever it is run from; and where: line numbers move when code is edited.
Text = tuple[str, str]
Place = tuple[str, str]

_ORDER: dict[State, int] = {"new": 0, "gone": 1, "more": 2, "fewer": 3, "same": 4}
_MAX_SQL = 4_000


@dataclass
class _Group:
    sql: str
    site: Site | None
    counts: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def queries(a: Sequence[Capture], b: Sequence[Capture]) -> list[QueryChange]:
    """Those that changed first, by the time they take; empty unless both sets measured queries."""
    if not all("queries" in capture.instruments for capture in [*a, *b]):
        return []
    before, after = _groups(a), _groups(b)
    found = [
        _change(key[0], before.get(key), after.get(key))
        for key in [*before, *(key for key in after if key not in before)]
        if key in before and key in after
    ]
    gone = [(key, group) for key, group in before.items() if key not in after]
    new = [(key, group) for key, group in after.items() if key not in before]
    for text, old, now in _moved(gone, new):
        found.append(_change(text, old, now))
    return sorted(
        found,
        key=lambda change: (_ORDER[change.state], -max(change.before_ms, change.after_ms)),
    )


def _moved(
    gone: Sequence[tuple[tuple[Text, Place], _Group]],
    new: Sequence[tuple[tuple[Text, Place], _Group]],
) -> list[tuple[Text, _Group | None, _Group | None]]:
    """A statement that vanished at one place and appeared at one other has moved."""
    sides: dict[Text, tuple[list[_Group], list[_Group]]] = defaultdict(lambda: ([], []))
    for key, group in gone:
        sides[key[0]][0].append(group)
    for key, group in new:
        sides[key[0]][1].append(group)
    found: list[tuple[Text, _Group | None, _Group | None]] = []
    for text, (old, now) in sides.items():
        if len(old) == len(now) == 1:
            found.append((text, old[0], now[0]))
        else:
            found += [(text, group, None) for group in old]
            found += [(text, None, group) for group in now]
    return found


def _groups(captures: Sequence[Capture]) -> dict[tuple[Text, Place], _Group]:
    found: dict[tuple[Text, Place], _Group] = {}
    for number, capture in enumerate(captures):
        for query in capture.instruments["queries"]["queries"]:
            site = site_of(query.get("call_site"))
            key = (
                (str(query.get("alias", "")), str(query.get("fingerprint") or query["sql"])),
                place_of(site),
            )
            group = found.get(key)
            if group is None:
                group = found[key] = _Group(sql=str(query["sql"])[:_MAX_SQL], site=site)
            while len(group.counts) <= number:
                group.counts.append(0)
                group.times.append(0.0)
            group.counts[number] += 1
            group.times[number] += query.get("duration_ms") or 0.0
    for group in found.values():
        missing = len(captures) - len(group.counts)
        group.counts += [0] * missing
        group.times += [0.0] * missing
    return found


def _change(text: Text, before: _Group | None, after: _Group | None) -> QueryChange:
    old = median(before.counts) if before else 0
    now = median(after.counts) if after else 0
    state: State = "same"
    if before is None or (after is not None and old == 0 < now):
        state = "new"
    elif after is None or now == 0 < old:
        state = "gone"
    elif now != old:
        state = "more" if now > old else "fewer"
    shown = after or before
    assert shown is not None
    return QueryChange(
        fingerprint=text[1],
        sql=shown.sql,
        alias=text[0],
        state=state,
        moved=before is not None
        and after is not None
        and place_of(before.site) != place_of(after.site),
        before_site=before.site if before else None,
        after_site=after.site if after else None,
        before=float(old),
        after=float(now),
        before_ms=median(before.times) if before else 0.0,
        after_ms=median(after.times) if after else 0.0,
    )


def site_of(data: Mapping[str, Any] | None) -> Site | None:
    """From a call site of a capture."""
    if not data:
        return None
    return Site(
        file=str(data.get("file") or ""),
        line=int(data.get("line") or 0),
        function=str(data.get("function") or ""),
        template=data.get("template"),
        template_line=data.get("template_line"),
    )


def place_of(site: Site | None) -> Place:
    """What of a call site stays when lines move: the template, or the function and its file."""
    if site is None:
        return "", ""
    return ("template", site.template) if site.template is not None else (site.file, site.function)
