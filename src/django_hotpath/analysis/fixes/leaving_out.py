"""``only()`` and ``defer()``: which of them, with which names, and where they are written."""

from __future__ import annotations

from dataclasses import dataclass

from django_hotpath.analysis.fixes.expressions import insert_after, stem
from django_hotpath.analysis.fixes.unloading import replaced, written
from django_hotpath.analysis.usage_ledger import Use
from django_hotpath.capture import Edit

# defer() names the columns that make up this share of the unread bytes.
_WORTH = 0.95


@dataclass(frozen=True, kw_only=True)
class Choice:
    """``call`` is what to add; ``paths`` are its names. ``unread``: what is left out.

    ``bytes`` are what it saves. ``kind`` is "only", "defer", or "prefetch_only" for rows that
    ``prefetch_related`` fetches.
    """

    kind: str
    call: str
    paths: tuple[str, ...]
    unread: tuple[str, ...]
    bytes: int


def choose(use: Use) -> Choice | None:
    """``only()`` of what was read; ``defer()`` where less is unread, or joined columns are."""
    own = use.columns.unread()
    joined = {
        f"{lookup}__{name}": found.columns.bytes.get(name, 0)
        for lookup, found in use.loaded.items()
        if found.how == "select_related" and found.read and found.columns is not None
        for name in found.columns.unread()
    }
    sizes = {name: use.columns.bytes.get(name, 0) for name in own}
    kept = _kept(use)
    large = _largest(joined)
    if own and not _matters(large, joined, sizes) and (use.inner or len(kept) <= len(own)):
        return _choice(use, "only", kept, tuple(own), sum(sizes.values()))
    everything = _largest(sizes | joined)
    if not everything:
        return None
    saved = sum((sizes | joined)[name] for name in everything)
    return _choice(use, "defer", everything, everything, saved)


def _matters(large: tuple[str, ...], joined: dict[str, int], own: dict[str, int]) -> bool:
    """Whether joined columns are a good part of what is unread."""
    return sum(joined[name] for name in large) * 4 > sum(own.values())


def _largest(sizes: dict[str, int]) -> tuple[str, ...]:
    whole, sofar, found = sum(sizes.values()), 0, []
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if sofar >= whole * _WORTH:
            break
        found.append(name)
        sofar += size
    return tuple(found)


def _kept(use: Use) -> tuple[str, ...]:
    """What was read, and the keys that joins and prefetches go by."""
    columns = use.columns
    needed = set(columns.read)
    if use.inner or any(found.how == "prefetch_related" for found in use.loaded.values()):
        needed |= columns.keys
    for lookup, found in use.loaded.items():
        if found.how == "select_related" and "__" not in lookup:
            # The key of a joined relation cannot be left out; a reverse one has none here.
            needed |= {f"{lookup}_id", lookup} & {*columns.names}
    return tuple(name for name in columns.names if name in needed)


def _choice(
    use: Use, kind: str, paths: tuple[str, ...], unread: tuple[str, ...], saved: int
) -> Choice:
    names = ", ".join(f'"{name}"' for name in paths)
    call = f"{kind}({names})"
    if use.inner is not None:
        call = f'Prefetch("{use.inner}", queryset={_model(use)}.{_manager(use)}.{call})'
        kind = "prefetch_only"
    return Choice(kind=kind, call=call, paths=paths, unread=unread, bytes=saved)


def _model(use: Use) -> str:
    return use.columns.model.rpartition(".")[2]


def _manager(use: Use) -> str:
    return str(use.entry.get("manager", "objects"))


def fix_parts(use: Use, choice: Choice) -> tuple[tuple[Edit, ...], str, tuple[str, ...]]:
    """Edits, the code to paste, and the imports that the edits need."""
    outer = use.of if use.inner is not None else use
    place = written(outer.entry) if outer is not None else None
    if place is None:
        return (), choice.call if use.inner else f".{choice.call}", ()
    if use.inner is None:
        whole = place.source.place(place.node)
        made = {"file": place.file, **whole._asdict()}
        edit, code = insert_after(place.source, made, stem(place.node), f".{choice.call}")
        return (edit,), f"{place.name} = {code}" if place.name else code, ()
    if use.entry.get("custom_manager") or use.made is not None:
        # The manager would add conditions, or there is a Prefetch with a queryset already.
        return (), choice.call, ()
    found = replaced(place, "prefetch_related", use.inner, choice.call)
    if found is None:
        return (), choice.call, ()
    module = use.entry.get("module")
    imports = ("from django.db.models import Prefetch", f"from {module} import {_model(use)}")
    return (found.edit,), found.code, imports if module else imports[:1]
