from __future__ import annotations

import json
import re
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from examples.families import BY_URL_NAME
from examples.registry import Example, Signal, Variant

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")
_EMPHASIS = re.compile(r"\*([^*]+)\*")

# What to look at in the report: the instruments, and the tab that shows them.
SECTIONS = {
    "calls": ("Calls", "calls", "every function: how often it ran, and its own time"),
    "queries": ("Queries", "queries", "every statement, with the line that sent it"),
    "cache": ("Cache", "cache", "operations on the caches: keys, hits, misses"),
    "templates": ("Templates", "templates", "time in each template"),
    "lines": ("Lines", "lines", "hits and time of each line of the view"),
    "memory": ("Memory", "memory", "what was allocated where, and the peak"),
    "allocations": ("Memory", "memory", "what was allocated where, and the peak"),
    "line_memory": ("Memory", "memory", "by how much each line made memory grow"),
    "objects": ("Objects", "memory", "model instances that were made, and those that stayed"),
    "eventloop": ("Event loop", "eventloop", "what blocked the loop, and what was awaited in turn"),
    "usage": ("Usage", "usage", "what was fetched, and what of it was read"),
    "timeline": ("Timeline", "timeline", "what ran when, side by side"),
    "flame": ("Flame graph", "flame", "where the time went, as a picture"),
    "middleware": ("Request", "request", "own time of each middleware"),
    "http": ("Requests", "http", "requests to other services"),
    "gc": ("Garbage collector", "gc", "its runs, and how long they paused everything"),
    "plan": ("Plan", "queries", "press Explain at a query: how the database finds the rows"),
    "findings": ("Findings", "findings", "what to change, first"),
}


@register.filter
def thousands(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


@register.filter
def counted(signal: Signal) -> str:
    """What the number of a signal counts."""
    return signal.words(signal.count)


@register.filter
def is_text(value: float | str) -> bool:
    return isinstance(value, str)


@register.filter
def prose(text: str) -> SafeString:
    """`code` and *emphasis* as HTML; everything else is text."""
    found = _CODE.sub(_code, str(escape(text)))
    parts = re.split(r"(<code.*?</code>)", found)
    return mark_safe(  # noqa: S308 - escaped above
        "".join(
            part if part.startswith("<code") else _EMPHASIS.sub(r"<em>\1</em>", part)
            for part in parts
        )
    )


def _code(found: re.Match[str]) -> str:
    # Short, it is not broken: not between "?" and "profile", where browsers do.
    whole = ' class="whole"' if len(found[1]) <= 24 else ""
    return f"<code{whole}>{found[1]}</code>"


@register.filter
def section(name: str) -> dict[str, str]:
    """The section of the report that shows an instrument."""
    label, anchor, what = SECTIONS.get(name, (name.capitalize(), name, ""))
    return {"label": label, "anchor": anchor, "what": what}


@register.simple_tag
def variant_url(example: Example, variant: Variant) -> str:
    return reverse(f"examples:{example.url_name(variant)}")


@register.simple_tag
def example_url(example: Example) -> str:
    return reverse(f"examples:{example.slug}")


@register.simple_tag
def signals(example: Example, variant: Variant) -> tuple[Signal, ...]:
    return example.signals_of(variant)


@register.filter
def runs_data(example: Example, query: str = "") -> str:
    """What "Measure now" needs to know of an example, as JSON for a data attribute."""
    return json.dumps(
        {
            "slug": example.slug,
            "title": example.title,
            "profile": example.profile,
            "query": query,
            "compare": reverse("hotpath:compare"),
            "api": reverse("hotpath:api-compare"),
            "page": reverse(f"examples:{example.slug}"),
            "variants": [
                {
                    "name": variant.name,
                    "kind": variant.kind,
                    "url": reverse(f"examples:{example.url_name(variant)}"),
                }
                for variant in example.variants
            ],
        }
    )


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
