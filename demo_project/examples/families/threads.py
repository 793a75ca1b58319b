"""What threads are good for in Python: waiting, not computing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import perf_counter, process_time

from django.http import HttpRequest, HttpResponse

from examples.measuring import Measured
from examples.pages import answer, payload
from examples.registry import S2, Example, Family, Signal, Sizes, Variant

JOBS = Sizes(default=4, cap=8)
PRIMES_BELOW = 50_000
PRIMES = 5_133


def count_primes(job: int) -> int:
    """Computes, about as long as `ask_for_primes` waits."""
    primes: list[int] = []
    for number in range(2, PRIMES_BELOW):
        for prime in primes:
            if prime * prime > number:
                primes.append(number)
                break
            if number % prime == 0:
                break
        else:
            primes.append(number)
    return len(primes)


def ask_for_primes(job: int) -> int:
    """Waits, as for a service that takes 50 ms to answer."""
    time.sleep(0.05)
    return PRIMES


def in_turn(work: Callable[[int], int], jobs: Iterable[int]) -> list[int]:
    return [work(job) for job in jobs]


def in_threads(work: Callable[[int], int], jobs: Iterable[int]) -> list[int]:
    with ThreadPoolExecutor(max_workers=JOBS.cap) as pool:
        # Each in a copy of this context, by which a profile knows whose work it is.
        started = [pool.submit(copy_context().run, work, job) for job in jobs]
        return [future.result() for future in started]


def gil_computing(request: HttpRequest) -> HttpResponse:
    return _timed(request, in_turn, count_primes)


def gil_computing_threads(request: HttpRequest) -> HttpResponse:
    return _timed(request, in_threads, count_primes)


def gil_waiting(request: HttpRequest) -> HttpResponse:
    return _timed(request, in_turn, ask_for_primes)


def gil_waiting_threads(request: HttpRequest) -> HttpResponse:
    return _timed(request, in_threads, ask_for_primes)


def _timed(
    request: HttpRequest,
    run: Callable[[Callable[[int], int], Iterable[int]], list[int]],
    work: Callable[[int], int],
) -> HttpResponse:
    jobs = range(1, JOBS.asked(request) + 1)
    wall, cpu = perf_counter(), process_time()
    found = run(work, jobs)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    note = f"wall {wall * 1_000:.0f} ms, CPU {cpu * 1_000:.0f} ms"
    rows = zip(jobs, found, strict=True)
    return answer(request, payload(("Job", "Primes below 50,000"), rows), note=note)


def threads_at_work(found: Measured) -> float:
    """Threads in which the jobs ran; in turn, it is the request's own."""
    spans = found.instrument("calls")["spans"]
    return len(set(spans["lane"]) - {0}) or 1


FAMILY = Family("threads", "Threads", "What waits can wait together. What computes cannot.")

EXAMPLES = (
    Example(
        slug="gil",
        number=33,
        title="Threads for computing, threads for waiting",
        family=FAMILY,
        source=(S2,),
        claim="Because of the global interpreter lock (GIL), threads help input and output only.",
        variants=(
            Variant(
                "computing",
                gil_computing,
                "computing, one after the other",
                "slow",
                code=(count_primes, in_turn),
                finding="slow_function",
            ),
            Variant(
                "computing-threads",
                gil_computing_threads,
                "computing, in threads",
                "trap",
                code=(count_primes, in_threads),
                finding="slow_function",
            ),
            Variant(
                "waiting",
                gil_waiting,
                "waiting, one after the other",
                "slow",
                code=(ask_for_primes, in_turn),
                finding="slow_function",
            ),
            Variant(
                "fast",
                gil_waiting_threads,
                "waiting, in threads",
                "fast",
                code=(ask_for_primes, in_threads),
            ),
        ),
        sizes=JOBS,
        signals=(
            Signal("computing", "calls of count_primes", 4),
            Signal("computing-threads", "calls of count_primes", 4),
            Signal("waiting", "calls of ask_for_primes", 4),
            Signal("waiting", "threads at work", 1, read=threads_at_work),
            Signal("fast", "calls of ask_for_primes", 4),
            Signal("fast", "threads at work", 4, read=threads_at_work),
        ),
        explanation=(
            "The line under the table compares the time that passed (wall) with the processor's. "
            "Computing takes as much processor time in threads as without, and no less wall time: "
            "only one thread at a time may run Python code. Waiting takes none, and four waits of "
            "50 ms pass in 50 ms. The timeline of the report shows each thread as a line."
        ),
        trap=(
            "C code that lets go of the lock (compression, hashing, NumPy) does gain from threads; "
            "so does everything on a free-threaded Python. A thread costs memory, and a database "
            "connection of its own once it queries."
        ),
        verdict_reason="Four jobs that wait do so at once; four that compute take turns.",
        shows=("timeline", "calls"),
    ),
)
