"""Which functions of Django's ORM tell something about a query, and what.

Found by file and name, so that nothing is imported and versions may differ.
"""

from __future__ import annotations

import os
from types import CodeType

import django

# What a frame of this code tells.
QUERYSET, DESCRIPTOR, MANAGER, MODEL, PREFETCH, PREFETCH_ROOT, ITERABLE = range(7)

# By the id of the code object: hashing one takes longer than all else that is done for a query.
ROLES: dict[int, tuple[int, str]] = {}
_kept: list[CodeType] = []

_DJANGO = os.path.dirname(os.path.abspath(django.__file__))
_MODELS = os.path.join(_DJANGO, "db", "models")
_CONTENT_TYPES = os.path.join(_DJANGO, "contrib", "contenttypes") + os.sep

_QUERYSETS = ("QuerySet.", "RawQuerySet.")
_METHODS = frozenset(
    [
        "__iter__",
        "__len__",
        "__bool__",
        "__getitem__",
        "_fetch_all",
        "_iterator",
        "iterator",
        "aggregate",
        "count",
        "get",
        "create",
        "bulk_create",
        "bulk_update",
        "get_or_create",
        "update_or_create",
        "earliest",
        "latest",
        "_earliest",
        "first",
        "last",
        "in_bulk",
        "delete",
        "_raw_delete",
        "update",
        "_update",
        "exists",
        "contains",
        "_insert",
    ]
)
# What a generator's frame is called by is another thing each time: its own name will do.
_NAMED = {
    "__iter__": "iterate",
    "_fetch_all": "iterate",
    "__len__": "len",
    "__bool__": "bool",
    "__getitem__": "index",
    "_iterator": "iterator",
    "_earliest": "earliest",
    "_raw_delete": "delete",
    "_update": "update",
    "_insert": "create",
    "set_base": "set",
    "_add_base": "add",
    "_remove_base": "remove",
    "_clear_base": "clear",
}
_MANAGED = frozenset(
    [
        "add",
        "remove",
        "set",
        "clear",
        "create",
        "get_or_create",
        "update_or_create",
        "count",
        "exists",
        "set_base",
        "_add_base",
        "_remove_base",
        "_clear_base",
    ]
)
_OF_MODELS = frozenset(["Model.save", "Model.delete", "Model.refresh_from_db"])


def role(code: CodeType) -> tuple[int, str] | None:
    """(role, method) of a code object of Django's; None when it tells nothing.

    Afterwards ``ROLES`` has it too.
    """
    found = _find(code)
    if found is not None and id(code) not in ROLES:
        _kept.append(code)
        ROLES[id(code)] = found
    return found


def _find(code: CodeType) -> tuple[int, str] | None:
    path, name, qualified = code.co_filename, code.co_name, code.co_qualname
    if path.startswith(_CONTENT_TYPES):
        return _role_in_fields(name, qualified, os.path.basename(path) == "fields.py")
    if not path.startswith(_MODELS):
        return None
    file = path[len(_MODELS) + 1 :].replace(os.sep, "/")
    if file == "query.py":
        return _role_in_query(name, qualified)
    if file == "query_utils.py":
        return (DESCRIPTOR, "get") if qualified == "DeferredAttribute.__get__" else None
    if file == "base.py":
        return (MODEL, name) if qualified in _OF_MODELS else None
    return _role_in_fields(name, qualified, file == "fields/related_descriptors.py")


def _role_in_query(name: str, qualified: str) -> tuple[int, str] | None:
    if qualified.startswith(_QUERYSETS):
        return (QUERYSET, _NAMED.get(name, name)) if name in _METHODS else None
    if qualified.endswith("Iterable.__iter__"):
        return (ITERABLE, "iterator")
    if qualified == "prefetch_related_objects":
        return (PREFETCH_ROOT, "prefetch")
    return (PREFETCH, "prefetch") if qualified == "prefetch_one_level" else None


def _role_in_fields(name: str, qualified: str, is_theirs: bool) -> tuple[int, str] | None:
    if not is_theirs:
        return None
    if name == "__get__" and "<locals>" not in qualified:
        return (DESCRIPTOR, "get")
    if name in _MANAGED and "<locals>" in qualified:
        return (MANAGER, _NAMED.get(name, name))
    return None


def is_of_content_types(path: str) -> bool:
    """Django's code for generic relations, which only hands on what the ORM does."""
    return path.startswith(_CONTENT_TYPES)
