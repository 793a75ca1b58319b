"""A stretch of a statement's tokens."""

from __future__ import annotations

from collections.abc import Iterator

from django_hotpath.analysis.sqltokens import Tokens


class Span:
    """Tokens from ``start`` to before ``end``, addressed by their place in the statement."""

    def __init__(self, sql: str, found: Tokens, start: int, end: int) -> None:
        self.sql, self.tokens, self.start, self.end = sql, found, start, end

    def part(self, start: int, end: int) -> Span:
        return Span(self.sql, self.tokens, start, end)

    def indexes(self) -> range:
        return range(self.start, self.end)

    def __len__(self) -> int:
        return max(self.end - self.start, 0)

    def text(self, at: int) -> str:
        return self.tokens.at(at)

    def kind(self, at: int) -> str:
        return self.tokens.kinds[at] if 0 <= at < len(self.tokens.kinds) else ""

    def word(self, at: int) -> str:
        """The keyword here; nothing where there is none."""
        return self.text(at) if self.kind(at) == "word" else ""

    def is_name(self, at: int) -> bool:
        return self.tokens.is_name(at)

    def name(self, at: int) -> str:
        """The name here without its quotes."""
        text = self.text(at)
        for opening, closing in (('"', '"'), ("`", "`"), ("[", "]")):
            if text[0] == opening:
                return text[1:-1].replace(closing * 2, closing)
        return text

    def slot(self, at: int) -> int:
        """Which placeholder of the statement this is, from 0."""
        return self.tokens.kinds[:at].count("slot")

    def joined(self, at: int) -> bool:
        """Whether nothing but space is between this token and the next: no cast, no comment."""
        between = self.sql[self.tokens.spans[at][1] : self.tokens.spans[at + 1][0]]
        return not between.strip()

    def cast_after(self, at: int) -> bool:
        """Whether this token's value is cast to another type."""
        spans = self.tokens.spans
        end = spans[at + 1][0] if at + 1 < len(spans) else len(self.sql)
        return "::" in self.sql[spans[at][1] : end]

    def top(self, start: int | None = None) -> Iterator[int]:
        """The places that are in no parentheses of this span."""
        depth = 0
        for at in range(self.start if start is None else start, self.end):
            text = self.text(at)
            if text == ")":
                depth -= 1
            if depth == 0:
                yield at
            if text == "(":
                depth += 1

    def close(self, at: int) -> int:
        """Where the parenthesis that opens here is closed."""
        depth = 0
        for place in range(at, self.end):
            text = self.text(place)
            depth += (text == "(") - (text == ")")
            if depth == 0:
                return place
        return self.end

    def unbalanced(self) -> bool:
        depth = 0
        for at in self.indexes():
            text = self.text(at)
            depth += (text == "(") - (text == ")")
            if depth < 0:
                return True
        return depth != 0

    def bare(self) -> Span:
        """Without the parentheses around all of it."""
        span = self
        while len(span) > 1 and span.text(span.start) == "(":
            if span.close(span.start) != span.end - 1 or span.cast_after(span.end - 1):
                break
            span = span.part(span.start + 1, span.end - 1)
        return span

    def split(self, separator: str) -> list[Span]:
        """The parts between the separators outside of parentheses."""
        parts, begin = [], self.start
        for at in self.top():
            if self.text(at) == separator and self.kind(at) in {"word", "other"}:
                parts.append(self.part(begin, at))
                begin = at + 1
        return [*parts, self.part(begin, self.end)]
