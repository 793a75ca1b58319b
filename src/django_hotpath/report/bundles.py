"""The scripts and the style sheets of a page, each put together into one file.

The sources are small modules without imports; half a hundred requests would cost a page a quarter
of a second. Each module keeps a scope of its own in its bundle, and is tried by itself, so that
one that fails does not take the others with it. Nothing is minified: what arrives can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# The panels of the toolbar load these too.
FLAME = (
    *("flamemodel", "flamefold", "flameviews", "flamepaint", "flamegraph", "flamecanvas"),
    *("flamekeys", "flamesource", "flamedetails", "flamecontrols", "flamelist"),
    *("flametree", "flame"),
)
# By page, in this order; a module uses what those before it offer.
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "report": (
        *("kit", "editor", "layer", "state", "table", "rowkeys", "virtual", "controls", "tabs"),
        *("keys", *FLAME),
        *("callsmodel", "inspector", "calls"),
        *("sqltext", "statements", "queryfilters", "queries", "explain"),
        *("timelinepaint", "timelinedata", "timelinetable", "timeline"),
        *("cachetab", "layersections", "lines", "views", "memory", "raw", "verify", "runs"),
    ),
    "compare": (
        *("kit", "editor", "layer", "state", "table", "virtual", "controls", "tabs", "keys"),
        *(*FLAME, "runs"),
    ),
    "history": ("kit", "controls", "history", "choosing"),
    "plain": ("kit", "table", "controls", "keys"),
}
_REPORT = ("report", "tables", "explain", "flame", "timeline", "compare")
STYLES: Mapping[str, tuple[str, ...]] = {
    "report": _REPORT,
    "compare": _REPORT,
    "history": ("report", "history"),
    "plain": ("report",),
}
_RUNNER = "main"
_EXPORT = re.compile(r"^export (?=(?:async )?function |const |class )", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:(?:async )?function\*?|const|class) ([\w$]+)", re.MULTILINE)


def parts() -> dict[str, tuple[str, ...]]:
    """The files that each bundle is made of, by the name of the bundle."""
    scripts = {
        f"{page}.bundle.js": (*(f"{name}.js" for name in names), f"{_RUNNER}.js")
        for page, names in SCRIPTS.items()
    }
    styles = {
        f"{page}.bundle.css": tuple(f"{name}.css" for name in names)
        for page, names in STYLES.items()
    }
    return scripts | styles


def styles(sources: Iterable[str]) -> str:
    return "\n".join(sources)


def script(sources: Iterable[tuple[str, str]]) -> str:
    """Of names and sources of modules; the last one runs what the others made."""
    *modules, (_, runner) = sources
    return f"const modules = [\n{''.join(map(_module, modules))}];\n{runner}"


def _module(named: tuple[str, str]) -> str:
    name, source = named
    offered = ", ".join(_EXPORTED.findall(source))
    inner = _EXPORT.sub("", source)
    return f'["{name}", () => {{\n{inner}\nreturn {{ {offered} }};\n}}],\n'
