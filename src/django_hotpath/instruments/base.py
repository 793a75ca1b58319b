"""What every instrument offers; the shared tests are in ``tests/contracts/test_instruments.py``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter_ns
from types import TracebackType
from typing import Any, ClassVar, Self


class Active(dict[str, "Instrument"]):
    """The instruments of a running capture by name, inside those of the capture around it.

    The recorder empties it at the end, so that a task which outlives its request records nothing
    more; ``alive`` then gives what is still running around it.
    """

    def __init__(self, owner: object, parent: Active | None) -> None:
        super().__init__()
        self.owner = owner
        self.parent = parent
        self.closed = False

    def alive(self) -> Active | None:
        """This capture, or the nearest one around it that still runs."""
        active: Active | None = self
        while active is not None and active.closed:
            active = active.parent
        return active


# Nanoseconds; an alias, because a function around it would cost as much as the clock.
clock = perf_counter_ns

# The capture that this context (a thread, a task and whatever they hand work to) belongs to; None
# when nothing is being captured.
current: ContextVar[Active | None] = ContextVar("hotpath_current", default=None)


def active_instrument(name: str) -> Instrument | None:
    """The instrument that measures this context now; None in a request that nobody profiles."""
    active = current.get()
    if active is None:
        return None
    if active.closed:
        active = active.alive()
        if active is None:
            return None
    return active.get(name)


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
        # The same instrument of the capture around this one, which measures the work too.
        self.outer: Instrument | None = None
        self.closed = False
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

    def enclosing(self) -> Instrument | None:
        """The nearest instrument around this one that still runs."""
        outer = self.outer
        while outer is not None and outer.closed:
            outer = outer.outer
        return outer

    def timing(self) -> dict[str, float]:
        """What this contributes to the capture's ``timing``."""
        return {}


def to_ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1_000_000, 4)


def _importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
