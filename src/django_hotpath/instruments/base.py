"""What every instrument offers; the shared tests are in ``tests/contracts/test_instruments.py``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
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

    # Read at every line that is followed: slots are quicker than a dict's own dict.
    __slots__ = ("__weakref__", "closed", "last", "lost_ns", "owner", "parent", "watchers")

    def __init__(self, owner: object, parent: Active | None) -> None:
        super().__init__()
        self.owner = owner
        self.parent = parent
        self.closed = False
        # Who follows lines here: instruments of this capture and of those around it.
        self.watchers: tuple[Any, ...] = parent.watchers if parent is not None else ()
        # What the last line was counted in, to be found again quickly.
        self.last: Any = None
        # Nanoseconds of our own in following them.
        self.lost_ns = 0

    def take_lost(self) -> int:
        """What following lines cost since this was last asked; it cost the outer capture too."""
        lost, self.lost_ns = self.lost_ns, 0
        if self.parent is not None:
            self.parent.lost_ns += lost
        return lost

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
    """What instruments know of the capture they are part of.

    ``subject`` is what a ``profile()`` is about, the function or the code of the block; None for a
    request, whose view nobody knows before the URL is resolved.
    ``work`` is the coroutine that the recorder drives step by step; None where there is none.
    """

    started_ns: int = 0
    work: Any = None
    subject: Any = None
    # Whoever calls the request's middleware, by its ``get_response``; None where there is none.
    outermost: Any = None
    # Whether an instrument of this capture, or of one around it, sees frames: then operations run
    # in named ones.
    frames: bool = False

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
    # Whether a streamed answer may switch it on and off for each chunk. A process-wide engine that
    # it may not is stopped where the streaming begins.
    by_steps: ClassVar[bool] = False
    # Names of instruments or engines that cannot run in the same capture.
    conflicts: ClassVar[frozenset[str]] = frozenset()
    takes_target: ClassVar[bool] = False
    # How many times slower it makes code, from and to, until that is measured; for the built-in
    # engines see calibration/typical.py. None for one that costs only what it records.
    slower: ClassVar[tuple[float, float] | None] = None
    # Whether tasks and worker threads that the work hands over to are missing in the result.
    own_task_only: ClassVar[bool] = False
    # Whether to pause at each suspension of the task, also where the capture stays on for the
    # sake of a worker thread.
    follows_task: ClassVar[bool] = False

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
        if cls.requires is not None and not importable(cls.requires):
            return f'needs {cls.requires}: python -m pip install "django-hotpath[{cls.extra}]"'
        return None

    @classmethod
    def busy(cls) -> str | None:
        """Why this cannot be used at this moment: somebody else has the slot."""
        return None

    @classmethod
    def unsuited(cls) -> str | None:
        """Why another engine is the better choice at this moment, where none was asked for."""
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

    def on_view(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """This view is about to be called, perhaps in another thread: gives what to call instead.

        Only while ``view_hook`` is held.
        """
        return view

    def begin_stream(self) -> None:
        """Paused; from here on resumed for each chunk of a stream, perhaps after a long time."""
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

    def names_frames(self, outer: Instrument | None) -> bool:
        """Whether operations are to run in named frames: once, where both captures see them."""
        return self.session.frames and (outer is None or not outer.session.frames)

    def timing(self) -> dict[str, float]:
        """What this contributes to the capture's ``timing``."""
        return {}


def to_ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1_000_000, 4)


def importable(module: str) -> bool:
    """Whether it is installed; it is not imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
