"""EXPLAIN on demand, and the trial of an index: on a connection of its own, rolled back always."""

from __future__ import annotations

from django_hotpath.explain.errors import ExplainError
from django_hotpath.explain.service import explain_query, merged, try_index

__all__ = ["ExplainError", "explain_query", "merged", "try_index"]
