"""What a labelled case is."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.findings import spots
from tests.findings.spots import Spot

CONFIRMED, POTENTIAL = "confirmed", "potential"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One finding: ``queries`` in the loop that reads ``relation`` at ``read``.

    ``fix``: the means that an expert would take, any of them. ``origin`` is None where no line of
    the project made a queryset that a fix could change; ``edits`` is False where the source does
    not allow to say the fix to the letter.
    """

    relation: str | None
    queries: int
    fix: tuple[str, ...]
    origin: str | None = ""
    read: str = ""
    level: str = CONFIRMED
    edits: bool = True
    kind: str = "n_plus_one"
    # Statements that belong to it, where they are more than those that count.
    listed: int | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """Three functions of a module of cases and what is to be found in the first of them.

    ``before`` and ``after``: all queries of the slow and of the fixed function.
    """

    module: str
    name: str
    before: int
    after: int
    expected: tuple[Expected, ...]
    # Its rows must be committed, because another connection reads them.
    committed: bool = False

    @property
    def two_databases(self) -> bool:
        return self.module == "aliases"

    @property
    def id(self) -> str:
        return f"{self.module}.{self.name}"

    def function(self, variant: str) -> Callable[[], Any]:
        module = importlib.import_module(f"tests.findings.cases.{self.module}")
        found: Callable[[], Any] = getattr(module, f"{self.name}_{variant}")
        return found

    def origin(self, expected: Expected) -> Spot | None:
        return None if expected.origin is None else self._spot("origin", expected.origin)

    def read(self, expected: Expected) -> Spot:
        return self._spot("read", expected.read)

    def _spot(self, mark: str, spot: str) -> Spot:
        return spots.find(mark, spot, self.module, f"{self.name}_slow")
