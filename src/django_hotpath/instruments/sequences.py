"""Awaits one after another that may not need each other, from what a task was seen to wait for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

from django_hotpath.analysis import independence
from django_hotpath.analysis.awaited_source import Seen
from django_hotpath.analysis.independence import Group
from django_hotpath.analysis.source import MAX_TEXT, Function, function_tree, line_of, span
from django_hotpath.analysis.traces import leaves_traces
from django_hotpath.callsite import locate
from django_hotpath.instruments.awaits import Awaited, Call
from django_hotpath.instruments.base import to_ms
from django_hotpath.plain import shorten

# Less waiting than this in a function is not worth reading its source.
_MIN_NS = 5_000_000
_MAX_FUNCTIONS = 50

# One statement at a time on a connection: together they fail or queue up.
_CONNECTIONS = """
    aiomysql aioodbc aiosqlite asyncmy asyncpg databases oracledb psycopg psycopg_pool sqlalchemy
    tortoise websockets
"""
_ONE_AT_A_TIME = frozenset(_CONNECTIONS.split()) | {"lock", "queue"}
# Clients whose object serves many requests at once.
_SHARED = frozenset({"aiohttp", "httpcore", "httpx"})
_OWN_WAITS = frozenset({"future", "sleep", "thread", "threads"})


@dataclass
class _Sequence:
    group: Group
    code: CodeType
    members: list[list[Awaited]] = field(default_factory=list)
    saved_ns: int = 0


def sequences(calls: Iterable[Call]) -> list[dict[str, Any]]:
    """As in ``docs/reference/capture.md``, what could be saved most first."""
    found: dict[tuple[CodeType, str, tuple[int, ...]], _Sequence] = {}
    readings: dict[CodeType, Function | None] = {}
    for call in calls:
        awaits = list(call.awaits.values())
        repeats = any(awaited.executions > 1 for awaited in awaits)
        if (len(awaits) < 2 and not repeats) or sum(a.waited_ns for a in awaits) < _MIN_NS:
            continue
        if call.code not in readings:
            if len(readings) >= _MAX_FUNCTIONS:
                continue
            readings[call.code] = function_tree(call.code)
        tree = readings[call.code]
        if tree is None or _is_guarded(call):
            continue
        for group, members in _groups(tree, call, awaits):
            key = (call.code, group.form, tuple(member.offset for member in members))
            sequence = found.setdefault(key, _Sequence(group, call.code))
            sequence.members.append(members)
            sequence.saved_ns += _saving(members)
    ranked = sorted(found.values(), key=lambda sequence: -sequence.saved_ns)
    return [_plain(sequence) for sequence in ranked]


def _groups(
    tree: Function, call: Call, awaits: list[Awaited]
) -> Iterable[tuple[Group, list[Awaited]]]:
    placed = [(place, a) for a in awaits if (place := span(a.code, a.offset)) is not None]
    seen = [
        Seen(
            place,
            repeated=awaited.executions > 1,
            pure=not any(leaves_traces(code) for code in awaited.callees.values()),
            shared=_is_shared(awaited),
            exclusive=bool(awaited.reasons & _ONE_AT_A_TIME),
        )
        for place, awaited in placed
    ]

    def is_module(name: str) -> bool:
        return isinstance(call.names.get(name), ModuleType)

    for group in independence.groups(tree, seen, is_module):
        yield group, [placed[index][1] for index in group.members]


def _is_shared(awaited: Awaited) -> bool:
    """Whether two such awaits of one object can run at once."""
    allowed = _SHARED | _OWN_WAITS if awaited.callees else _SHARED
    return awaited.reasons <= allowed


def _is_guarded(call: Call) -> bool:
    """Whether a caller holds a lock or a transaction around it."""
    for _number, code, offset in call.outer:
        tree, place = function_tree(code), span(code, offset)
        if tree is not None and place is not None and independence.is_guarded(tree, place):
            return True
    return False


def _saving(members: list[Awaited]) -> int:
    """What running them together saves at most.

    Whatever waits for the request's one thread for sync code (the ORM does) still takes turns.
    """
    in_turns = sum(member.thread_ns for member in members)
    longest = max(member.longest_ns for member in members)
    return max(sum(member.waited_ns for member in members) - max(longest, in_turns), 0)


def _plain(sequence: _Sequence) -> dict[str, Any]:
    group, code = sequence.group, sequence.code
    columns = list(zip(*sequence.members, strict=True))
    lines = [line_of(column[0].code, column[0].offset) for column in columns]
    waited = [sum(member.waited_ns for member in column) for column in columns]
    return {
        "form": group.form,
        "call_site": {
            "file": locate(code.co_filename).file,
            "line": lines[0],
            "function": code.co_qualname,
        },
        "calls": len(sequence.members),
        "over": None if group.over is None else shorten(group.over, MAX_TEXT),
        "waited_ms": to_ms(sum(waited)),
        "saved_ms": to_ms(sequence.saved_ns),
        "in_turns_ms": to_ms(sum(m.thread_ns for column in columns for m in column)),
        "awaits": [
            {
                "line": line,
                "expression": shorten(text, MAX_TEXT),
                "target": target,
                "count": sum(member.executions for member in column),
                "waited_ms": to_ms(total),
            }
            for line, text, target, column, total in zip(
                lines, group.calls, group.targets, columns, waited, strict=True
            )
        ],
    }
