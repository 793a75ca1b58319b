"""What the name of a call tells about what it does."""

from __future__ import annotations

import ast
from itertools import pairwise

# Calls that leave something behind, or whose place in the order matters.
_CHANGES = """
    accept acquire add allow anext append auth authenticate authorise authorize begin cancel charge
    check clear close commit configure connect consume copy create debit decr delete destroy
    disconnect dispatch drain emit enable enqueue ensure enter execute executemany exit extend
    flush handler incr init initialize insert join lock log login logout mark migrate move next
    notify open pay pop post prepare publish push put read readline receive record recv refresh
    register release remove rename require reset rollback save schedule seek send set setdefault
    setup start stop store submit subscribe touch unlock unsubscribe update upload upsert validate
    verify wait write
"""
CHANGES = frozenset(_CHANGES.split())
# A name that starts with one of these asks for something, whatever follows: ``get_store``.
_ASKS = """
    acount afetch aget alist aload build calculate compute count download fetch find get has is
    list load lookup query render retrieve search select
"""
_ASKING = frozenset(_ASKS.split())
# Middleware and decorators hand on with these.
_HANDS_ON = frozenset({"get_response", "call_next", "view_func", "view", "super"})


def changes(name: str) -> bool:
    """``save_order``, ``asave``, ``get_or_create`` or ``get_response``; not ``get_store``."""
    if name in _HANDS_ON:
        return True
    words = name.lower().strip("_").split("_")
    if words[0] in _ASKING:
        words = [word for before, word in pairwise(words) if before in {"or", "and"}]
    return any(word in CHANGES or (word[:1] == "a" and word[1:] in CHANGES) for word in words)


def called(call: ast.Call) -> str:
    """The last name of what is called: ``get`` in ``self.client.get(url)``.

    What is handed to a thread is what counts: ``get`` in ``sync_to_async(requests.get)(url)``.
    """
    function: ast.expr = call.func
    if isinstance(function, ast.Call) and _name(function.func) == "sync_to_async":
        return _name(function.args[0]) if function.args else ""
    name = _name(function)
    position = {"to_thread": 0, "run_in_executor": 1}.get(name)
    if position is not None:
        return _name(call.args[position]) if len(call.args) > position else ""
    return name


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def root(node: ast.AST) -> str | None:
    """The name that an expression starts from: ``self`` in ``self.client[0].get``."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def names(node: ast.AST) -> frozenset[str]:
    """Every name that is read or written in it."""
    return frozenset(found.id for found in ast.walk(node) if isinstance(found, ast.Name))
