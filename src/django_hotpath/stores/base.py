"""What every store offers; the shared tests are in ``tests/contracts/test_stores.py``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django_hotpath.capture import Capture

if TYPE_CHECKING:
    from django_hotpath.stores.requests import (
        FiguresPage,
        RequestFilter,
        RequestPage,
        RequestSummary,
    )

SORTS = ("started_at", "path", "status", "wall_ms", "queries", "findings")


class StoreError(Exception):
    """The store could not be read or written; the text says why."""


class CaptureNotFound(StoreError):
    """No capture has this id (any more)."""


@dataclass(frozen=True, kw_only=True)
class CaptureSummary:
    """One line of the list of captures."""

    id: str
    started_at: str
    label: str
    method: str | None
    path: str | None
    route: str | None
    status: int | None
    wall_ms: float
    cpu_ms: float | None
    queries: int | None
    db_ms: float | None
    findings: int
    high: int
    instruments: tuple[str, ...]
    automatic: bool = False


@dataclass(frozen=True, kw_only=True)
class CaptureFilter:
    """Which captures to list: all conditions hold together.

    ``path`` is a part of the path or label, case-insensitive; ``status`` a code (404) or a class
    ("4xx"); ``sort`` one of ``SORTS``, with a leading "-" for descending.
    """

    path: str = ""
    method: str = ""
    status: str = ""
    min_ms: float | None = None
    max_ms: float | None = None
    sort: str = "-started_at"

    @property
    def order(self) -> tuple[str, bool]:
        """The field to sort by, and whether downwards; the default for an unknown one."""
        field = self.sort.removeprefix("-")
        if field not in SORTS:
            return "started_at", True
        return field, self.sort.startswith("-")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A slice of the matching captures; ``total`` counts all that match."""

    items: tuple[CaptureSummary, ...]
    total: int


class Store(ABC):
    """Keeps captures and the history. Every method may raise ``StoreError``, and nothing else."""

    @abstractmethod
    def save(self, capture: Capture) -> None:
        """Keeps the capture, in place of one with the same id, and its line in the history.

        Then applies retention: the line of a request stays when its capture has to go, as one of
        those without a capture. Automatic captures are counted apart from those that somebody
        asked for, so that neither push out the others.
        """

    @abstractmethod
    def get(self, capture_id: str) -> Capture:
        """Raises ``CaptureNotFound``."""

    @abstractmethod
    def list(
        self, where: CaptureFilter | None = None, *, offset: int = 0, limit: int = 50
    ) -> Page: ...

    @abstractmethod
    def delete(self, capture_id: str) -> None:
        """Deletes the capture and its line. Raises ``CaptureNotFound``."""

    @abstractmethod
    def clear(self) -> int:
        """Deletes every capture and the history, and says how many captures there were."""

    @abstractmethod
    def add_summaries(self, summaries: Sequence[RequestSummary]) -> None:
        """Adds lines of requests that were not captured; keeps the newest ones."""

    @abstractmethod
    def summaries(
        self,
        where: RequestFilter | None = None,
        *,
        after: int | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> RequestPage:
        """Lines of the history, those of captures among them.

        ``after``: only lines with a greater ``seq``, the last that came first.
        """

    @abstractmethod
    def figures(self, where: RequestFilter | None = None, *, limit: int = 10_000) -> FiguresPage:
        """What statistics are made of, of requests only: many lines, quickly."""


def summarise(capture: Capture) -> CaptureSummary:
    request = capture.request
    severities = Counter(finding.severity for finding in capture.findings)
    queries = capture.instruments.get("queries")
    return CaptureSummary(
        id=capture.id,
        started_at=capture.started_at,
        label=capture.label,
        method=request.method if request else None,
        path=request.path if request else None,
        route=request.route if request else None,
        status=request.status if request else None,
        wall_ms=capture.timing.wall_ms,
        cpu_ms=capture.timing.cpu_ms,
        queries=queries["count"] if queries else None,
        db_ms=capture.timing.db_ms,
        findings=len(capture.findings),
        high=severities["high"],
        # Plans are asked for afterwards; nothing measured them.
        instruments=tuple(name for name in capture.instruments if name != "plans"),
        automatic=capture.automatic,
    )
