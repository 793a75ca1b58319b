"""The code that an example's page shows, read from the source so that it cannot drift."""

from __future__ import annotations

import difflib
import inspect
import io
import keyword
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import get_template

from examples.registry import Code, Example, Variant

Token = tuple[str, str]  # class of the style sheet ("" for none), text

_STRINGS = {tokenize.STRING} | {
    getattr(tokenize, name)
    for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")
    if hasattr(tokenize, name)
}
_TAG = re.compile(r"({%.*?%}|{{.*?}}|{#.*?#})")
_NAMED = re.compile(r"\s*(async )?(def|class) ")
# Two variants that share less than this are different programs: nothing is marked then.
_ALIKE = 0.2


@dataclass(frozen=True)
class Line:
    number: int
    text: str
    tokens: tuple[Token, ...]
    changed: bool = False
    """Another variant does not have it."""


@dataclass(frozen=True)
class Snippet:
    file: str
    """Relative to the demo's folder."""
    lines: tuple[Line, ...]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.lines[0].number}"


def snippets(example: Example, variant: Variant) -> list[Snippet]:
    """What is shown of this variant, its lines marked that the one it is set against lacks."""
    found = [_snippet(code) for code in variant.code or (variant.view,)]
    other = _counterpart(example, variant)
    if other is None:
        return found
    theirs = [line.text for code in other.code or (other.view,) for line in _snippet(code).lines]
    return _marked(found, theirs)


def _counterpart(example: Example, variant: Variant) -> Variant | None:
    wanted = "fast" if variant.kind == "slow" else "slow"
    others = [other for other in example.variants if other is not variant]
    return next((other for other in others if other.kind == wanted), None)


def _marked(found: list[Snippet], theirs: list[str]) -> list[Snippet]:
    ours = [line.text for snippet in found for line in snippet.lines]
    matcher = difflib.SequenceMatcher(None, _bare(ours), _bare(theirs), autojunk=False)
    if matcher.ratio() < _ALIKE:
        return found
    same = {
        index
        for block in matcher.get_matching_blocks()
        for index in range(block.a, block.a + block.size)
    }
    marked, at = [], 0
    for snippet in found:
        lines = []
        for line in snippet.lines:
            changed = at not in same and bool(line.text.strip()) and not _NAMED.match(line.text)
            lines.append(replace(line, changed=changed))
            at += 1
        marked.append(replace(snippet, lines=tuple(lines)))
    return marked


def _bare(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines]


def _snippet(code: Code) -> Snippet:
    if isinstance(code, str):
        path = Path(get_template(code).origin.name)
        text, first, tokens = path.read_text("utf-8"), 1, _template_tokens
    else:
        target = _written(code)
        try:
            source, first = inspect.getsourcelines(target)
        except (OSError, TypeError):
            # The file was edited or moved after the server had loaded it.
            source, first = ["# Its source has changed: start the demo again.\n"], 1
        path = Path(inspect.getsourcefile(target) or "")
        text, tokens = textwrap.dedent("".join(source)), _python_tokens
    lines = text.rstrip().splitlines()
    pairs = zip(lines, tokens(text.rstrip() + "\n"), strict=False)
    return Snippet(
        file=_relative(path),
        lines=tuple(Line(first + at, line, found) for at, (line, found) in enumerate(pairs)),
    )


def _written(code: Any) -> Any:
    """The class of a class-based view, and what decorators are around."""
    return getattr(code, "view_class", None) or inspect.unwrap(code)


def _relative(path: Path) -> str:
    try:
        return path.relative_to(settings.BASE_DIR / "demo_project").as_posix()
    except ValueError:
        pass
    try:
        return path.relative_to(settings.BASE_DIR).as_posix()
    except ValueError:
        return path.name


def _template_tokens(text: str) -> Iterator[tuple[Token, ...]]:
    for line in text.splitlines():
        yield tuple(
            (
                "comment" if part.startswith("{#") else "keyword" if part.startswith("{") else "",
                part,
            )
            for part in _TAG.split(line)
            if part
        )


def _python_tokens(text: str) -> Iterator[tuple[Token, ...]]:
    try:
        yield from _colored(text)
    except (tokenize.TokenError, SyntaxError):
        # A piece of an edited file, no program.
        yield from (((("", line),) if line else ()) for line in text.splitlines())


def _colored(text: str) -> list[tuple[Token, ...]]:
    lines = text.splitlines()
    found: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = _kind(token, before)
        before = token.string
        if not kind:
            continue
        (row, column), (last_row, last_column) = token.start, token.end
        for at in range(row, last_row + 1):
            start = column if at == row else 0
            end = last_column if at == last_row else len(lines[at - 1])
            found[at - 1].append((start, end, kind))
    return [tuple(_cut(line, spans)) for line, spans in zip(lines, found, strict=True)]


def _kind(token: tokenize.TokenInfo, before: str) -> str:
    if token.type == tokenize.COMMENT:
        return "comment"
    if token.type in _STRINGS:
        return "string"
    if token.type == tokenize.NUMBER:
        return "number"
    if token.type == tokenize.NAME and keyword.iskeyword(token.string):
        return "keyword"
    return "name" if before in {"def", "class"} else ""


def _cut(line: str, spans: list[tuple[int, int, str]]) -> Iterator[Token]:
    at = 0
    for start, end, kind in spans:
        if start > at:
            yield "", line[at:start]
        yield kind, line[start:end]
        at = max(at, end)
    if at < len(line):
        yield "", line[at:]
