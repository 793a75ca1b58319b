"""Paths of a capture as people read them."""

from __future__ import annotations


def short_path(path: str) -> str:
    """A path without the folders that every library shares: ``django/db/models/query.py``."""
    path = path.replace("\\", "/")
    for marker in ("/site-packages/", "/dist-packages/"):
        _, found, tail = path.rpartition(marker)
        if found and tail:
            return tail
    _, found, tail = path.rpartition("/lib/python3")
    if found and "/" in tail:
        return tail.partition("/")[2] or path
    return path
