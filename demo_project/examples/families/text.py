"""Text that is put together piece by piece."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse

from examples.families.lookup import FAMILY
from examples.pages import answer, payload
from examples.registry import S0, Example, Signal, Sizes, Variant

LINES = Sizes(default=5_000, cap=10_000)
DETAILS = "; what was ordered, when, by whom, and what it cost" * 3


class Export:
    """A text that grows in an attribute: each `+=` copies all that is there already."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, number: int) -> None:
        self.text += f"{number:>8}{DETAILS}\n"


def export_in_attribute(n: int) -> str:
    export = Export()
    for number in range(n):
        export.add(number)
    return export.text


def export_in_local_name(n: int) -> str:
    text = ""
    for number in range(n):
        text += f"{number:>8}{DETAILS}\n"
    return text


def export_joined(n: int) -> str:
    return "".join([f"{number:>8}{DETAILS}\n" for number in range(n)])


def string_concat_slow(request: HttpRequest) -> HttpResponse:
    return _measured(request, export_in_attribute(LINES.asked(request)))


def string_concat_local(request: HttpRequest) -> HttpResponse:
    return _measured(request, export_in_local_name(LINES.asked(request)))


def string_concat_fast(request: HttpRequest) -> HttpResponse:
    return _measured(request, export_joined(LINES.asked(request)))


def _measured(request: HttpRequest, text: str) -> HttpResponse:
    return answer(request, payload(("Lines", "Characters"), [(text.count("\n"), len(text))]))


EXAMPLES = (
    Example(
        slug="string-concat",
        number=21,
        title="A text that is copied for every line",
        family=FAMILY,
        source=(S0,),
        claim="`+=` makes a new text each time; `join` makes one.",
        variants=(
            Variant(
                "slow",
                string_concat_slow,
                "+= on an attribute",
                "slow",
                code=(Export, export_in_attribute),
                finding="slow_function",
            ),
            Variant(
                "local",
                string_concat_local,
                "+= on a local name",
                "fast",
                code=(export_in_local_name,),
                # Before 3.12 whatever traces calls switches off the short cut of the interpreter
                # that this variant lives by.
                finding=None if sys.version_info >= (3, 12) else "slow_function",
            ),
            Variant("fast", string_concat_fast, "join", "fast", code=(export_joined,)),
        ),
        sizes=LINES,
        signals=(
            Signal("slow", "calls of Export.add", 5_000),
            Signal("local", "calls of Export.add", 0),
            Signal("fast", "calls of Export.add", 0),
        ),
        explanation=(
            "CPython lets a text grow in place when a local name is all that holds it. An "
            "attribute, a global or a dict entry is a second holder, so the whole text is copied "
            "for each line: twice the lines, four times the time. The report shows it as own time "
            "of `add`, and `?profile=lines:examples.families.text.Export` as the one line."
        ),
        trap=(
            "That a local `+=` is fast is an optimisation of CPython, not a promise: other "
            "interpreters copy. So does CPython 3.11 while calls are traced: profile it by "
            "`samples` there. `join` and `io.StringIO` are fast everywhere."
        ),
        verdict="partly",
        verdict_reason=(
            "On an attribute, yes. On a local name `+=` is nearly as far ahead of that as `join`."
        ),
        shows=("calls", "lines"),
    ),
)
