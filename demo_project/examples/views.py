"""The index, the page of an example and the tour; the variants themselves are in the families."""

from __future__ import annotations

from itertools import groupby

from django.apps import apps
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from examples import code, tour
from examples.families import EXAMPLES
from examples.registry import SOURCES, Example


def families() -> list[tuple[object, list[Example]]]:
    """The examples of a family together, whatever files they come from."""
    order = list(dict.fromkeys(example.family for example in EXAMPLES))
    found = sorted(EXAMPLES, key=lambda example: order.index(example.family))
    return [(family, list(group)) for family, group in groupby(found, lambda one: one.family)]


def index(request: HttpRequest) -> HttpResponse:
    context = {
        "families": families(),
        "count": len({example.number for example in EXAMPLES}),
        "sources": SOURCES,
        "steps": tour.STEPS,
    }
    return render(request, "examples/index.html", context)


def example_page(request: HttpRequest, slug: str) -> HttpResponse:
    at, example = _find(slug)
    n = example.sizes.asked(request) if example.sizes else None
    context = {
        "example": example,
        "n": n,
        "query": f"?n={n}" if example.sizes and n != example.sizes.default else "",
        "variants": [
            {
                "variant": variant,
                "snippets": code.snippets(example, variant),
                "signals": example.signals_of(variant),
            }
            for variant in example.variants
        ],
        "previous": EXAMPLES[at - 1] if at else None,
        "next": EXAMPLES[at + 1] if at + 1 < len(EXAMPLES) else None,
    }
    return render(request, "examples/example.html", context)


def tour_page(request: HttpRequest, number: int = 1) -> HttpResponse:
    if not 1 <= number <= len(tour.STEPS):
        raise Http404
    _, orders = _find("orders")
    context = {
        "number": number,
        "step": tour.STEPS[number - 1],
        "steps": tour.STEPS,
        "previous": number - 1,
        "next": number + 1 if number < len(tour.STEPS) else None,
        "example": orders,
        "slow": code.snippets(orders, orders.variant("slow")),
        "fast": code.snippets(orders, orders.variant("fast")),
        "toolbar": apps.is_installed("debug_toolbar"),
    }
    return render(request, "examples/tour.html", context)


def missing(request: HttpRequest, example: Example) -> HttpResponse:
    """In place of a variant whose package is not installed."""
    return render(request, "examples/missing.html", {"example": example})


def _find(slug: str) -> tuple[int, Example]:
    for at, example in enumerate(EXAMPLES):
        if example.slug == slug:
            return at, example
    raise Http404(slug)
