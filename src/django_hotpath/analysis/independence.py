"""Which awaits of a function need nothing of each other, as far as its source shows.

It stays silent in doubt: a possibility that is none costs more trust than one that is missed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from django_hotpath.analysis.awaited_source import (
    COMPREHENSIONS,
    SIMPLE,
    AwaitedSource,
    Seen,
    awaits_in,
    blocks,
)
from django_hotpath.analysis.source import Function, Span
from django_hotpath.analysis.verbs import names

# With these in it a loop may end before its time.
_LEAVES = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal)


@dataclass(frozen=True)
class Group:
    """Awaits, as indexes into what was seen, that might run together.

    ``targets``: the variable that each is assigned to; ``over``: ``book in books`` of the loop.
    """

    form: Literal["row", "loop"]
    members: tuple[int, ...]
    calls: tuple[str, ...]
    targets: tuple[str | None, ...]
    over: str | None = None


def groups(
    tree: Function, seen: Sequence[Seen], is_module: Callable[[str], bool] = lambda name: False
) -> list[Group]:
    """``is_module`` tells whether a global name of the function is a module."""
    return list(_Judge(tree, seen, is_module).groups())


def is_guarded(tree: Function, place: Span) -> bool:
    """Whether the await there stands in a lock or a transaction."""
    return AwaitedSource(tree, (), lambda name: False).is_guarded(place)


class _Judge(AwaitedSource):
    def groups(self) -> Iterator[Group]:
        for block in blocks(self.tree):
            if not self.guarded(block[0]):
                yield from self._rows(block)
        for node, index in self.index.items():
            if self.seen[index].repeated:
                yield from self._loop(node, index)

    def _rows(self, block: Sequence[ast.stmt]) -> Iterator[Group]:
        """Awaits of statements one after another."""
        run: list[ast.Await] = []
        tainted: set[str] = set()
        for statement in block:
            if not isinstance(statement, SIMPLE):
                yield from self._row(run)
                run, tainted = [], set()
                continue
            found = awaits_in(statement)
            for node in found:
                if not self.eligible(node) or self.once(node) is None:
                    yield from self._row(run)
                    run, tainted = [], set()
                elif run and self.needs(node, run, tainted):
                    yield from self._row(run)
                    run, tainted = [node], set()
                else:
                    run.append(node)
                tainted |= self.named(node)
            touched = bool(set(found) & set(run)) or bool(names(statement) & tainted)
            if touched and self.hands_on(statement, found):
                yield from self._row(run)
                run, tainted = [], set()
            elif touched:
                tainted |= self.marked(statement)
        yield from self._row(run)

    def _row(self, run: Sequence[ast.Await]) -> Iterator[Group]:
        if len(run) > 1:
            yield Group(
                "row",
                tuple(self.index[node] for node in run),
                tuple(ast.unparse(node.value) for node in run),
                tuple(self.target(node) for node in run),
            )

    def needs(self, node: ast.Await, run: Sequence[ast.Await], tainted: set[str]) -> bool:
        """Whether it may need what those before it gave or left behind."""
        if names(node.value) & tainted:
            return True
        inside = set(ast.walk(node))
        if any(other in inside for other in run):
            return True
        if self.seen_of(node).exclusive and any(self.seen_of(other).exclusive for other in run):
            return True
        receiver = self.receiver(node)
        return receiver is not None and any(
            receiver == self.receiver(other) and not self.shares(node, other) for other in run
        )

    def _loop(self, node: ast.Await, index: int) -> Iterator[Group]:
        loop = self._nearest_loop(node)
        if loop is None or self.guarded(node):
            return
        seen, receiver = self.seen[index], self.receiver(node)
        inside = loop.body if isinstance(loop, ast.For) else [loop]
        if seen.exclusive or not all(
            self.eligible(found) for part in inside for found in awaits_in(part)
        ):
            return
        if isinstance(loop, ast.For):
            if any(isinstance(found, _LEAVES) for part in loop.body for found in ast.walk(part)):
                return
            target, source = loop.target, loop.iter
            body: Sequence[ast.AST] = loop.body
        else:
            if len(loop.generators) != 1 or loop.generators[0].is_async:
                return
            generator = loop.generators[0]
            target, source, body = generator.target, generator.iter, ()
        items, tainted = self._flows(body, node, names(target))
        used = names(node.value)
        if not used & items or used & tainted or names(source) & tainted:
            return
        if receiver is not None and receiver not in items and not seen.shared:
            return
        if self._depends_on(node, loop, tainted):
            return
        over = f"{ast.unparse(target)} in {ast.unparse(source)}"
        yield Group("loop", (index,), (ast.unparse(node.value),), (None,), over)

    def _nearest_loop(
        self, node: ast.AST
    ) -> ast.For | ast.ListComp | ast.SetComp | ast.DictComp | None:
        """The loop over things that it stands in the body of; None in any other loop."""
        while node is not self.tree:
            parent = self.parents[node]
            if isinstance(parent, ast.For):
                if node in parent.body:
                    return parent
            elif isinstance(parent, COMPREHENSIONS):
                return None if isinstance(node, ast.comprehension) else parent
            elif isinstance(parent, (ast.While, ast.AsyncFor, ast.GeneratorExp)):
                return None
            node = parent
        return None

    def _flows(
        self, body: Sequence[ast.AST], node: ast.Await, items: frozenset[str]
    ) -> tuple[set[str], set[str]]:
        """Names that come from the item, and names that come from the awaited result."""
        own, tainted = set(items), set[str]()
        statements = [
            found for part in body for found in ast.walk(part) if isinstance(found, ast.stmt)
        ]
        while True:
            before = len(own), len(tainted)
            for statement in statements:
                mentioned = names(statement)
                if isinstance(statement, ast.AugAssign):
                    # Carried from one turn of the loop to the next.
                    tainted |= self.marked(statement)
                elif not isinstance(statement, SIMPLE):
                    continue
                elif any(found is node for found in ast.walk(statement)) or mentioned & tainted:
                    tainted |= self.marked(statement) - items
                elif mentioned & own:
                    own |= self.marked(statement)
            if before == (len(own), len(tainted)):
                return own - tainted, tainted

    def _depends_on(self, node: ast.AST, loop: ast.AST, tainted: set[str]) -> bool:
        """Whether a condition between the loop and the await looks at a result."""
        while node is not loop:
            parent = self.parents[node]
            if isinstance(parent, (ast.If, ast.IfExp, ast.Match)):
                test = parent.subject if isinstance(parent, ast.Match) else parent.test
                if names(test) & tainted:
                    return True
            elif isinstance(parent, (ast.BoolOp, ast.Compare)):
                return True
            node = parent
        return False
