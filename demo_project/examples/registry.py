"""What an example is. The examples themselves are in `examples.families`, one file a family."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from django.http import HttpRequest

if TYPE_CHECKING:
    from examples.measuring import Measured

Kind = Literal["slow", "fast", "trap"]
Verdict = Literal["reproduced", "partly", "not reproduced"]
View = Callable[..., Any]  # sync or async
Code = Callable[..., Any] | type | str

# Packages whose module has another name.
MODULES = {"django-autocomplete-light": "dal"}


@dataclass(frozen=True)
class Source:
    """Where a claim was published."""

    key: str
    title: str


S0 = Source("S0", "The “seven ways” article on high-performance Django")
S1 = Source("S1", "“Django, fast: part 3”, on profiling tools")
S2 = Source("S2", "A guide to Python's performance characteristics")
S3 = Source("S3", "A question-and-answer thread on a slow billing application")
S4 = Source("S4", "A 2026 guide to Python back-end performance")
SOURCES = (S0, S1, S2, S3, S4)


@dataclass(frozen=True)
class Family:
    slug: str
    title: str
    summary: str


@dataclass(frozen=True)
class Sizes:
    """The size a page works with, from its parameter `n`."""

    default: int
    cap: int

    def asked(self, request: HttpRequest) -> int:
        """`?n=` from 1 to the cap; the default when it is absent or not a positive number."""
        try:
            n = int(request.GET["n"])
        except (KeyError, ValueError):
            return self.default
        return min(n, self.cap) if n > 0 else self.default


@dataclass(frozen=True)
class Variant:
    """One way to write it. `name` is the last part of the URL; `label` says what the code does.

    `code` is what its page shows, read from the source: functions, classes, and the names of
    templates (as in `render()`); by default the view. `finding` is the kind of finding that the
    product must make of it; without one, it must make none of the kinds of its example.
    """

    name: str
    view: View
    label: str
    kind: Kind
    code: tuple[Code, ...] = ()
    finding: str | None = None


@dataclass(frozen=True)
class Signal:
    """A figure of a variant at the default size that is the same on every machine: never a time.

    Measures that the tests, the pages and the docs can read are listed in `examples.measuring`;
    `read` reads one that is not listed there. `count` is exact, but for measures that end in
    "at most" or "at least", and within `tolerance`, a share of it. For "plan" it is a text that the
    plan must contain.
    """

    variant: str
    measure: str
    count: int | str
    note: str = ""
    tolerance: float = 0.0
    read: Callable[[Measured], float | str] | None = None

    def words(self, found: float | str) -> str:
        """What was counted, after its number: 1 query, 2 queries."""
        if found != 1:
            return self.measure
        return re.sub(r"\b(queries|misses|[a-z]+s)\b", _singular, self.measure, count=1)

    def holds(self, found: float | str) -> bool:
        if isinstance(self.count, str) or isinstance(found, str):
            return str(self.count) in str(found)
        if self.measure.endswith(" at most"):
            return found <= self.count
        if self.measure.endswith(" at least"):
            return found >= self.count
        return abs(found - self.count) <= self.tolerance * self.count


def _singular(found: re.Match[str]) -> str:
    return {"queries": "query", "misses": "miss"}.get(found[0], found[0].removesuffix("s"))


@dataclass(frozen=True)
class Example:
    """One claim and the variants that check it: same input, same payload.

    `number` is its row in the catalogue. `reset` empties what the variants keep between requests.
    Prose (`claim`, `explanation`, `trap`, `verdict_reason`) may hold `code` in backticks.
    """

    slug: str
    title: str
    family: Family
    source: tuple[Source, ...]
    claim: str
    variants: tuple[Variant, ...]
    sizes: Sizes | None
    signals: tuple[Signal, ...]
    explanation: str
    number: int = 0
    trap: str = ""
    """When the fast form is not better."""
    verdict: Verdict = "reproduced"
    verdict_reason: str = ""
    extra: str | None = None
    """The optional packages that the variants import when they run, with blanks between them."""
    asynchronous: bool = False
    """The point shows under an ASGI server only; it works under WSGI all the same."""
    shows: tuple[str, ...] = ("calls", "queries")
    """What to look at in the report, most telling first."""
    profile: str = "1"
    """What the buttons ask `?profile=` for."""
    reset: Callable[[], object] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    """What a measured request asks for beside `n`."""

    def url_name(self, variant: Variant) -> str:
        return f"{self.slug}-{variant.name}"

    def signals_of(self, variant: Variant) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.signals if signal.variant == variant.name)

    def variant(self, name: str) -> Variant:
        return next(variant for variant in self.variants if variant.name == name)

    @property
    def findings(self) -> frozenset[str]:
        """The kinds of finding that tell its variants apart."""
        return frozenset(variant.finding for variant in self.variants if variant.finding)

    @property
    def missing(self) -> str | None:
        """The optional packages that are needed and not installed, with blanks between them."""
        names = (self.extra or "").split()
        missing = [name for name in names if find_spec(MODULES.get(name, name)) is None]
        return " ".join(missing) or None
