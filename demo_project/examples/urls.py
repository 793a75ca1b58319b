"""One address for each example, and below it one for each variant."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.urls import path

from examples import views
from examples.families import EXAMPLES, stack
from examples.registry import Example, Variant

app_name = "examples"


def served(example: Example, variant: Variant) -> Any:
    """The view, or what to install for it."""
    return variant.view if example.missing is None else partial(views.missing, example=example)


urlpatterns = [
    path("", views.index, name="index"),
    path("baseline/ping/", stack.ping, name="ping"),
    path("tour/", views.tour_page, name="tour"),
    path("tour/<int:number>/", views.tour_page, name="tour-step"),
    *(
        path(f"{example.slug}/", views.example_page, {"slug": example.slug}, name=example.slug)
        for example in EXAMPLES
    ),
    *(
        path(
            f"{example.slug}/{variant.name}/",
            served(example, variant),
            name=example.url_name(variant),
        )
        for example in EXAMPLES
        for variant in example.variants
    ),
]
