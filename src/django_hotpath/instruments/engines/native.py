"""``calls`` by our own tracer: the exact tree of one piece of work, whatever else runs."""

from __future__ import annotations

from typing import Any, ClassVar

from django_hotpath.instruments.base import Instrument, Session, clock
from django_hotpath.instruments.engines import native_events
from django_hotpath.instruments.spans import plain_spans
from django_hotpath.instruments.tree import folded

# A page of Django's admin has some ten thousand.
MAX_NODES = 1_000_000


class NativeCalls(Instrument):
    name = "calls"
    engine = "native"
    measures = (
        "Every Python function called, as an exact tree: how often, its own time, with all it "
        "called, and how long a coroutine was suspended."
    )
    cost = (
        "makes Python code about 1.2 to 1.4 times slower while it runs (1.5 to 2.2 on Python 3.11)"
    )
    disturbed_by = (
        "Many small calls look slower than they are. Only this request is in it, with the tasks "
        "and worker threads that it hands work to; other requests are slowed down, not recorded. "
        "Greenlets that the request starts are mixed up with it. "
        "Time in built-in functions counts as own time of the caller (calls:builtins shows them)."
    )
    takes_target = True
    max_nodes: ClassVar[int] = MAX_NODES

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._builtins = target == "builtins"
        self._tracer: Any = None
        self._started_between = (0, 0)

    @classmethod
    def available(cls) -> str | None:
        return native_events.unavailable()

    @classmethod
    def busy(cls) -> str | None:
        return native_events.busy()

    @classmethod
    def check_target(cls, target: str) -> str | None:
        if target == "builtins":
            return None
        return f"calls has no target {target!r}: calls:builtins records built-in functions too"

    def start(self) -> None:
        tracer = native_events.new_tracer(self.max_nodes, self._builtins)
        native_events.acquire(builtins=self._builtins)
        before = clock()
        try:
            tracer.start()
        except BaseException:
            native_events.release(builtins=self._builtins)
            raise
        self._started_between = before, clock()
        self._tracer = tracer

    def stop(self) -> None:
        if self._tracer is None:
            return
        try:
            self._tracer.stop()
        finally:
            if native_events.release(builtins=self._builtins):
                self.warnings.append(
                    "calls: another profiler took over while the work ran: the tree is incomplete"
                )

    def pause(self) -> None:
        self._tracer.pause()

    def resume(self) -> None:
        self._tracer.resume()

    def result(self) -> dict[str, Any]:
        found = self._tracer.result()
        if found["mismatches"]:
            self.warnings.append(
                f"calls: {found['mismatches']:,} functions ended in another order than they began "
                "(greenlets that take turns, an interrupt): some calls may hang below a wrong "
                "caller"
            )
        lost = found["lost"]
        if lost:
            self.warnings.append(
                f"calls: the tree was truncated at {self.max_nodes:,} nodes: {lost:,} calls are "
                "not in it, their time is their caller's"
            )
        tree = folded(
            found["codes"],
            found["parent"],
            found["frame"],
            found["calls"],
            found["own_ns"],
            found["wait_ns"],
        )
        place = [at if stands else -1 for at, stands in zip(tree.place, tree.stands, strict=True)]
        return {
            "engine": self.engine,
            "builtins": self._builtins,
            "lost": lost,
            **tree.plain,
            "spans": plain_spans(found, place, self._capture_started(found["begun_ns"])),
        }

    def _capture_started(self, begun_ns: int) -> int:
        """When the capture started, on the clock by which the tracer began at ``begun_ns``."""
        before, after = self._started_between
        # The same clock as Python's on Linux and Windows; else both began at about the same time.
        same = before <= begun_ns <= after
        return self.session.started_ns - (0 if same else before - begun_ns)
