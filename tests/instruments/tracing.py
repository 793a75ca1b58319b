"""Work under the C tracer, and its result in short."""

from __future__ import annotations

import contextvars
import gc
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any, NamedTuple

from django_hotpath.instruments.engines import native_events
from tests.require import require


def needs_the_tracer() -> None:
    reason = native_events.unavailable()
    require(reason is None, f"needs the compiled tracer, which {reason}")


@contextmanager
def events(*, builtins: bool = False) -> Iterator[None]:
    native_events.acquire(builtins=builtins)
    try:
        yield
    finally:
        native_events.release(builtins=builtins)


def new(max_nodes: int = 10_000, *, builtins: bool = False, **spans: int) -> Any:
    return native_events.new_tracer(max_nodes, builtins, **spans)


def traced(
    work: Callable[[], Any], max_nodes: int = 10_000, *, builtins: bool = False, **spans: int
) -> Any:
    tracer = new(max_nodes, builtins=builtins, **spans)
    with events(builtins=builtins):
        tracer.start()
        work()
        tracer.stop()
    return tracer.result()


def calls_of(result: dict[str, Any]) -> Counter[str]:
    """Calls by the name of a function."""
    found: Counter[str] = Counter()
    for node in range(1, len(result["parent"])):
        found[name_of(result, node)] += result["calls"][node]
    return found


def name_of(result: dict[str, Any], node: int) -> str:
    code: CodeType | str = result["codes"][result["frame"][node]]
    return code if isinstance(code, str) else code.co_name


def callers_of(result: dict[str, Any], name: str) -> set[str]:
    parents = {
        result["parent"][node]
        for node in range(1, len(result["parent"]))
        if name_of(result, node) == name
    }
    return {name_of(result, parent) if parent else "" for parent in parents}


class Span(NamedTuple):
    """Times are nanoseconds since the start."""

    start: int
    end: int
    node: int
    lane: int


def spans_of(result: dict[str, Any]) -> list[Span]:
    """By start, a caller before what it called."""
    columns = [
        array("q", result[key]) for key in ("span_start_ns", "span_ns", "span_node", "span_lane")
    ]
    found = [
        Span(start, start + ns, node, lane) for start, ns, node, lane in zip(*columns, strict=True)
    ]
    return sorted(found, key=lambda span: (span.start, -span.end, span.node))


def every(result: dict[str, Any]) -> Counter[str]:
    """Spans by the name of the function."""
    return Counter(name_of(result, span.node) for span in spans_of(result))


def of(result: dict[str, Any], name: str) -> list[Span]:
    """Those of one function, in time order."""
    return [span for span in spans_of(result) if name_of(result, span.node) == name]


def check_spans(result: dict[str, Any]) -> list[Span]:
    """What holds for any work: within a lane calls lie in each other, and none has more time than
    its node. Gives the spans."""
    spans = spans_of(result)
    totals = list(result["own_ns"])
    for node in range(len(totals) - 1, 0, -1):
        totals[result["parent"][node]] += totals[node]
    open_in: dict[int, list[Span]] = {}
    times: Counter[int] = Counter()
    counts: Counter[int] = Counter()
    for span in spans:
        assert 0 < span.node < len(totals)
        assert 0 <= span.start <= span.end
        around = open_in.setdefault(span.lane, [])
        while around and around[-1].end < span.start:
            around.pop()
        touching = [other for other in around if other.end == span.start]
        inside = [other for other in around if other.end > span.start]
        assert all(span.end <= other.end for other in inside), "they overlap"
        open_in[span.lane] = [*inside, *touching, span] if touching else [*around, span]
        times[span.node] += span.end - span.start
        counts[span.node] += 1
    for node, time in times.items():
        # Each figure is rounded down.
        assert time <= totals[node] + counts[node] + len(totals)
    return spans


def living() -> int:
    assert native_events._calltree is not None
    gc.collect()
    found: int = native_events._calltree.living()
    return found


def in_a_context(work: Callable[..., Any], *args: Any) -> Any:
    return contextvars.Context().run(work, *args)


def in_a_thread(work: Callable[..., Any], *args: Any) -> None:
    thread = threading.Thread(target=work, args=args)
    thread.start()
    thread.join()


def leaf() -> int:
    return 1


class Suspend:
    def __await__(self) -> Iterator[None]:
        yield
