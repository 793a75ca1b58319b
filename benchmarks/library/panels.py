"""As many panels as hotpath brings, which do nothing: what the toolbar itself takes for them."""

from __future__ import annotations

from debug_toolbar.panels import Panel


class _DoesNothing(Panel):
    is_async = True
    title = "Does nothing"
    has_content = False


NAMES = tuple(f"DoesNothing{number}" for number in range(1, 8))
globals().update({name: type(name, (_DoesNothing,), {"__module__": __name__}) for name in NAMES})
