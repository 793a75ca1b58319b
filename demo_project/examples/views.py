from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from examples.families import EXAMPLES
from examples.registry import SOURCES


def index(request: HttpRequest) -> HttpResponse:
    families = groupby(EXAMPLES, key=lambda example: example.family)
    context = {
        "families": [(family, list(examples)) for family, examples in families],
        "sources": SOURCES,
    }
    return render(request, "examples/index.html", context)
