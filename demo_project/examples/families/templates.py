"""One template, rendered by Django and by Jinja2."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.backends.django import DjangoTemplates

from examples.pages import answer, payload
from examples.registry import S1, Example, Family, Signal, Sizes, Variant
from shop.models import Company

COMPANIES = Sizes(default=3_298, cap=3_298)
TEMPLATE = "examples/companies.html"
OPTIONS = {
    "NAME": "companies",
    "DIRS": [Path(__file__).parent.parent / "templates"],
    "APP_DIRS": False,
    "OPTIONS": {},
}


@cache
def django_engine() -> Any:
    return DjangoTemplates(OPTIONS)


@cache
def jinja2_engine() -> Any:
    from django.template.backends.jinja2 import Jinja2

    return Jinja2(OPTIONS)


def templates_slow(request: HttpRequest) -> HttpResponse:
    template = django_engine().get_template(TEMPLATE)
    return _rendered(request, template.render({"companies": read_companies(request)}))


def templates_fast(request: HttpRequest) -> HttpResponse:
    template = jinja2_engine().get_template(TEMPLATE)
    return _rendered(request, template.render({"companies": read_companies(request)}))


def read_companies(request: HttpRequest) -> list[dict[str, Any]]:
    companies = Company.objects.order_by("symbol")[: COMPANIES.asked(request)]
    return list(companies.values("symbol", "name", "city", "founded", "employees"))


def _rendered(request: HttpRequest, html: str) -> HttpResponse:
    """The lines of the table's cells, to compare."""
    lines = [line.strip() for line in html.splitlines()]
    cells = [(number, line) for number, line in enumerate(lines, 1) if line.startswith("<td>")]
    return answer(request, payload(("Line", "Rendered"), cells))


FAMILY = Family("templates", "Templates", "What turning data into a page costs.")

EXAMPLES = (
    Example(
        slug="templates",
        number=27,
        title="The same template by two engines",
        family=FAMILY,
        source=(S1,),
        claim="Jinja2 is faster than Django's templates (no figure is given).",
        variants=(
            Variant(
                "slow",
                templates_slow,
                "Django templates",
                "slow",
                code=(templates_slow, TEMPLATE),
                finding="slow_template",
            ),
            Variant("fast", templates_fast, "Jinja2", "fast"),
        ),
        sizes=COMPANIES,
        signals=(
            Signal("slow", "rendered templates", 1),
            Signal("fast", "rendered templates", 1),
            Signal("slow", "queries", 1),
            Signal("fast", "queries", 1),
            Signal("slow", "calls of VariableNode.render", 4 * 3_298),
            Signal("fast", "calls of VariableNode.render", 0),
        ),
        explanation=(
            "Both engines render the same file, and give the same text. Django walks through a "
            "tree of nodes for each row and looks every variable up by trying what it might be; "
            "Jinja2 compiles the template to a Python function first. Look at the own time of the "
            "template, and at how often `VariableNode.render` is called."
        ),
        trap=(
            "On a page of a hundred rows it makes a few milliseconds, and the queries are what "
            "counts. Django's tags, `{% csrf_token %}`, context processors and the admin need "
            "Django's templates. Showing fewer rows beats both."
        ),
        extra="jinja2",
        shows=("templates", "calls"),
    ),
)
