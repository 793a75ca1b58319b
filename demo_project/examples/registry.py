"""What an example is. The examples themselves are in `examples.families`, one file a family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest

Kind = Literal["slow", "fast", "trap"]
View = Callable[..., Any]  # sync or async


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
    """One way to write it. `name` is the last part of the URL; `label` says what the code does."""

    name: str
    view: View
    label: str
    kind: Kind


@dataclass(frozen=True)
class Signal:
    """A figure of a variant at the default size that is the same on every machine: never a time.

    The measure "queries" means the statements of one request and is checked by the tests.
    """

    variant: str
    measure: str
    count: int


@dataclass(frozen=True)
class Example:
    """One claim and the variants that check it: same input, same payload."""

    slug: str
    title: str
    family: Family
    source: tuple[Source, ...]
    claim: str
    variants: tuple[Variant, ...]
    sizes: Sizes | None
    signals: tuple[Signal, ...]
    explanation: str

    def url_name(self, variant: Variant) -> str:
        return f"{self.slug}-{variant.name}"

    def signals_of(self, variant: Variant) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.signals if signal.variant == variant.name)
