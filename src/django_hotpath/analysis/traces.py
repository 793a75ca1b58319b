"""Whether a function leaves anything behind besides what it returns, as far as its source shows."""

from __future__ import annotations

import ast
from types import CodeType

from django_hotpath.analysis.source import Function, function_tree
from django_hotpath.analysis.verbs import called, changes, root

_WAITS = frozenset({"sleep", "wait_for"})
# Nobody else notices these on something that the function made itself.
_HARMLESS = """
    add append clear close connect copy extend insert pop read readline remove set setdefault update
"""
_HARMLESS_ON_OWN = frozenset(_HARMLESS.split())


def leaves_traces(code: CodeType) -> bool:
    """True where it changes something that it did not make itself, or cannot be read."""
    tree = function_tree(code)
    if tree is None:
        return True
    own = _made_here(tree)
    return any(_changes_others(node, own) for node in ast.walk(tree))


def _made_here(tree: Function) -> frozenset[str]:
    """Local names, without the parameters."""
    arguments = {found.arg for found in ast.walk(tree.args) if isinstance(found, ast.arg)}
    stored = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return frozenset(stored - arguments)


def _changes_others(node: ast.AST, own: frozenset[str]) -> bool:
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return True
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return not isinstance(node.ctx, ast.Load) and root(node) not in own
    if isinstance(node, ast.Call):
        name = called(node)
        if name in _WAITS or not changes(name):
            return False
        on_own = isinstance(node.func, ast.Attribute) and root(node.func) in own
        return not (on_own and name in _HARMLESS_ON_OWN)
    return False
