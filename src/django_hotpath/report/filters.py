"""The template filters of the report's own engine."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from django_hotpath.analysis.paths import short_path
from django_hotpath.analysis.statements import is_read
from django_hotpath.report import editor, formats
from django_hotpath.report.links import Links
from django_hotpath.report.viewmodels import sql
from django_hotpath.report.viewmodels.queries import QueryRow
from django_hotpath.report.viewmodels.sites import Site

register = template.Library()

register.filter("ms", formats.ms)
register.filter("percent", formats.percent)
register.filter("short_path", short_path)
register.filter("sql", sql.marked_up)


def _figure(text: str) -> SafeString:
    """Digits and spaces, a thousand times a page: there is nothing in them to escape."""
    return mark_safe(text)  # noqa: S308


@register.filter
def count(value: float | None) -> str:
    return _figure(formats.count(value))


@register.filter
def fixed(value: float | None, digits: int = 2) -> str:
    """A figure of a table column, with as many decimals as its neighbours."""
    return _figure(formats.decimal(value, digits))


@register.filter
def size(value: float | None) -> str:
    return formats.byte_size(value)


@register.filter
def growth(value: float | None) -> str:
    return formats.byte_size(value, signed=True)


@register.filter
def raw(value: float | None) -> str:
    """A number for a data or SVG attribute: no grouping, no locale."""
    return "" if value is None else _figure(f"{value:.6g}")


@register.filter
def hundredths(value: float | None) -> str:
    """A share from 0 to 1 as the width of a bar that is 100 wide; a little stays visible."""
    if not value:
        return _figure("0")
    return _figure(f"{max(value * 100, 0.4):.2f}")


@register.filter
def asset(links: Links, name: str) -> str:
    return links.asset(name)


@register.filter
def editor_url(site: Site | None) -> str | None:
    """Opens the line in the editor of the settings; None where there is none."""
    return None if site is None else editor.url(site.file, site.line)


@register.filter
def explainable(row: QueryRow) -> bool:
    """Whether its plan can be asked for: a read that ended well."""
    return is_read(row.sql) and not row.error and "executemany" not in row.flags


@register.filter
def plural(number: float, words: str) -> str:
    """``3|plural:"query,queries"`` is "queries"."""
    one, _, many = words.partition(",")
    return one if number == 1 else many or one + "s"
