"""Whose time it is: each function, and each node of a call tree, belongs to exactly one layer.

A layer is a key: ``"project"``, ``"package:rest_framework"``, ... ``LAYERS`` names the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Layer(NamedTuple):
    label: str
    tone: str
    """The name of its colour in the style sheets: ``--<tone>``."""


LAYERS: Mapping[str, Layer] = {
    "project": Layer("Your code", "project"),
    "database": Layer("Database", "database"),
    "orm": Layer("Django ORM", "orm"),
    "template": Layer("Templates", "template"),
    "cache": Layer("Cache", "cache"),
    "http": Layer("Other services (HTTP)", "http"),
    "middleware": Layer("Middleware", "middleware"),
    "django": Layer("Rest of Django", "django"),
    "stdlib": Layer("Standard library", "stdlib"),
    "generated": Layer("Generated code", "library"),
    "tools": Layer("Profiling tools", "tools"),
    "waiting": Layer("Waiting (suspended)", "rest"),
    "rest": Layer("Everything else", "rest"),
}

# What runs below one of these frames is part of the operation: the driver, the client, the socket.
ENCLOSING = {"sql": "database", "cache": "cache", "http": "http"}

DRIVERS = frozenset(
    {"sqlite3", "psycopg", "psycopg2", "psycopg_pool", "MySQLdb", "pymysql", "oracledb"}
)

_NAMED = {**ENCLOSING, "template": "template", "middleware": "middleware"}

_PACKAGE = "package:"


def layer(key: str) -> Layer:
    """The label and colour of a layer; a package is called by its name."""
    if key.startswith(_PACKAGE):
        return Layer(key.removeprefix(_PACKAGE), "library")
    return LAYERS.get(key, LAYERS["rest"])


def layer_of(function: Mapping[str, Any]) -> str:
    """The layer of a row of the function table, wherever it was called from."""
    kind, package = str(function["kind"]), str(function.get("package") or "")
    if kind in _NAMED:
        return _NAMED[kind]
    if kind == "hotpath":
        return "tools"
    if kind == "project":
        return "project"
    if package in DRIVERS:
        return "database"
    if kind == "django":
        return _of_django(str(function.get("file") or ""))
    if package.startswith("<"):
        return "generated"
    if kind == "library":
        return f"{_PACKAGE}{package or 'other libraries'}"
    return "stdlib"


def _of_django(path: str) -> str:
    path = "/" + path.replace("\\", "/")
    if "/django/db/" in path:
        return "orm"
    if "/django/template/" in path:
        return "template"
    if "/django/core/cache/" in path:
        return "cache"
    if "/middleware/" in path or path.endswith("/django/middleware.py"):
        return "middleware"
    return "django"


def node_layers(
    tree: Mapping[str, Sequence[Any]], functions: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The layer of each node of a tree, in the order of its nodes; the root is ``"rest"``.

    Below a statement, an operation of a cache or a call of another service everything is that,
    except what is named itself: a cache in the database runs statements.
    """
    own = [layer_of(function) for function in functions]
    encloses = [ENCLOSING.get(str(function["kind"])) for function in functions]
    found: list[str] = []
    around: list[str | None] = []
    for parent, frame in zip(tree["parent"], tree["frame"], strict=True):
        if frame < 0:
            found.append("rest")
            around.append(None)
            continue
        inherited = around[parent] if parent >= 0 else None
        here = encloses[frame] or inherited
        # Our own time is nobody else's, wherever it is spent.
        found.append(own[frame] if here is None or own[frame] == "tools" else here)
        around.append(here)
    return found
