"""What every instrument offers; the shared tests are in ``tests/contracts/test_instruments.py``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter_ns
from types import TracebackType
from typing import Any, ClassVar, Self

# The instruments of the capture that this context (a thread, a task and whatever they hand work
# to) belongs to, by name; None when nothing is being captured. The recorder empties the dict at
# the end, so that a task which outlives its request records nothing more.
current: ContextVar[dict[str, Instrument] | None] = ContextVar("hotpath_current", default=None)


@dataclass
class Session:
    """What instruments know of the capture they are part of."""

    started_ns: int = 0

    def ms_since_start(self, moment_ns: int) -> float:
        return to_ms(moment_ns - self.started_ns)


class Instrument(ABC):
    """Measures one thing while it is entered.

    Life: ``__enter__``, any number of ``pause`` and ``resume`` pairs (an async view is measured
    while its own task runs), ``__exit__``, then ``result`` once. An instrument never changes
    what the application answers: the recorder guards every call, and drops one that raises.
    """

    name: ClassVar[str]
    engine: ClassVar[str] = "hotpath"
    measures: ClassVar[str]
    cost: ClassVar[str]
    disturbed_by: ClassVar[str]
    # An importable module, and the extra of this package that installs it.
    requires: ClassVar[str | None] = None
    extra: ClassVar[str | None] = None
    # The lock to take when only one capture of the process can use the engine at a time.
    process_wide: ClassVar[str | None] = None
    # Names of instruments or engines that cannot run in the same capture.
    conflicts: ClassVar[frozenset[str]] = frozenset()
    takes_target: ClassVar[bool] = False

    def __init__(self, session: Session, target: str | None = None) -> None:
        self.session = session
        self.target = target
        self.overhead_ns = 0
        self.warnings: list[str] = []

    @classmethod
    def available(cls) -> str | None:
        """Why this cannot be used here, with what to install; None when it can."""
        if cls.requires is not None and not _importable(cls.requires):
            return f'needs {cls.requires}: python -m pip install "django-hotpath[{cls.extra}]"'
        return None

    @classmethod
    def busy(cls) -> str | None:
        """Why this cannot be used at this moment: somebody else has the slot."""
        return None

    @classmethod
    def check_target(cls, target: str) -> str | None:
        """Why this target cannot be measured; None when it can."""
        return f"{cls.name} takes no target"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None:
        """Leaves the process as ``start`` found it."""

    def pause(self) -> None:
        """The work is suspended: what runs now is somebody else's."""
        return

    def resume(self) -> None:
        """The work goes on, perhaps in another thread."""
        return

    @abstractmethod
    def result(self) -> dict[str, Any]:
        """Plain data, in the shape of ``docs/reference/capture.md``."""

    def timing(self) -> dict[str, float]:
        """What this contributes to the capture's ``timing``."""
        return {}


def to_ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1_000_000, 4)


def clock() -> int:
    return perf_counter_ns()


def _importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
