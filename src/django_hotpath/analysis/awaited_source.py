"""The awaits of a function as they stand in its source, with what was seen of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django_hotpath.analysis.source import Function, Span
from django_hotpath.analysis.verbs import called, changes, root

# Waiting for what runs already, or for time to pass.
_NO_WORK = frozenset({"sleep", "wait", "shield", "anext", "aclose", "wait_for"})
_LOCKS = ("lock", "semaphore", "mutex", "limiter", "transaction", "atomic", "begin", "sem")
_LOGGING = frozenset({"print", "log", "logger", "logging", "_logger", "LOG", "LOGGER"})
SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.Pass)
# Whatever is in one of these may never be evaluated, or more than once.
_CONDITIONAL = (
    ast.BoolOp,
    ast.IfExp,
    ast.Compare,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)


@dataclass(frozen=True)
class Seen:
    """An await expression that waited.

    ``repeated``: it was reached more than once. ``pure``: what it runs leaves nothing behind, as
    far as can be seen. ``shared``: it may run beside others of the same object; ``exclusive``: it
    talks over something that does one thing at a time, such as a database connection.
    """

    span: Span
    repeated: bool = False
    pure: bool = True
    shared: bool = False
    exclusive: bool = False


class AwaitedSource:
    """``is_module`` tells whether a global name of the function is a module."""

    def __init__(
        self, tree: Function, seen: Sequence[Seen], is_module: Callable[[str], bool]
    ) -> None:
        self.tree = tree
        self.is_module = is_module
        self.parents: dict[ast.AST, ast.AST] = {
            child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)
        }
        self.local = frozenset(
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
        by_span = {found.span: index for index, found in enumerate(seen)}
        self.seen = seen
        self.index: dict[ast.Await, int] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Await) and (place := span_of(node)) in by_span:
                self.index[node] = by_span[place]

    def once(self, node: ast.Await) -> int | None:
        index = self.index.get(node)
        return None if index is None or self.seen[index].repeated else index

    def seen_of(self, node: ast.Await) -> Seen:
        return self.seen[self.index[node]]

    def eligible(self, node: ast.Await) -> bool:
        """Whether it asks for something, always, and its answer is used."""
        call = node.value
        if not isinstance(call, ast.Call):
            return False
        if called(call) == "wait_for" and call.args:
            # A timeout around a call; around a task it waits for what runs already.
            if not isinstance(call.args[0], ast.Call):
                return False
            call = call.args[0]
        if called(call) in _NO_WORK or any(
            not called(inner) or changes(called(inner))
            for inner in ast.walk(call)
            if isinstance(inner, ast.Call)
        ):
            return False
        index = self.index.get(node)
        if index is None or not self.seen[index].pure:
            return False
        if self.target(node) == "_":
            return False
        parent = self.parents[node]
        if isinstance(parent, ast.Expr):
            return False
        while not isinstance(parent, ast.stmt):
            if isinstance(parent, _CONDITIONAL) and not self.seen[index].repeated:
                return False
            parent = self.parents[parent]
        return True

    def receiver(self, node: ast.Await) -> str | None:
        """The object that the awaited method belongs to; a function of a module has none."""
        function = node.value.func if isinstance(node.value, ast.Call) else None
        if not isinstance(function, ast.Attribute):
            return None
        name = root(function.value)
        if name is None or (name not in self.local and self.is_module(name)):
            return None
        return name

    def shares(self, *nodes: ast.Await) -> bool:
        return all(self.seen_of(node).shared for node in nodes)

    def hands_on(self, statement: ast.stmt, found: Sequence[ast.Await]) -> bool:
        """A call for its effect, with a result in it: ``set_user(user)``."""
        awaited = {node.value for node in found}
        for call in ast.walk(statement):
            if not isinstance(call, ast.Call) or call in awaited:
                continue
            effect = isinstance(statement, ast.Expr) and call is statement.value
            name = root(call.func)
            on_own = isinstance(call.func, ast.Attribute) and name in self.local
            if (effect or changes(called(call))) and not on_own and name not in _LOGGING:
                return True
        return False

    def marked(self, statement: ast.stmt) -> set[str]:
        """The names that hold something of a result after the statement."""
        marked = {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(statement):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
                node.ctx, ast.Load
            ):
                marked.add(root(node) or "")
        if isinstance(statement, ast.Expr) and (name := root(statement.value)):
            marked.add(name)
        return marked

    def named(self, node: ast.AST) -> set[str]:
        """Names that get its value within the statement: ``(user := await one())``."""
        found = set()
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
            if isinstance(node, ast.NamedExpr):
                found.add(node.target.id)
        return found

    def target(self, node: ast.Await) -> str | None:
        parent = self.parents[node]
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            target = parent.targets[0]
            return target.id if isinstance(target, ast.Name) else None
        if isinstance(parent, ast.AnnAssign) and isinstance(parent.target, ast.Name):
            return parent.target.id
        return None

    def guarded(self, node: ast.AST) -> bool:
        """In a lock or a transaction, or where an error or the end is dealt with."""
        while node is not self.tree:
            parent = self.parents[node]
            if isinstance(parent, (ast.With, ast.AsyncWith)) and any(
                _is_lock(item.context_expr) for item in parent.items
            ):
                return True
            if isinstance(parent, ast.ExceptHandler):
                return True
            if isinstance(parent, (ast.Try, ast.TryStar)) and node in parent.finalbody:
                return True
            node = parent
        return False

    def is_guarded(self, place: Span) -> bool:
        return any(
            self.guarded(node)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Await) and span_of(node) == place
        )


def span_of(node: ast.expr) -> Span:
    return Span(
        node.lineno, node.end_lineno or node.lineno, node.col_offset, node.end_col_offset or 0
    )


def awaits_in(tree: ast.AST) -> list[ast.Await]:
    """In the order in which they are evaluated; those of functions defined inside are not in it."""
    found: list[ast.Await] = []

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                visit(child)
        if isinstance(node, ast.Await):
            found.append(node)

    visit(tree)
    return found


def blocks(tree: Function) -> Iterator[list[ast.stmt]]:
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        for _name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield value
        stack += [
            child
            for child in ast.iter_child_nodes(node)
            if not isinstance(
                child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
            )
        ]


def _is_lock(expression: ast.expr) -> bool:
    spelled = ast.unparse(expression).lower()
    return any(word in spelled for word in _LOCKS)
