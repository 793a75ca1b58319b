"""Why a bulk method would not do what a model's own methods do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SAVED = ("pre_save", "post_save")


def reasons(kind: str, model: str, facts: Mapping[str, Any]) -> list[str]:
    """Sentences, none where the bulk method does the same.

    ``kind`` is that of the fix: ``bulk_create``, ``bulk_update``, ``update``, ``delete``, ``add``.
    """
    name = model.rpartition(".")[2] or "The model"
    call = "delete() of a queryset" if kind == "delete" else f"{kind}()"
    found = []
    own = _own_methods(kind, facts.get("overrides", ()))
    if own:
        found.append(f"{name} has its own {_and(own)}, which {call} does not call")
    signals = [sent for sent in facts.get("signals", ()) if sent in _signals(kind)]
    if signals and kind == "add":
        found.append("m2m_changed has receivers, which are told once of all objects")
    elif signals:
        found.append(
            f"{_and(signals)} of {name} {_have(signals)} receivers, which {call} does not tell"
        )
    parents = facts.get("parents", ())
    if parents and kind == "bulk_create":
        found.append(f"{name} has a table of its own beside that of {_and(parents)} (multi-table")
        found[-1] += " inheritance), which bulk_create() refuses"
    elif parents and kind in {"bulk_update", "update"}:
        found.append(f"{name} has columns in the table of {_and(parents)}, a statement more each")
    if kind in {"bulk_update", "update"}:
        computed = [*facts.get("auto_now", ()), *facts.get("pre_save", ())]
        if computed:
            found.append(f"{_and(computed)} of {name} {_is(computed)} set by save(), not by {call}")
    return found


def _own_methods(kind: str, overrides: Sequence[str]) -> list[str]:
    if kind == "add":
        return []
    of_model = {"delete"} if kind == "delete" else {"save", "save_base"}
    of_manager = {
        "bulk_create": {"create", "bulk_create"},
        "bulk_update": {"bulk_update", "update", "filter", "get_queryset"},
        "update": {"update", "filter"},
        "delete": {"delete", "filter"},
    }.get(kind, set())
    return [
        f"{name}()"
        for name in overrides
        if (name in of_model if "." not in name else name.rpartition(".")[2] in of_manager)
    ]


def _signals(kind: str) -> tuple[str, ...]:
    # A queryset's delete() sends its signals for each object.
    return {"delete": (), "add": ("m2m_changed",)}.get(kind, _SAVED)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
