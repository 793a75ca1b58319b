"""A cache on a method of a view never hits: found where it is one, silent where it may not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from django_hotpath.analysis.findings import find
from django_hotpath.capture import Capture, Finding, RequestInfo
from tests.factories import capture, function

Tell = Callable[..., list[Finding]]

VIEW = """\
import functools
from functools import cache, lru_cache
from django.views import View


class Suggest(View):
    {above}
    def companies({first}prefix):
        return prefix
{below}
"""


@pytest.fixture
def told(tmp_path: Path) -> Tell:
    def tell(
        above: str, *, first: str = "self, ", below: str = "", view: str = "shop.views.Suggest"
    ) -> list[Finding]:
        path = tmp_path / "views.py"
        path.write_text(VIEW.format(above=above, first=first, below=below))
        row = function("Suggest.companies", file=str(path), line=7, calls=3, cumulative_ms=4.0)
        found: Capture = capture(
            request=RequestInfo(method="GET", path="/", view=view, status=200),
            instruments={"calls": {"engine": "native", "total_ms": 100.0, "functions": [row]}},
        )
        return [finding for finding in find(found) if finding.kind == "method_cache"]

    return tell


@pytest.mark.parametrize(
    "decorator", ["@lru_cache", "@lru_cache(maxsize=9)", "@cache", "@functools.lru_cache()"]
)
def test_found(told: Tell, decorator: str) -> None:
    (finding,) = told(decorator)
    assert (finding.severity, finding.count) == ("medium", 3)
    assert "Suggest.companies()" in finding.title
    assert "for each request" in finding.detail
    assert finding.call_site is not None
    assert finding.call_site.line == 7


def test_silent_without_a_cache(told: Tell) -> None:
    assert told("@functools.wraps(print)") == []


@pytest.mark.parametrize("decorator", ["@other.cache", "@cached_property"])
def test_silent_on_another_cache(told: Tell, decorator: str) -> None:
    assert told(decorator) == []


def test_silent_on_a_static_method(told: Tell) -> None:
    assert told("@staticmethod\n    @lru_cache", first="") == []


def test_silent_on_a_class_of_another_name(told: Tell) -> None:
    assert told("@lru_cache", view="shop.views.Other") == []


def test_silent_where_views_may_be_equal(told: Tell) -> None:
    assert told("@lru_cache", below="    def __hash__(self): return 1\n") == []


def test_silent_where_the_source_is_gone() -> None:
    row = function("Suggest.companies", file="nowhere.py", line=7)
    request = RequestInfo(method="GET", path="/", view="shop.views.Suggest", status=200)
    calls = {"engine": "native", "total_ms": 100.0, "functions": [row]}
    assert find(capture(request=request, instruments={"calls": calls})) == ()
