"""Which placeholders and literals of a statement may be shown, when it names something secret.

A value is shown that directly belongs to a column that is not secret: compared with it, in its
``IN`` list, its ``BETWEEN``, its place in a row of an INSERT, or after LIMIT and OFFSET. Any other
is masked: whether ``CASE WHEN id = %s THEN %s`` sets a password is not for us to find out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django_hotpath.analysis.sqlnames import Names
from django_hotpath.analysis.sqltokens import Tokens, tokens, words

_LIKES = words("LIKE ILIKE REGEXP RLIKE GLOB MATCH IN IS")
# Between these a comparison stands alone, and is not part of a larger expression.
_BEFORE = words("WHERE AND OR NOT ON SET HAVING WHEN THEN ELSE SELECT UPDATE")
_AFTER = words(
    """) , ; AND OR WHERE ORDER GROUP LIMIT OFFSET RETURNING FROM THEN ELSE END ON UNION INTERSECT
    EXCEPT HAVING FOR ESCAPE WHEN LEFT RIGHT INNER CROSS FULL NATURAL JOIN AS WINDOW FETCH"""
)
_FOLDS = frozenset(["upper", "lower"])


@dataclass(frozen=True)
class Reading:
    """``count`` placeholders, of which those at the ``masked`` positions are not to be shown.

    ``shown_names`` are the names of ``%(name)s`` that are shown wherever they occur.
    """

    text: str
    count: int
    masked: frozenset[int]
    masked_names: frozenset[str]
    shown_names: frozenset[str]


@dataclass
class _Frame:
    """A pair of parentheses: ``list`` of IN or ANY, ``row`` of VALUES, ``call`` or ``group``."""

    kind: str
    safe: bool = False
    columns: tuple[bool, ...] = ()
    column: int = 0
    # Of the row's current element: what it holds, and whether it names a secret.
    pending: list[int] = field(default_factory=list)
    named: bool = False


def read(sql: str, is_secret: Callable[[str], bool], mask: str) -> Reading:
    """The statement as one in which a secret may occur; takes time linear in its length."""
    return _Reader(sql, tokens(sql), is_secret, mask).read()


class _Reader:
    def __init__(self, sql: str, found: Tokens, is_secret: Callable[[str], bool], mask: str):
        self.sql = sql
        self.tokens = found
        self.kinds, self.texts = found.kinds, found.texts
        self.at, self.is_name = found.at, found.is_name
        self.is_secret = is_secret
        self.mask = mask
        self.names = Names(found, is_secret)
        self.shown: set[int] = set()
        self.hidden_literals: list[int] = []
        self.frames: list[_Frame] = [_Frame("group")]
        self.row: _Frame | None = None

    def read(self) -> Reading:
        self._walk()
        slots = [index for index, kind in enumerate(self.kinds) if kind == "slot"]
        keys = self.tokens.keys
        masked = {place for place, index in enumerate(slots) if index not in self.shown}
        count = len(slots) + len(self.tokens.rest_keys)
        masked.update(range(len(slots), count))
        names = {key for place, key in enumerate(keys) if key is not None and place in masked}
        names.update(key for key in self.tokens.rest_keys if key is not None)
        return Reading(
            self._text(),
            count,
            frozenset(masked),
            frozenset(names),
            frozenset(key for key in keys if key is not None) - names,
        )

    def _text(self) -> str:
        """The statement with its strings masked, and the numbers that a secret is compared with."""
        hide = [
            self.tokens.spans[index] + (f"'{self.mask}'",)
            for index, kind in enumerate(self.kinds)
            if kind == "string"
        ]
        hide += [self.tokens.spans[index] + (f"'{self.mask}'",) for index in self.hidden_literals]
        for start, end in self.tokens.comments:
            if self.is_secret(self.sql[start:end]):
                hide.append((start, end, f"/* {self.mask} */"))
        if self.tokens.rest is not None:
            hide.append((self.tokens.rest, len(self.sql), self.mask))
        parts, done = [], 0
        for start, end, instead in sorted(hide):
            parts += [self.sql[done:start], instead]
            done = end
        return "".join([*parts, self.sql[done:]])

    def _walk(self) -> None:
        columns: tuple[bool, ...] | None = None
        rows_depth = 0
        for index, kind in enumerate(self.kinds):
            text = self.texts[index]
            between_rows = columns is not None and len(self.frames) == rows_depth
            if between_rows and text not in ("(", ","):
                columns = None
            if index in self.names.rows:
                columns, rows_depth = self.names.rows[index], len(self.frames)
            elif text == "(":
                if columns is not None and between_rows and self.row is None:
                    self.row = _Frame("row", columns=columns)
                    self.frames.append(self.row)
                else:
                    self.frames.append(self._opened(index))
            elif text == ")":
                if len(self.frames) > 1 and self.frames.pop() is self.row:
                    self._end_element()
                    self.row = None
            elif text == "," and self.frames[-1] is self.row and self.row is not None:
                self._end_element()
                self.row.column += 1
            elif kind == "slot" or (kind in ("number", "name") and self._is_value(index)):
                self._value(index)
            elif kind == "name" and self.row is not None:
                self.row.named = self.row.named or self.names.secret(index)

    def _opened(self, index: int) -> _Frame:
        before = self.at(index - 1)
        if before == "IN":
            return _Frame("list", safe=self._is_compared(index - 1, self.frames[-1]))
        if before in ("ANY", "ALL", "SOME"):
            return _Frame("list", safe=self._is_compared(index - 2, self.frames[-1]))
        if self.is_name(index - 1) or before in ("LEFT", "RIGHT", "MATCH", "VALUES"):
            return _Frame("call")
        return _Frame("group")

    def _end_element(self) -> None:
        row = self.row
        assert row is not None
        safe = row.column < len(row.columns) and row.columns[row.column] and not row.named
        for index in row.pending:
            if safe:
                self.shown.add(index)
            elif self.kinds[index] != "slot":
                self.hidden_literals.append(index)
        row.pending, row.named = [], False

    def _value(self, index: int) -> None:
        if self._belongs(index):
            self.shown.add(index)
        elif self.row is not None:
            self.row.pending.append(index)
        elif self.kinds[index] != "slot":
            self.hidden_literals.append(index)

    def _is_value(self, index: int) -> bool:
        """Whether a number stands where a value is compared, or a name that MySQL reads as one."""
        if self.kinds[index] == "name":
            if self.texts[index][0] != '"' or self.at(index + 1) in (".", "("):
                return False
            if self.at(index - 1) in ("THEN", "ELSE"):
                return True
        before = self.at(index - 1)
        if before in ("(", ","):
            return self.frames[-1].kind in ("list", "row")
        if before == "AND":
            return self.at(index - 3) == "BETWEEN"
        return before in _LIKES or before == "BETWEEN" or self.kinds[index - 1] == "compare"

    def _ends(self, index: int) -> bool:
        return index >= len(self.texts) or self.texts[index] in _AFTER

    def _begins(self, index: int, frame: _Frame) -> bool:
        before = self.at(index - 1)
        return before in _BEFORE or (before in ("(", ",") and frame.kind == "group")

    def _belongs(self, index: int) -> bool:
        """Whether the value directly belongs to something that is not secret."""
        frame, before, after = self.frames[-1], index - 1, index + 1
        if self.tokens.rest is not None:
            # What is not read may give a column another name.
            return False
        if self.at(before) in ("(", ",") and frame.kind == "list":
            return frame.safe and self.at(after) in (")", ",")
        if self.at(before) == "(" and self.at(before - 1).lower() in _FOLDS:
            if self.at(after) != ")":
                return False
            frame, before, after = self.frames[-2], before - 2, after + 1
        operator = self.at(before)
        if operator in ("LIMIT", "OFFSET"):
            return self._ends(after)
        if operator == "BETWEEN":
            return self.at(after) == "AND" and self._is_compared(before, frame)
        if operator == "AND" and self.at(before - 2) == "BETWEEN":
            plain = self.kinds[before - 1] in ("slot", "string", "number")
            return plain and self._ends(after) and self._is_compared(before - 2, frame)
        if self._begins(before + 1, frame) and after < len(self.kinds):
            return self.kinds[after] == "compare" and self._is_column_after(after + 1)
        return self._ends(after) and self._is_compared(before, frame)

    def _is_column_after(self, index: int) -> bool:
        while self.is_name(index) and self.at(index + 1) == ".":
            index += 2
        return self.is_name(index) and self._ends(index + 1) and not self.names.chain(index)[1]

    def _is_compared(self, index: int, frame: _Frame) -> bool:
        """Whether this operator's left side is a column that is not secret, or a number."""
        operator = self.at(index)
        if operator == "BINARY":
            index -= 1
            operator = self.at(index)
        if operator == "FROM" and self.at(index - 1) == "DISTINCT":
            index -= 2
            operator = self.at(index)
        if operator == "NOT" and self.at(index - 1) == "IS":
            index -= 1
            operator = "IS"
        if index < 1 or not (
            operator in _LIKES or operator == "BETWEEN" or self.kinds[index] == "compare"
        ):
            return False
        index -= 2 if self.at(index - 1) == "NOT" else 1
        if self.is_name(index):
            start, secret = self.names.chain(index)
            return not secret and self._begins(start, frame)
        if self.at(index) == ")" and self.is_name(index - 1):
            start, secret = self.names.chain(index - 1)
            folded = self.at(start - 1) == "("
            folded = folded and self.at(start - 2).lower() in _FOLDS
            return folded and not secret and self._begins(start - 2, frame)
        return self.kinds[index] == "number" and self._begins(index, frame)
