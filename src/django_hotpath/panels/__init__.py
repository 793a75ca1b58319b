"""Panels for django-debug-toolbar, which need not be installed to import this package.

In the settings: ``DEBUG_TOOLBAR_PANELS = [*HOTPATH_PANELS, *PANELS_DEFAULTS]``.
"""

from __future__ import annotations

# In the order of the side bar. FindingsPanel is on; the others measure more, and are off until
# they are switched on in the toolbar.
HOTPATH_PANELS = [
    "django_hotpath.panels.findings.FindingsPanel",
    "django_hotpath.panels.calls.CallsPanel",
    "django_hotpath.panels.samples.SamplesPanel",
    "django_hotpath.panels.lines.LinesPanel",
    "django_hotpath.panels.line_memory.LineMemoryPanel",
    "django_hotpath.panels.allocations.AllocationsPanel",
    "django_hotpath.panels.objects.ObjectsPanel",
]

__all__ = ["HOTPATH_PANELS"]
