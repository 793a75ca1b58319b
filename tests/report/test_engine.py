"""The engine of our own pages."""

from __future__ import annotations

from typing import Any

from django.test.signals import template_rendered

from django_hotpath.report.links import Links
from django_hotpath.report.pages import error_page


def test_nobody_is_told_of_our_templates(db: Any) -> None:
    told: list[str] = []

    def note(**kwargs: Any) -> None:
        told.append(kwargs["template"].name)

    template_rendered.connect(note)
    try:
        error_page("Title", "detail", Links(asset=str))
    finally:
        template_rendered.disconnect(note)
    assert told == []
