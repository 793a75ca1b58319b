"""Which scripts of the report a component needs, in the order in which they are loaded."""

from __future__ import annotations

from django_hotpath.report.bundles import FLAME

TABLES = ("kit", "editor", "table", "controls")

FLAME_GRAPH = ("kit", "editor", "layer", "table", "controls", *FLAME)
