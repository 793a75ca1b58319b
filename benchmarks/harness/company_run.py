"""In a worker: a profiled request beside others that nobody profiles."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any

from harness.captured import calls_of, capture_of, hits_of, row
from harness.contenders import asked_for
from harness.visits import Visit, Visits

MEASURED = "own_work"


def measure(words: str, instrument: str, kind: str, others: int, rounds: int) -> dict[str, Any]:
    """Medians over the rounds, times in milliseconds; ``foreign`` is the most of any round.

    ``alone``: CPU time of the same work when nobody profiles it and nothing else runs. ``wall``
    and ``cpu``: of the profiled work, as it noted itself. ``shown``: what the capture says.
    Or ``problem``: why it was not measured.
    """
    visits = Visits(asked_for(words))
    alone_in = _in_tasks if kind == "tasks" else _in_threads
    view = "measured-async" if kind == "tasks" else "measured"
    problem = visits.problem(view)
    if problem is not None:
        return {"problem": problem}
    alone = [_took(visit)["cpu"] for visit in alone_in(visits, 0, rounds + 1, asked=False)][1:]
    found = [_judge(visit, instrument) for visit in alone_in(visits, others, rounds, asked=True)]
    figures = {part: median(each[part] for each in found) for part in ("shown", "wall", "cpu")}
    return figures | {
        "alone": median(alone),
        "foreign": max(each["foreign"] for each in found),
        "seen": max(each["seen"] for each in found),
    }


def _took(_visit: Visit) -> dict[str, float]:
    from library import company

    return {clock: seconds * 1000 for clock, seconds in company.took.items()}


def _judge(visit: Visit, instrument: str) -> dict[str, float]:
    took = _took(visit)
    measured = capture_of(visit.headers).instruments[instrument]
    found = row(measured, MEASURED)
    shown = found.get("total_ms") if instrument == "lines" else found.get("cumulative_ms")
    foreign, seen = _foreign(measured, instrument)
    return {"shown": shown or 0.0, "foreign": foreign, "seen": seen, **took}


def _foreign(measured: Mapping[str, Any], instrument: str) -> tuple[int, int]:
    """What is in the result and was not done for the request, of all that can be told: calls,
    samples or hits of a line."""
    from library import company

    if instrument == "lines":
        hits = hits_of(measured, "leaf")
        return hits - company.LEAVES, hits
    if "tree" in measured:
        return _below_foreign(measured), measured["calls"]
    foreign = sum(calls_of(measured, name) for name in company.FOREIGN)
    return foreign + calls_of(measured, "leaf") - company.LEAVES, measured["calls"]


def _below_foreign(measured: Mapping[str, Any]) -> int:
    """Calls, or samples, in functions of the others and in all that they call."""
    from library import company

    tree, names = measured["tree"], [found["function"] for found in measured["functions"]]
    foreign = [False]
    for node in range(1, len(tree["parent"])):
        of_others = names[tree["frame"][node]] in company.FOREIGN
        foreign.append(of_others or foreign[tree["parent"][node]])
    return sum(calls for calls, other in zip(tree["calls"], foreign, strict=True) if other)


def _in_threads(visits: Visits, others: int, rounds: int, *, asked: bool) -> Iterator[Visit]:
    with _busy_threads(visits, others):
        for _ in range(rounds):
            yield visits.get("measured", asked=asked)


@contextmanager
def _busy_threads(visits: Visits, others: int) -> Iterator[None]:
    stop = threading.Event()
    begun = threading.Barrier(others + 1)

    def serve() -> None:
        visits.get("busy", asked=False)
        begun.wait()
        while not stop.is_set():
            visits.get("busy", asked=False)

    threads = [threading.Thread(target=serve) for _ in range(others)]
    for thread in threads:
        thread.start()
    begun.wait()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _in_tasks(visits: Visits, others: int, rounds: int, *, asked: bool) -> Iterator[Visit]:
    for _ in range(rounds):
        yield visits.run(_beside_tasks(visits, others, asked=asked))


async def _beside_tasks(visits: Visits, others: int, *, asked: bool) -> Visit:
    # Not cancelled: Django's handler swallows that where it cancels a task of its own.
    over = False

    async def serve() -> None:
        while not over:
            await visits.aget("busy-async", asked=False)

    tasks = [asyncio.create_task(serve()) for _ in range(others)]
    try:
        return await visits.aget("measured-async", asked=asked)
    finally:
        over = True
        await asyncio.gather(*tasks)
