"""What a SELECT asks of its tables: conditions, order, groups, as far as they are plain.

Each SELECT of a statement is a block of its own. What is not understood is left out or marked,
never guessed: who builds on this may miss something, but not be misled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django_hotpath.analysis.plans.conditions import Condition, Ref, conditions, reference
from django_hotpath.analysis.plans.span import Span
from django_hotpath.analysis.sqltokens import tokens

_AFTER_FROM = ("WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR")
_COMPOUND = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_JOINS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER", "NATURAL"})


@dataclass(frozen=True, kw_only=True)
class Block:
    """One SELECT.

    ``tables`` leads from the name that its columns are qualified with to the table.
    ``order`` and ``group`` are None where there is one that is more than plain columns, and empty
    where there is none. ``selected`` is None where more than plain columns is selected.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    unread: int = 0
    """Conditions that are more than a column and a value."""
    order: tuple[tuple[Ref, bool], ...] | None = ()
    group: tuple[Ref, ...] | None = ()
    selected: tuple[Ref, ...] | None = None
    distinct: bool = False
    limited: bool = False
    filtered: bool = False
    aggregates: bool = False
    compound: bool = False
    outer: tuple[str, ...] = ()
    """Names of tables that an outer join may leave without a row."""

    def of(self, name: str) -> list[Condition]:
        return [found for found in self.conditions if found.column.table == name]

    def names(self, table: str) -> list[str]:
        """The names under which the block reads this table, or the name itself if it is one."""
        if table in self.tables:
            return [table]
        wanted = table.casefold()
        return [name for name, real in self.tables.items() if real.casefold() == wanted]


def read(sql: str) -> tuple[Block, ...]:
    """The blocks of a statement, the outermost first; none where it cannot be read."""
    found = tokens(sql)
    if found.rest is not None:
        return ()
    whole = Span(sql, found, 0, len(found.kinds))
    if whole.unbalanced():
        return ()
    derived = _derived(whole)
    blocks = [_block(span, derived) for span in _selects(whole)]
    return tuple(block for block in blocks if block is not None)


def _selects(span: Span) -> Iterator[Span]:
    """The span from each SELECT to the end of its parenthesis or to the next of a UNION."""
    starts = [at for at in span.indexes() if span.word(at) == "SELECT"]
    for at in starts:
        end, depth = at + 1, 0
        while end < span.end:
            text = span.text(end)
            depth += (text == "(") - (text == ")")
            if depth < 0 or (depth == 0 and span.word(end) in _COMPOUND):
                break
            end += 1
        yield span.part(at, end)


def _derived(span: Span) -> frozenset[str]:
    """The names that WITH gives to queries; a table of the same name is not what is read."""
    found = set()
    for at in span.indexes():
        if span.text(at) != "(" or span.word(at + 1) not in {"SELECT", "WITH", "VALUES"}:
            continue
        back = at - 1
        if span.text(back).upper() == "MATERIALIZED":
            back -= 2 if span.word(back - 1) == "NOT" else 1
        if span.word(back) != "AS":
            continue
        back -= 1
        if span.text(back) == ")":
            while back > span.start and span.text(back) != "(":
                back -= 1
            back -= 1
        if span.is_name(back):
            found.add(span.name(back).casefold())
    return frozenset(found)


def _block(span: Span, derived: frozenset[str]) -> Block | None:
    places = _clauses(span)
    if places is None:
        return None
    end = span.end
    compound = span.word(end) in _COMPOUND or span.word(span.start - 1) in {*_COMPOUND, "ALL"}

    def clause(name: str) -> Span | None:
        if name not in places:
            return None
        start = places[name] + (2 if name in {"GROUP", "ORDER"} else 1)
        stop = min((at for at in places.values() if at > places[name]), default=end)
        return span.part(start, stop)

    chosen = clause("SELECT")
    assert chosen is not None
    distinct = chosen.word(chosen.start) == "DISTINCT"
    if distinct:
        chosen = span.part(chosen.start + 1, chosen.end)
    source = clause("FROM")
    tables = _Tables(derived)
    if source is not None and not tables.read(source):
        return None
    where = clause("WHERE")
    only = next(iter(tables.names)) if len(tables.names) == 1 and not tables.derived else None
    found, unread = conditions(where, only) if where is not None else ([], 0)
    for on, outer in tables.ons:
        joined, more = conditions(on, only)
        # An outer join leaves no row of its left side out.
        found += [one for one in joined if not outer or one.column.table in tables.outer]
        unread += more
    items = _Items(chosen, only)
    group, order = clause("GROUP"), clause("ORDER")
    return Block(
        tables=tables.names,
        conditions=tuple(found),
        unread=unread,
        group=() if group is None else items.columns(group),
        # The order of a compound is that of the whole, not of its last part.
        order=() if order is None else None if compound else items.ordered(order),
        selected=items.plain,
        distinct=distinct,
        limited="LIMIT" in places or "FETCH" in places,
        filtered=where is not None or "HAVING" in places,
        aggregates=items.calls or group is not None or "HAVING" in places,
        compound=compound,
        outer=tuple(tables.outer),
    )


def _clauses(span: Span) -> dict[str, int] | None:
    """Where each clause begins; None where one comes twice or in another order."""
    places = {"SELECT": span.start}
    last = -1
    for at in span.top():
        word = span.word(at)
        if word == "FROM" and "FROM" not in places and span.text(at - 1) != "DISTINCT":
            places[word] = at
        elif word in _AFTER_FROM and "FROM" in places:
            if word == "FOR" and span.text(at - 1).upper() in {"KEY", "INDEX"}:
                return None
            rank = _AFTER_FROM.index(word)
            if word in places or rank < last:
                return None
            places[word], last = at, rank
    return places


class _Tables:
    """The tables of a FROM with their joins."""

    def __init__(self, derived: frozenset[str]) -> None:
        self.queries = derived
        self.names: dict[str, str] = {}
        self.outer: list[str] = []
        self.ons: list[tuple[Span, bool]] = []
        self.derived = False

    def read(self, span: Span) -> bool:
        at, outer = span.start, False
        while at < span.end:
            word = span.word(at)
            if word in _JOINS or span.text(at) == ",":
                if word in {"NATURAL", "RIGHT", "FULL"}:
                    return False
                outer = word == "LEFT" or (outer and word in {"OUTER", "JOIN"})
                at += 1
            elif word == "ON":
                end = next((k for k in span.top(at + 1) if span.word(k) in _JOINS), span.end)
                self.ons.append((span.part(at + 1, end), outer))
                at = end
            elif span.text(at) == "(":
                # A subquery, or joins in parentheses: its columns belong to something unknown.
                self.derived = True
                at = span.close(at) + 1
                at = self._skip_alias(span, at)
            elif span.is_name(at):
                at = self._table(span, at, outer)
                if at < 0:
                    return False
            else:
                return False
        return True

    def _table(self, span: Span, at: int, outer: bool) -> int:
        table = span.name(at)
        while span.text(at + 1) == "." and span.is_name(at + 2):
            at += 2
            table = span.name(at)
        at += 1
        if span.text(at) == "(":
            return -1
        name = table
        if span.word(at) == "AS":
            at += 1
        if at < span.end and span.is_name(at):
            name = span.name(at)
            at += 1
        if name in self.names:
            return -1
        if table.casefold() in self.queries:
            self.derived = True
            return at
        self.names[name] = table
        if outer:
            self.outer.append(name)
        return at

    @staticmethod
    def _skip_alias(span: Span, at: int) -> int:
        if span.word(at) == "AS":
            at += 1
        if at < span.end and span.is_name(at):
            at += 1
            if at < span.end and span.text(at) == "(":
                at = span.close(at) + 1
        return at


class _Items:
    """The selected columns, which GROUP BY and ORDER BY may name by number or by alias."""

    def __init__(self, span: Span, only: str | None) -> None:
        self.only = only
        self.items: list[Ref | None] = []
        self.aliases: dict[str, Ref | None] = {}
        self.calls = any(
            span.is_name(at) and span.text(at + 1) == "(" for at in span.indexes() if at + 1
        )
        for part in span.split(","):
            end, alias = part.end, None
            if part.is_name(end - 1) and part.word(end - 2) == "AS":
                alias, end = part.name(end - 1), end - 2
            found = reference(part.part(part.start, end), only)
            self.items.append(found)
            if alias is not None:
                self.aliases[alias] = found

    @property
    def plain(self) -> tuple[Ref, ...] | None:
        found = [item for item in self.items if item is not None]
        return tuple(found) if len(found) == len(self.items) else None

    def column(self, span: Span) -> Ref | None:
        if span.end - span.start == 1:
            text = span.text(span.start)
            if text.isdigit():
                place = int(text) - 1
                return self.items[place] if 0 <= place < len(self.items) else None
            if span.is_name(span.start) and span.name(span.start) in self.aliases:
                return self.aliases[span.name(span.start)]
        return reference(span, self.only)

    def columns(self, span: Span) -> tuple[Ref, ...] | None:
        found = [self.column(part) for part in span.split(",")]
        plain = [item for item in found if item is not None]
        return tuple(plain) if len(plain) == len(found) else None

    def ordered(self, span: Span) -> tuple[tuple[Ref, bool], ...] | None:
        found = []
        for part in span.split(","):
            end, descending = part.end, False
            # NULLS FIRST or LAST is not the order that an index has by itself.
            if part.word(end - 1) in {"ASC", "DESC"}:
                end, descending = end - 1, part.word(end - 1) == "DESC"
            column = self.column(part.part(part.start, end))
            if column is None:
                return None
            found.append((column, descending))
        return tuple(found)
