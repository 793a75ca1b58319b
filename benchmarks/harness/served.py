"""Rounds of requests to several contenders in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from harness.contenders import Contender
from harness.figures import Figure, difference, figure, ratio
from harness.outcome import Effort
from harness.pool import Pool

# Part of the request -> seconds.
Row = dict[str, float]
# contender key -> round by round
Rounds = dict[str, list[Row]]


def serve(pool: Pool, wanted: Iterable[Contender], view: str, effort: Effort) -> Rounds:
    """A round is the median of some requests to each; another one begins each round."""
    order = pool.start(wanted)
    for key in order:
        pool.ask(key, "warm_up", view=view, times=effort.warm_up)
    found: Rounds = {key: [] for key in order}
    rounds, times = effort.of(view)
    for number in range(rounds):
        first = (number + 1) % max(len(order), 1)
        for key in order[first:] + order[:first]:
            rows = pool.ask(key, "run", view=view, times=times)
            if rows is not None:
                found[key].append(_typical(rows))
    return {key: rows for key, rows in found.items() if key in pool.workers}


def _typical(rows: Sequence[Row]) -> Row:
    return {part: median(row[part] for row in rows) for part in rows[0]}


def _part(rounds: Rounds, key: str, part: str) -> list[float]:
    return [row[part] for row in rounds[key]]


def spent(rounds: Rounds, key: str, part: str) -> Figure:
    """Milliseconds."""
    return figure(_part(rounds, key, part)).scaled(1000)


def added(rounds: Rounds, key: str, part: str, base: str = "bare") -> Figure:
    """Milliseconds over the base, which is measured in the same rounds."""
    return difference(_part(rounds, key, part), _part(rounds, base, part)).scaled(1000)


def times_as_long(rounds: Rounds, key: str, part: str, base: str = "bare") -> Figure:
    return ratio(_part(rounds, key, part), _part(rounds, base, part))


def a_statement(base: list[Row], rows: list[Row], part: str, statements: int) -> Figure:
    """Microseconds a statement that rows take longer than those of the base."""
    found = difference([row[part] for row in rows], [row[part] for row in base])
    return found.scaled(1e6 / statements)
