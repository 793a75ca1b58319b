"""Which scripts of the report a component needs, in the order in which they are loaded."""

from __future__ import annotations

TABLES = ("kit", "editor", "table", "controls")

FLAME_GRAPH = (
    *("kit", "editor", "layer", "table", "controls"),
    *("flamemodel", "flamefold", "flameviews", "flamepaint", "flamegraph", "flamecanvas"),
    *("flamekeys", "flamesource", "flamedetails", "flamecontrols", "flamelist"),
    *("flametree", "flame"),
)
