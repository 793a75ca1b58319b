"""Measures one variant by the product itself: a request with `Hotpath-Profile`, and its capture.

    found = measure(example, variant)
    found.value("queries"), found.value("calls of balance_of"), found.kinds()

Every capture is a request of its own, made when a figure of it is first asked for. Before it, the
variant is asked once for warmth, and what the example keeps is emptied; a measure that ends in
"when asked again" is of the second of two requests after that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django.test import AsyncClient, Client, override_settings
from django.urls import reverse

from django_hotpath import deferred
from django_hotpath.analysis.growth import growth, with_growth_findings
from django_hotpath.capture import Capture
from django_hotpath.stores import get_store
from examples import figures
from examples.registry import Example, Signal, Variant

AGAIN = " when asked again"
BOUNDS = (" at most", " at least")

# Kinds of finding that the default set of instruments does not make.
INSTRUMENTS_OF = {
    "unused_columns": "queries,usage",
    "unused_eager_load": "queries,usage",
    "unread_rows": "queries,usage",
    "join_duplicates": "queries,usage",
    "blocking_call": "queries,eventloop",
    "sequential_awaits": "queries,eventloop",
    "memory_growth": "allocations:collect",
    "memory_peak": "memory",
    "slow_query": "queries",
}
# Kinds that come with the plan of a statement.
OF_PLANS = frozenset({"full_scan", "unindexed_sort", "temporary_table", "discarded_rows"})
RUNS_OF = {"memory_growth": 5}
DEFAULT = "1"


class NotMeasured(Exception):
    """The request failed or was refused a capture; the text says why."""


def allow(request: HttpRequest) -> bool:
    """`HOTPATH["ALLOW"]` while something is measured: DEBUG may be off."""
    return True


@dataclass
class Measured:
    """A variant of which figures can be asked for."""

    example: Example
    variant: Variant
    params: dict[str, str]
    captures: dict[tuple[str, bool], Capture] = field(default_factory=dict)
    payload: Any = None

    @property
    def size(self) -> int:
        """`n` of the request."""
        asked = self.params.get("n")
        return int(asked) if asked else self.example.sizes.default if self.example.sizes else 1

    @property
    def url(self) -> str:
        return reverse(f"examples:{self.example.url_name(self.variant)}")

    def capture(self, profile: str = DEFAULT, *, again: bool = False) -> Capture:
        """The capture of a request with these instruments, the same one each time."""
        key = (profile, again)
        if key not in self.captures:
            self._get(None)
            self._reset()
            if again:
                self._get(None)
            self.captures[key] = self._captured(profile)
        return self.captures[key]

    def instrument(self, name: str, profile: str = DEFAULT, *, again: bool = False) -> Any:
        """What `docs/reference/capture.md` says of `instruments.<name>`."""
        return self.capture(profile, again=again).instruments[name]

    def value(self, measure: str, read: Callable[[Measured], float | str] | None = None) -> Any:
        """A number, or for "plan" a text. Raises `LookupError` for an unknown measure."""
        if read is not None:
            return read(self)
        name = measure
        for bound in BOUNDS:
            name = name.removesuffix(bound)
        again = name.endswith(AGAIN)
        return figures.figure(self, name.removesuffix(AGAIN), again=again)

    def holds(self, signal: Signal) -> bool:
        return signal.holds(self.value(signal.measure, signal.read))

    def kinds(self) -> frozenset[str]:
        """The kinds of finding, of those that tell the example's variants apart."""
        found: set[str] = set()
        for kind in self.example.findings:
            if kind in OF_PLANS:
                made = figures.explained(self).findings
            elif kind in RUNS_OF:
                made = self.repeated(INSTRUMENTS_OF[kind], RUNS_OF[kind]).findings
            else:
                made = self.capture(INSTRUMENTS_OF.get(kind, DEFAULT)).findings
            found |= {finding.kind for finding in made if finding.kind == kind}
        return frozenset(found)

    def repeated(self, profile: str, runs: int) -> Capture:
        """The last of several captures, with the findings that only several allow."""
        # As text: the pieces of captures that are held would be what the process grows by.
        kept = [self.capture(profile).to_json()]
        kept += [self._captured(profile).to_json() for _ in range(runs - 1)]
        captures = [Capture.from_json(text) for text in kept]
        last = with_growth_findings(captures[-1], growth(captures, captures[-1]))
        self.captures[profile, False] = last
        return last

    def warm(self) -> None:
        """A request that is not measured, after what the example keeps is emptied."""
        self._reset()
        self._get(None)

    def fresh(self, profile: str) -> Capture:
        """One more capture, whatever was measured before."""
        return self._captured(profile)

    def _reset(self) -> None:
        for cache in caches.all(initialized_only=True):
            cache.clear()
        if self.example.reset is not None:
            self.example.reset()

    def _captured(self, profile: str, runs: int = 1) -> Capture:
        """The last of so many captures in a store of their own."""
        with _allowed():
            for _ in range(runs):
                headers = self._get(profile)
                where = headers.get("Hotpath-Capture")
                if where is None:
                    raise NotMeasured(f"{self.url}: {headers.get('Hotpath-Refused', 'no capture')}")
                capture_id = where.rstrip("/").rpartition("/")[2]
                deferred.settle(capture_id)
            return get_store().get(capture_id)

    def _get(self, profile: str | None) -> dict[str, str]:
        headers = {} if profile is None else {"Hotpath-Profile": profile}
        query = {"format": "json", **self.example.params, **self.params}
        if self.example.asynchronous:
            response = _get_async(self.url, query, headers)
        else:
            response = Client(raise_request_exception=True).get(self.url, query, headers=headers)
        if response.status_code != 200:
            raise NotMeasured(f"{self.url}: status {response.status_code}")
        self.payload = json.loads(response.content)
        return dict(response.items())


@async_to_sync
async def _get_async(url: str, query: dict[str, str], headers: dict[str, str]) -> Any:
    return await AsyncClient().get(url, query, headers=headers)


def _allowed() -> override_settings:
    given = {
        **getattr(settings, "HOTPATH", {}),
        "ALLOW": f"{__name__}.allow",
        "STORE": {"BACKEND": "django_hotpath.stores.memory.MemoryStore"},
    }
    return override_settings(HOTPATH=given)


def measure(example: Example, variant: Variant | str, **params: str) -> Measured:
    """To be asked for figures; `params` go into the query string."""
    if isinstance(variant, str):
        variant = example.variant(variant)
    return Measured(example, variant, params)


def timed(example: Example, runs: int) -> dict[str, list[Capture]]:
    """So many captures of each variant, taken in turn by `?profile=queries`, after a warm one."""
    found = {variant.name: measure(example, variant) for variant in example.variants}
    captures: dict[str, list[Capture]] = {name: [] for name in found}
    for one in found.values():
        one.warm()
    for _ in range(runs):
        for name, one in found.items():
            captures[name].append(one.fresh("queries"))
    return captures
