"""What each engine costs: every one against itself, asked for and not asked for in turn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from harness import contenders
from harness.contenders import Contender
from harness.figures import Figure, difference, figure, ratio
from harness.outcome import Outcome, Target
from harness.pool import NOT_INSTALLED, Pool
from harness.registered import Engine, engines
from harness.tables import MISSING, Table
from harness.visits import FAILED, Row

VIEWS = ("hello", "template", "nplus1", "cpu", "alloc", "io", "async", "stream", "class-based")
# The clock of CPU time would leave out all that this view does.
_WAITING = "io"

_UNAVAILABLE = "not measured, see below"
_REFUSED = "refused"

_NATIVE_LIMIT = 1.35 if sys.version_info >= (3, 12) else 2.0
# (instrument, engine or None for each) -> times as long as the bare view, at most.
_LIMITS: dict[tuple[str, str | None], float] = {
    ("calls", "native"): _NATIVE_LIMIT,
    ("lines", "monitoring"): 1.05,
    ("samples", None): 1.1,
}
_LIMITED_VIEWS = ("template", "nplus1")


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """How many pairs, and requests to each half of one; ``hello`` is so short that it gets more."""

    pairs: int
    times: int
    hello_times: int
    warm_up: int

    def times_of(self, view: str) -> int:
        return self.hello_times if view == "hello" else self.times


FULL = Rounds(pairs=11, times=1, hello_times=10, warm_up=2)
QUICK = Rounds(pairs=1, times=1, hello_times=3, warm_up=0)


@dataclass
class Subject:
    """A row: who is measured, and why not where it is not."""

    label: str
    contender: Contender | None
    engine: Engine | None = None
    # By view; "" for all of them.
    reasons: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, list[tuple[Row, Row]]] = field(default_factory=dict)

    def values(self, view: str, part: str) -> tuple[list[float], list[float]]:
        """Seconds: bare, and asked for."""
        name = f"wall {part}" if view == _WAITING else part
        return [bare[name] for bare, _ in self.pairs[view]], [
            asked[name] for _, asked in self.pairs[view]
        ]


def subjects() -> list[Subject]:
    """The engines as the registry has them, what is asked for together, and the peers."""
    found = [Subject("nothing (control)", contenders.BARE)]
    for engine in engines():
        label = f"{engine.label}"
        if engine.word is None:
            found.append(Subject(label, None, engine, {"": engine.reason or "?"}))
        else:
            found.append(Subject(label, contenders.asked_for(engine.word), engine))
            if engine.engine == "native":
                words = f"{engine.word}:builtins"
                found.append(Subject("calls, native:builtins", contenders.asked_for(words)))
    found.append(Subject("the default set (?profile=1)", contenders.asked_for("1")))
    found += [Subject(peer.label, peer) for peer in contenders.BY_HAND]
    return found


def measure(
    pool: Pool, wanted: list[Subject], views: Iterable[str], rounds: Rounds
) -> dict[str, str]:
    """Fills in the subjects' pairs; gives what failed, by label."""
    failed: dict[str, str] = {}
    measured = [subject for subject in wanted if subject.contender is not None]
    pool.start([subject.contender for subject in measured if subject.contender])
    for subject in measured:
        assert subject.contender is not None
        problem = pool.problems.get(subject.contender.key)
        if problem is not None:
            subject.reasons[""] = problem
            if problem != NOT_INSTALLED:
                failed[subject.label] = problem
    for view in views:
        running = [found for found in measured if _prepare(pool, found, view, rounds, failed)]
        for number in range(rounds.pairs):
            first = number % max(len(running), 1)
            for subject in running[first:] + running[:first]:
                assert subject.contender is not None
                times = rounds.times_of(view)
                key = subject.contender.key
                pair = pool.ask(key, "pair", view=view, number=number, times=times)
                if pair is None:
                    failed[subject.label] = pool.problems[key]
                    subject.reasons[view] = pool.problems[key]
                else:
                    subject.pairs.setdefault(view, []).append((pair[0], pair[1]))
    return failed


def _prepare(
    pool: Pool, subject: Subject, view: str, rounds: Rounds, failed: dict[str, str]
) -> bool:
    """Whether it measures this view at all."""
    assert subject.contender is not None
    key = subject.contender.key
    if "" in subject.reasons or key not in pool.workers:
        return False
    problem = pool.ask(key, "problem", view=view)
    if key in pool.problems:
        failed[subject.label] = subject.reasons[view] = pool.problems[key]
        return False
    if problem is not None:
        subject.reasons[view] = problem
        if _fails(problem):
            failed[f"{subject.label}, {view}"] = problem
        return False
    if rounds.warm_up:
        pool.ask(key, "visit", view=view, times=rounds.warm_up)
    return True


def outcome(wanted: list[Subject], views: tuple[str, ...]) -> Outcome:
    inside = Table(
        "Inside the view",
        ("engine", *views),
        "Times as long as the view takes in the same process when nobody profiles it: how much "
        "slower the engine makes the application's own code, and so how much too large its times "
        "are (in brackets: quartiles).",
    )
    whole = Table(
        "The whole answer",
        ("engine", *views),
        "The same from the request until the last byte: with starting and stopping.",
    )
    after = Table(
        "Once the answer has left",
        ("engine", *views),
        "Milliseconds until the server has closed the response: building the capture, with its "
        "findings, and storing it. Nobody waits for it, but the thread is busy.",
    )
    for subject in wanted:
        _add(inside, subject, views, partial(_ratio, part="view"), _times)
        _add(whole, subject, views, partial(_ratio, part="total"), _times)
        _add(after, subject, views, _afterwards, lambda found: f"{found.median:.1f}")
    control = wanted[0]
    for table, part in ((inside, "view"), (whole, "total")):
        table.add("(bare, ms)", [_bare(control, view, part) for view in views])
    return Outcome([inside, whole, after], _targets(wanted, views))


def _add(
    table: Table,
    subject: Subject,
    views: tuple[str, ...],
    of: Callable[[Subject, str], Figure],
    text: Callable[[Figure], str],
) -> None:
    why = subject.reasons.get("")
    if why is not None:
        table.add_absent(subject.label, why if why == NOT_INSTALLED else _UNAVAILABLE)
        return
    cells = []
    for view in views:
        if view in subject.pairs:
            found = of(subject, view)
            table.keep(subject.label, view, found)
            cells.append(text(found))
        else:
            cells.append(_absent(subject.reasons.get(view)))
    table.add(subject.label, cells)


def _absent(reason: str | None) -> str:
    if reason is None:
        return MISSING
    return FAILED if _fails(reason) else _REFUSED


def _fails(reason: str) -> bool:
    return reason.startswith(FAILED)


def _ratio(subject: Subject, view: str, *, part: str) -> Figure:
    bare, asked = subject.values(view, part)
    return ratio(asked, bare)


def _bare(control: Subject, view: str, part: str) -> str:
    if view not in control.pairs:
        return MISSING
    return f"{figure(control.values(view, part)[0]).scaled(1000).median:.2f}"


def _afterwards(subject: Subject, view: str) -> Figure:
    asked_total = subject.values(view, "total")[1]
    asked_closed = subject.values(view, "closed")[1]
    return difference(asked_closed, asked_total).scaled(1000)


def _times(found: Figure) -> str:
    digits = 2 if found.median < 10 else 1 if found.median < 100 else 0
    low, high = f"{found.low:.{digits}f}", f"{found.high:.{digits}f}"
    return f"{found.median:.{digits}f} ({low}-{high})"


def _targets(wanted: list[Subject], views: tuple[str, ...]) -> list[Target]:
    found = []
    for subject in wanted:
        engine = subject.engine
        if engine is None:
            continue
        limit = _LIMITS.get((engine.instrument, engine.engine))
        if limit is None:
            limit = _LIMITS.get((engine.instrument, None))
        if limit is None:
            continue
        for view in _LIMITED_VIEWS:
            for part, where in (("view", "inside"), ("total", "the whole answer of")):
                if view in subject.pairs:
                    took = _ratio(subject, view, part=part).median
                    text = f"{subject.label}, {where} {view}"
                    found.append(Target(text, took, limit, "times bare"))
    return found
