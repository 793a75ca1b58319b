from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from examples.families import BY_URL_NAME
from examples.registry import Example, Signal, Variant

register = template.Library()


@register.filter
def thousands(value: int) -> str:
    return f"{value:,}"


@register.simple_tag
def variant_url(example: Example, variant: Variant) -> str:
    return reverse(f"examples:{example.url_name(variant)}")


@register.simple_tag
def signals(example: Example, variant: Variant) -> tuple[Signal, ...]:
    return example.signals_of(variant)


@register.simple_tag(takes_context=True)
def current_example(context: template.RequestContext) -> dict[str, Any]:
    """The example and variant this page shows, its size, and the other variants."""
    request = context.request
    match = request.resolver_match
    assert match
    assert match.url_name
    example, variant = BY_URL_NAME[match.url_name]
    return {
        "example": example,
        "variant": variant,
        "others": [other for other in example.variants if other is not variant],
        "n": example.sizes.asked(request) if example.sizes else None,
        "q": request.GET.get("q", ""),
    }
