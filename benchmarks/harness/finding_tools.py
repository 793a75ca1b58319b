"""The tools that look for N+1 queries, each as its documentation says to use it in a test.

Each gives what it says of a function as texts. Advice that is not about loops (unused eager loads,
duplicates) is left out: the cases are not labelled for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Function = Callable[[], Any]

# What the cases are about, of all that we look for.
LOOPS = ("n_plus_one", "write_loop")


@dataclass(frozen=True)
class Tool:
    """``package`` is the distribution, ``module`` what has to be importable."""

    key: str
    package: str
    module: str
    apps: tuple[str, ...]
    alarms: Callable[[Function], list[str]]


def _zeal(function: Function) -> list[str]:
    from zeal import zeal_context

    with warnings.catch_warnings(record=True) as caught, zeal_context():
        warnings.simplefilter("always")
        function()
    return [str(found.message) for found in caught if "N+1 detected" in str(found.message)]


def _django_nplus1(function: Function) -> list[str]:
    from django_nplus1 import DetectionContext

    found = []

    class Context(DetectionContext):
        def notify(self, message: Any) -> None:
            found.append(message)

    with Context():
        function()
    return [message.message for message in found if message.label in {"n_plus_one", "get_in_loop"}]


def _nplus1(function: Function) -> list[str]:
    # Importing it is what puts its patches in place.
    import nplusone.ext.django  # noqa: F401
    from nplusone.core.profiler import Profiler

    found = []

    class Collecting(Profiler):
        def notify(self, message: Any) -> None:
            found.append(message)

    with Collecting():
        function()
    return [message.message for message in found if message.label == "n_plus_one"]


def _hunter(function: Function) -> list[str]:
    from django.test import RequestFactory
    from django_nplus1_hunter.middleware import NPlus1HunterMiddleware, NPlus1QueryDetectedError

    try:
        NPlus1HunterMiddleware(lambda request: function())(RequestFactory().get("/"))
    except NPlus1QueryDetectedError as error:
        return [str(error)]
    return []


def _drf_nplus(function: Function) -> list[str]:
    from drf_nplus import NPlusOneDetected, assert_no_nplus

    try:
        with assert_no_nplus():
            function()
    except NPlusOneDetected as error:
        return [str(error)]
    return []


def _hotpath(function: Function) -> list[str]:
    from tests.findings.judging import describe
    from tests.findings.running import run

    ran = run(function)
    return [describe(finding) for kind in LOOPS for finding in ran.found(kind)]


HOTPATH = Tool("hotpath", "django-hotpath", "django_hotpath", (), _hotpath)
TOOLS = (
    HOTPATH,
    Tool("zeal", "django-zeal", "zeal", ("zeal",), _zeal),
    Tool("django_nplus1", "django-nplus1", "django_nplus1", ("django_nplus1",), _django_nplus1),
    Tool("nplus1", "nplus1", "nplusone", (), _nplus1),
    Tool("hunter", "django-nplus1-hunter", "django_nplus1_hunter", (), _hunter),
    Tool("drf_nplus", "drf-nplus", "drf_nplus", (), _drf_nplus),
)
