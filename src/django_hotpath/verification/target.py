"""What is to be changed at which queryset, read from a finding: pure functions on a capture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import django

from django_hotpath import redact
from django_hotpath.analysis.orm import orm_of
from django_hotpath.capture import CallSite, Capture, Finding

# Fixes that a replay can apply when the queryset at the origin is about to fetch its rows.
FETCHES = frozenset({"select_related", "prefetch_related", "list_select_related"})
LEAVES_OUT = frozenset({"remove_eager_load", "replace_eager_load"})
ALTERS = frozenset({"only", "defer", "fetch_peers"}) | LEAVES_OUT

_INNER = frozenset({"relation", "prefetch_to"})

INSTEAD = "Make the change, load the page again with a profile, and compare the two captures."


@dataclass(frozen=True, kw_only=True)
class Place:
    """An expression in a file; lines from 1, columns in characters from 0, None: unknown.

    Or a class, a view or an admin say, for which library code makes a queryset: ``function``.
    """

    file: str
    line: int
    function: str
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A fix and the querysets it belongs to.

    These are told by where they were made, ``places``, or, where library code made them, by their
    ``models`` (``"shop.Order"``). ``leaves_out``: what is named is not fetched any more, which
    saves time and perhaps no query.
    """

    kind: str
    paths: tuple[str, ...]
    places: frozenset[Place]
    models: frozenset[str]
    leaves_out: bool = False


def refusal(capture: Capture, finding: Finding) -> str | None:
    """Why a replay cannot verify this finding, with what to do instead; None when it can."""
    if finding.fix is not None and finding.fix.kind == "index":
        return "An index is tried in the database: show the query and press “Try this index”."
    request = capture.request
    if request is None:
        return "There is no request to replay: this is the capture of a block or function."
    if request.method != "GET":
        return f"Only a GET is replayed: a {request.method} is there to change something."
    if redact.MASK in request.path or redact.MASK in request.query_string:
        return (
            "The URL holds a secret, which the capture does not (REDACT): the request cannot be "
            "made again."
        )
    if request.stream is not None:
        return f"The answer is streamed, which a replay cannot measure. {INSTEAD}"
    fix = finding.fix
    if fix is None or not fix.kind:
        return f"This finding names no change that a replay could make. {INSTEAD}"
    if fix.kind not in FETCHES | ALTERS or _needs_other_code(capture, finding):
        return f"This fix changes other code than the queryset alone: not replayed. {INSTEAD}"
    if fix.kind == "fetch_peers" and django.VERSION < (6, 1):
        return "Fetch modes came with Django 6.1, which does not run here."
    if fix.kind != "fetch_peers" and not fix.paths:
        return f"This fix names no relation or field. {INSTEAD}"
    if target_of(capture, finding) is None:
        return f"It is not known which queryset this belongs to. {INSTEAD}"
    return None


def _needs_other_code(capture: Capture, finding: Finding) -> bool:
    """Whether the rows that are fetched have to be read otherwise, too: filtered in Python, say."""
    fix = finding.fix
    if finding.kind != "n_plus_one" or fix is None or fix.at is None:
        return False
    if not fix.code:
        # No expression says it.
        return True
    target = target_of(capture, finding)
    lines = {
        (place.file, line)
        for place in (target.places if target is not None else ())
        for line in range(place.line, (place.end_line or place.line) + 1)
    }
    beside = any((edit.file, edit.line) not in lines for edit in fix.edits)
    return beside and any(entry.get("narrowed") for entry in _entries(capture, finding))


def target_of(capture: Capture, finding: Finding) -> Target | None:
    """None where the capture does not tell the queryset."""
    if finding.fix is None:
        return None
    roots = list(_roots(capture, finding))
    places = frozenset(_place(entry["made"]) for entry in roots if entry.get("made"))
    places |= frozenset(_class(entry["class"]) for entry in roots if entry.get("class"))
    models = frozenset(
        str(entry["model"])
        for entry in roots
        if entry.get("model") and not (entry.get("made") or entry.get("class"))
    )
    if finding.origin is not None:
        site = finding.origin
        at_origin = frozenset(found for found in places if _is_at(found, site))
        if at_origin:
            places, models = at_origin, frozenset()
        if not places and not models:
            # A capture without the table of querysets still has the line.
            places = frozenset({Place(file=site.file, line=site.line, function=site.function)})
    if not places and not models:
        return None
    return Target(
        kind=finding.fix.kind,
        paths=finding.fix.paths,
        places=places,
        models=models,
        leaves_out=finding.fix.kind in LEAVES_OUT or finding.kind == "unused_columns",
    )


def _roots(capture: Capture, finding: Finding) -> Iterator[Mapping[str, Any]]:
    """The ORM's entries of the querysets that fetched what the finding is about."""
    seen = set()
    for query in _queries(capture, finding.queries):
        (root,) = _queries(capture, (query.get("of", query["index"]),)) or (query,)
        if root["index"] in seen:
            continue
        seen.add(root["index"])
        entry = orm_of(capture, root)
        # A query that was read from an instance of unknown origin is not what the fix is for.
        if entry and (root is not query or not _INNER & entry.keys()):
            yield entry


def _entries(capture: Capture, finding: Finding) -> list[Mapping[str, Any]]:
    return [orm_of(capture, query) for query in _queries(capture, finding.queries)]


def _queries(capture: Capture, indexes: Sequence[int]) -> list[Mapping[str, Any]]:
    recorded = (capture.instruments.get("queries") or {}).get("queries", ())
    return [recorded[index] for index in indexes if 0 <= index < len(recorded)]


def _is_at(place: Place, site: CallSite) -> bool:
    """A site is the line of the last step of an expression."""
    return place.file == site.file and place.line <= site.line <= (place.end_line or place.line)


def _class(made: Mapping[str, Any]) -> Place:
    return Place(file=made["file"], line=made["line"], function=made["name"])


def _place(made: Mapping[str, Any]) -> Place:
    return Place(
        file=made["file"],
        line=made["line"],
        function=made["function"],
        column=made.get("column"),
        end_line=made.get("end_line"),
        end_column=made.get("end_column"),
    )
