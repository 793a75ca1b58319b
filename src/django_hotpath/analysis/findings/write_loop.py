"""``write_loop``: rows that are written one by one, where one statement could write them all."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

from django_hotpath.analysis.findings.base import (
    Limits,
    indexes,
    placed,
    severity_by_cost,
    site_of,
    total_ms,
)
from django_hotpath.analysis.statements import verb
from django_hotpath.analysis.writes_care import reasons
from django_hotpath.analysis.writes_create import of_create
from django_hotpath.analysis.writes_create import of_save as of_new
from django_hotpath.analysis.writes_groups import WriteGroup, keys_of, write_groups
from django_hotpath.analysis.writes_keys import of_add, of_delete, of_filter
from django_hotpath.analysis.writes_rewrite import Rewrite, Task
from django_hotpath.analysis.writes_source import WriteCall, find_call
from django_hotpath.analysis.writes_update import of_save as of_existing
from django_hotpath.analysis.writes_upsert import of_upsert
from django_hotpath.capture import CallSite, Capture, Finding, Fix, Predicted

# A loop that is not the project's own: worth a word only where it runs long.
_MIN_ELSEWHERE = 10

_REWRITES: Mapping[str, Callable[[Task], Rewrite | None]] = {
    "create": of_create,
    "save": lambda task: of_new(task) if task.group.verbs == {"INSERT"} else of_existing(task),
    "delete": of_delete,
    "update": of_filter,
    "add": of_add,
    "remove": of_add,
    "get_or_create": of_upsert,
    "update_or_create": of_upsert,
}
_ADVICE = {
    "create": "Make the objects first and write them with one bulk_create().",
    "save_new": "Make the objects first and write them with one bulk_create().",
    "save": "Change the objects first and write them with one bulk_update(), or let the database "
    "compute: update() with F().",
    "delete": "Delete them with one delete() of a queryset: filter(pk__in=…).delete().",
    "update": "Update them with one statement: filter(…__in=…).update(…).",
    "add": "Give all objects to one call: add(*objects).",
    "remove": "Give all objects to one call: remove(*objects).",
    "set": "Write the rows of the table in between: through.objects.bulk_create(…).",
    "get_or_create": "Read what is there with one filter(…__in=…), make what is missing with one "
    "bulk_create(); or bulk_create(…, ignore_conflicts=True).",
    "update_or_create": "bulk_create(…, update_conflicts=True, unique_fields=…, update_fields=…).",
    "": "Write many rows with one statement: executemany(), or INSERT … VALUES (…), (…).",
}
_KINDS = {
    "create": "bulk_create",
    "save_new": "bulk_create",
    "save": "bulk_update",
    "delete": "delete",
    "update": "update",
    "add": "add",
    "remove": "add",
    "get_or_create": "bulk_create",
    "update_or_create": "bulk_create",
}


def write_loop(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Writes to one table through the same lines at least N times, one row or condition each.

    What is written in parts of many rows each is left out: it is the cure.
    """
    for group in write_groups(capture, limits.n_plus_one):
        found = find_call(capture, group)
        if found is not None and found.no_loop and len(group.main) < _MIN_ELSEWHERE:
            continue
        yield _finding(capture, group, found)


def _finding(capture: Capture, group: WriteGroup, found: WriteCall | None) -> Finding:
    count = len(group.main)
    cost = total_ms(group.statements)
    site = found.site if found is not None else site_of(group.main[0])
    rewrite = _rewrite(capture, group, found)
    care = _care(group, rewrite)
    same_row = _is_one_row(group)
    fix = _one_row_fix() if same_row else _fix(capture, group, site, rewrite, care)
    saved = fix.predicted.saved_ms if fix.predicted else 0.0
    severity = severity_by_cost(saved, capture.timing.wall_ms)
    if found is not None and found.no_loop:
        severity = "low"
    elif count >= 50 and not care:
        severity = "high"
    elif severity == "low" and count >= 10:
        severity = "medium"
    what = "of one row" if same_row else "one by one"
    return Finding(
        kind="write_loop",
        severity=severity,
        title=placed(f"{count} {_plural(group)} {what} at", site),
        detail=_detail(group, found, care, same_row=same_row),
        count=count,
        cost_ms=cost,
        call_site=site,
        fix=fix,
        queries=indexes(group.statements),
    )


def _rewrite(capture: Capture, group: WriteGroup, found: WriteCall | None) -> Rewrite | None:
    rule = _REWRITES.get(group.method)
    if rule is None or found is None or found.source is None or found.call is None:
        return None
    if isinstance(found.source.parents[found.call], ast.Await):
        # The sync method would do, but must not be called there.
        return None
    return rule(Task(capture, group, found, found.source, found.call))


def _form(group: WriteGroup) -> str:
    return "save_new" if group.method == "save" and group.verbs == {"INSERT"} else group.method


def _care(group: WriteGroup, rewrite: Rewrite | None) -> list[str]:
    kind = rewrite.kind if rewrite is not None else _KINDS.get(_form(group))
    if kind is None or group.facts is None:
        return []
    return reasons(kind, group.model, group.facts)


def _fix(
    capture: Capture,
    group: WriteGroup,
    site: CallSite | None,
    rewrite: Rewrite | None,
    care: Sequence[str],
) -> Fix:
    advice = _ADVICE.get(_form(group), _ADVICE[""])
    kind = rewrite.kind if rewrite is not None else _KINDS.get(_form(group), "")
    if care:
        # Code that would leave something out is not for pasting.
        return Fix(
            summary=(
                f"{advice} But {'; '.join(care)}. If that is needed, keep the loop, and put it "
                "into transaction.atomic(), so that the database commits once and not each time."
            ),
            kind=kind,
            at=site,
        )
    before = capture.instruments["queries"]["count"]
    if rewrite is None:
        after = before - len(group.statements) + 1
        saved = _saved(group, 1)
        predicted = Predicted(queries=(before, after), saved_ms=saved)
        return Fix(summary=advice, kind=kind, at=site, predicted=predicted)
    after = before - len(group.statements) - len(rewrite.replaced) + rewrite.after
    predicted = Predicted(queries=(before, after), saved_ms=_saved(group, rewrite.after))
    check = "" if rewrite.edits else " Check first that nothing in the loop needs what was written."
    note = f" {rewrite.note}" if rewrite.note else check
    return Fix(
        summary=f"{_SUMMARIES[rewrite.kind]}{note}",
        code=rewrite.code,
        predicted=predicted,
        kind=rewrite.kind,
        at=site,
        edits=rewrite.edits,
        imports=rewrite.imports,
    )


_SUMMARIES = {
    "bulk_create": "Make the objects first and write them with one bulk_create(): all of them or, "
    "after an error, none.",
    "bulk_update": "Change the objects first and write them with one bulk_update(). It writes the "
    "fields that are named, where save() writes all.",
    "update": "Let the database change the rows, with one update().",
    "delete": "Delete the rows with one delete() of a queryset.",
    "add": "Give all objects to one call.",
}


def _one_row_fix() -> Fix:
    return Fix(
        summary=(
            "Write the row once, after the loop. If others are to see how far it has come, write "
            "it more rarely, and only what changes: save(update_fields=…)."
        )
    )


def _saved(group: WriteGroup, after: int) -> float:
    cost, count = total_ms(group.statements), len(group.statements)
    return round(max(cost * (count - after) / count, 0.0), 4)


def _is_one_row(group: WriteGroup) -> bool:
    """Whether each UPDATE went to the same key, which is its last parameter."""
    if group.verbs != {"UPDATE"} or group.method not in {"save", "update"}:
        return False
    keys = keys_of(group.main)
    return keys is not None and len(set(keys)) == 1


def _plural(group: WriteGroup) -> str:
    verbs = {verb(query["sql"]) for query in group.main}
    word = verbs.pop() if len(verbs) == 1 else "write"
    return f"{word}s"


def _detail(
    group: WriteGroup, found: WriteCall | None, care: Sequence[str], *, same_row: bool
) -> str:
    call = f"{group.method}()" if group.method else "The same statement"
    of = f" of {group.model}" if group.model else ""
    count, more = len(group.main), len(group.statements) - len(group.main)
    words = [f"{call}{of} ran {count} times through the same lines"]
    words.append(f", with {more} statements more around it. " if more else ". ")
    if found is not None and found.loop is None and found.outer_loop is not None:
        words.append(f"The loop is at {found.outer_loop}. ")
    elif found is not None and found.no_loop:
        words.append("The loop is not in your code but in what that line calls. ")
    if same_row:
        words.append("Each time it was the same row.")
    else:
        words.append("Each is a trip to the database, and the number grows with the data.")
    if care:
        words.append(f" A bulk method is no drop-in here: {'; '.join(care)}.")
    return "".join(words)
