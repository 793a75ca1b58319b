"""Renders our templates with an engine of our own.

The project's ``TEMPLATES`` may lack ``APP_DIRS``, use Jinja2 or override anything; none of that
reaches the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from django.utils import translation

from django_hotpath.report.editor import editor, linking

FOLDER = Path(__file__).resolve().parent.parent / "templates" / "django_hotpath"


class _Quiet(Engine):
    """Tells nobody what it renders.

    Test runners and the debug toolbar replace ``Template._render`` to note every template of the
    process with its context. Ours holds a whole capture, which the toolbar of another request
    would write out in gigabytes.
    """

    def find_template(self, name: str, dirs: Any = None, skip: Any = None) -> Any:
        template, origin = super().find_template(name, dirs, skip)
        template._render = template.nodelist.render  # type: ignore[attr-defined]
        return template, origin


@cache
def engine() -> Engine:
    return _Quiet(
        dirs=[str(FOLDER)],
        app_dirs=False,
        autoescape=True,
        builtins=["django_hotpath.report.filters"],
        libraries={"i18n": "django.templatetags.i18n"},
    )


def render(name: str, values: Mapping[str, Any], *, translated: bool = False) -> str:
    """The page as text that can be encoded: lone surrogates are written as ``\\udcff``.

    The report is in English. Panels share parts with it, and are in the language of their toolbar
    (``translated``).
    """
    # Localised numbers would write "1,5" into an SVG attribute.
    links = values.get("links")
    found = editor() if links is not None and links.editor else None
    context = Context({**values, "editor": found}, autoescape=True, use_l10n=False)
    language = translation.get_language() if translated else None
    with linking(found), translation.override(language):
        html = engine().get_template(name).render(context)
    try:
        html.encode()
    except UnicodeEncodeError:
        return html.encode("utf-8", "backslashreplace").decode()
    return html
