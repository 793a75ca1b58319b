"""Work under the C tracer, and its result in short."""

from __future__ import annotations

import contextvars
import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

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


def new(max_nodes: int = 10_000, *, builtins: bool = False) -> Any:
    return native_events.new_tracer(max_nodes, builtins)


def traced(work: Callable[[], Any], max_nodes: int = 10_000, *, builtins: bool = False) -> Any:
    tracer = new(max_nodes, builtins=builtins)
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
