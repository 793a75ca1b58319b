"""A piece of work of which every engine's right answer is known, and what each has to say of it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection, connections
from django.template import engines

from django_hotpath.capture import Capture
from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument
from django_hotpath.instruments.registry import Spec
from django_hotpath.recorder import Recorder, Refused
from django_hotpath.steps import Steps
from shop.models import Author, Category

FILE = "tests/known_answers.py"
TARGET = "tests.known_answers.measured"
ANSWER = 780

CALLS = 40
QUERIES = 3
INSTANCES = 7
# The one that a query makes is of another model.
CREATED = INSTANCES + 1
# Large enough for malloc to ask the system, unless what was freed before has room for it.
SIZE = 40 * 1024 * 1024
NAPS, NAP_MS, MAX_NAPS = 25, 2, 2_500

kept: list[object] = []


def helper(number: int) -> int:
    return number


_sampler: Any = None


def _samples_so_far() -> float:
    return _sampler.tree.samples if hasattr(_sampler, "tree") else math.inf


def measured() -> int:
    total = 0
    for number in range(CALLS):
        total += helper(number)  # the line of CALLS hits
    kept.append(b"x" * SIZE)  # the line of SIZE bytes
    return total


def nap() -> None:
    # On a busy machine a sampler may get its turn late, however long the others wait for it.
    enough = _samples_so_far() + 3
    for number in range(MAX_NAPS):
        time.sleep(NAP_MS / 1000)
        if number >= NAPS and _samples_so_far() >= enough:
            return


def work() -> int:
    """Gives ``ANSWER``; what is in ``kept`` stays alive until the next time."""
    answer = measured()
    kept.append([Author(name="x") for _ in range(INSTANCES)])
    for _ in range(QUERIES - 1):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()
    (category,) = Category.objects.raw("SELECT 1 AS id, 'x' AS name, 'long' AS description")
    assert category.name == "x"
    cache.set("known", 1)
    cache.get("known")
    cache.get("unknown")
    engines["django"].from_string("{{ answer }}").render({"answer": answer})
    gc.collect()
    nap()
    return answer


def _line(text: str) -> int:
    with open(__file__, encoding="utf-8") as source:
        return next(n for n, line in enumerate(source, 1) if line.rstrip().endswith(f"# {text}"))


HITS_LINE = _line("the line of CALLS hits")
SIZE_LINE = _line("the line of SIZE bytes")


def _function(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = [f for f in result["functions"] if f["file"] == FILE and f["function"] == name]
    assert len(found) == 1, f"{name} is there {len(found)} times"
    return found[0]  # type: ignore[no-any-return]


def _row(result: Mapping[str, Any], line: int) -> dict[str, Any]:
    return next(row for row in _function(result, "measured")["lines"] if row["line"] == line)  # type: ignore[no-any-return]


def _calls(result: Mapping[str, Any]) -> None:
    assert _function(result, "helper")["calls"] == CALLS
    assert _function(result, "measured")["calls"] == 1
    # No nap is shorter than it was asked to be.
    assert _function(result, "nap")["cumulative_ms"] >= NAPS * NAP_MS


def _samples(result: Mapping[str, Any]) -> None:
    assert result["samples"] > 0
    assert _function(result, "nap")["own_ms"] > 0


def _lines(result: Mapping[str, Any]) -> None:
    assert _row(result, HITS_LINE)["hits"] == CALLS
    assert _row(result, SIZE_LINE)["hits"] == 1


def _line_memory(result: Mapping[str, Any]) -> None:
    assert _row(result, SIZE_LINE)["increment"] > 0.9 * SIZE
    assert _row(result, HITS_LINE)["increment"] < 0.1 * SIZE


def _allocations(result: Mapping[str, Any]) -> None:
    (row,) = (row for row in result["by_line"] if row["file"] == FILE and row["line"] == SIZE_LINE)
    assert SIZE <= row["size"] < 1.1 * SIZE
    assert result["traced_peak"] >= SIZE


def _objects(result: Mapping[str, Any]) -> None:
    (row,) = (row for row in result["models"] if row["model"] == "shop.Author")
    assert (row["created"], row["alive"]) == (INSTANCES, INSTANCES)


def _queries(result: Mapping[str, Any]) -> None:
    assert result["count"] == QUERIES
    assert {query["call_site"]["file"] for query in result["queries"]} == {FILE}
    # Rows of a cursor that is looped over are not counted.
    assert [query["rows"] for query in result["queries"]] == [1, 1, None]


def _usage(result: Mapping[str, Any]) -> None:
    (found,) = result["querysets"]
    assert (found["model"], found["rows"], found["read"]) == ("shop.Category", 1, {"name": 1})


def _cache(result: Mapping[str, Any]) -> None:
    assert (result["count"], result["hits"], result["misses"]) == (3, 1, 1)


def _templates(result: Mapping[str, Any]) -> None:
    assert result["count"] == 1


def _http(result: Mapping[str, Any]) -> None:
    assert (result["count"], result["requests"]) == (0, [])


def _middleware(result: Mapping[str, Any]) -> None:
    # There is no request.
    assert (result["middleware"], result["view"]) == ([], None)


def _gc(result: Mapping[str, Any]) -> None:
    assert result["generations"][2] >= 1


def _eventloop(result: Mapping[str, Any]) -> None:
    assert result["loop"] is not None
    assert result["steps"] == 2
    assert result["wait_count"] == 1


def _memory(result: Mapping[str, Any]) -> None:
    assert result["rss_after"] - result["rss_before"] > 0.9 * SIZE


CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "calls": _calls,
    "samples": _samples,
    "lines": _lines,
    "line_memory": _line_memory,
    "allocations": _allocations,
    "objects": _objects,
    "queries": _queries,
    "usage": _usage,
    "cache": _cache,
    "templates": _templates,
    "http": _http,
    "middleware": _middleware,
    "gc": _gc,
    "eventloop": _eventloop,
    "memory": _memory,
}


def known_classes() -> list[type[Instrument]]:
    """Every engine of the registry that can be used here."""
    every = [cls for name in registry.names() for cls in registry.engines(name)]
    return [cls for cls in every if cls.available() is None]


def name_of(cls: type[Instrument]) -> str:
    return f"{cls.name}-{cls.engine}"


@dataclass
class Outcome:
    """``refused`` is empty where there is a capture. The work has run either way."""

    answer: int
    capture: Capture | None
    refused: str = ""

    def check(self, classes: Sequence[type[Instrument]]) -> None:
        """Every one of them has the right answer."""
        assert self.capture is not None, self.refused
        for cls in classes:
            CHECKS[cls.name](self.capture.instruments[cls.name])


def _give_back_what_is_free() -> None:
    """So that what is allocated next is new in the resident set."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def captured(classes: Sequence[type[Instrument]], work: Callable[[], int] = work) -> Outcome:
    """Runs the work under these; in an event loop where one of them needs one."""
    targeted = {"lines", "line_memory"}
    recorder = Recorder(
        [Spec(cls.name, cls.engine, TARGET if cls.name in targeted else None) for cls in classes],
        "known answers",
    )
    global _sampler
    _sampler = None
    kept.clear()
    # The work collects garbage: what others left would go while it runs.
    gc.collect()
    _give_back_what_is_free()
    try:
        if any(cls.name == "eventloop" for cls in classes):
            answer = asyncio.run(_in_a_loop(recorder, work))
        else:
            answer = _measured(recorder, work)
    except Refused as refused:
        return Outcome(work(), None, str(refused))
    outcome = Outcome(answer, recorder.capture())
    kept.clear()
    return outcome


def _start(recorder: Recorder) -> None:
    global _sampler
    recorder.start()
    _sampler = recorder.measuring("samples")


def _measured(recorder: Recorder, work: Callable[[], int]) -> int:
    _start(recorder)
    try:
        return work()
    finally:
        recorder.stop()


async def _in_a_loop(recorder: Recorder, work: Callable[[], int]) -> int:
    async def waits() -> int:
        answer = work()
        await asyncio.sleep(0.001)
        return answer

    _start(recorder)
    try:
        return await Steps(recorder, waits())  # type: ignore[no-any-return]
    finally:
        recorder.stop()
        # Those of this task, which nobody sees any more.
        connections.close_all()
