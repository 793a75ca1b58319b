"""The event loop while the work ran in it: lag, what blocked it, and what was awaited."""

from __future__ import annotations

import asyncio
import threading
from time import thread_time_ns
from typing import Any, NamedTuple

from django_hotpath import asyncstack
from django_hotpath.conf import settings
from django_hotpath.instruments import holds, loopwatch
from django_hotpath.instruments.awaits import Awaits, plain_wait
from django_hotpath.instruments.base import Active, Instrument, Session, clock, to_ms
from django_hotpath.instruments.holds import Step
from django_hotpath.instruments.lag import Lags
from django_hotpath.instruments.loopstack import Look, Running
from django_hotpath.instruments.loopwatch import INTERVAL_NS, LoopWatch
from django_hotpath.instruments.sequences import sequences

MAX_HOLDS = 200
_MAX_SEEN = 1_000
_IDLE_NS = 1_000_000_000
# What resumes so soon after a hold was probably held up by it; timers are up to 2 ms late anyway.
_JUST_NS = _LATE_NS = 2_000_000


class _Seen(NamedTuple):
    """What held the loop when it was overdue: a task or callback of this capture, or another."""

    due_ns: int
    moment_ns: int
    key: int | None
    task: str
    look: Look


class EventLoop(Instrument):
    name = "eventloop"
    measures = (
        "Under ASGI: how late the event loop ran, the lines of your code that held it up, and "
        "what the request's own task awaited."
    )
    cost = "a timer and a thread that wake up every 10 ms; 10 to 50 µs for each await that waits"
    disturbed_by = (
        "Whatever else runs in the loop makes it late; that is told apart from what the request "
        "did itself. A busy machine, or another thread that holds Python's lock (GIL), makes "
        "steps look longer."
    )
    follows_task = True

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.blocking_ns = max(int(settings.BLOCKING_MS * 1_000_000), 1_000_000)
        self.poll_ns = min(max(self.blocking_ns // 5, 2_000_000), 50_000_000)
        self._watch: LoopWatch | None = None
        self._loop_name: str | None = None
        self._own_task: int | None = None
        self._awaits = Awaits()
        self._step: Step | None = None
        self._steps = self._run_ns = self._cpu_ns = 0
        self._holds: list[Step] = []
        self._hold_count = self._hold_ns = 0
        # Own steps since the last tick, as (began, ended, CPU time).
        self._last_tick = (-1, -1)
        self._ticking = threading.Lock()
        self._recent: list[tuple[int, int, int]] = []
        self._lags = Lags()
        self._cpu_at_tick: int | None = None
        self._others: list[int] = []
        # Written by the thread that looks on; by the loop only when it is read.
        self._seen: list[_Seen] = []
        self._next_look_ns = 0
        self._due_ns = 0
        self._joined_ns = 0
        # In a stream: the root outside of a chunk, since when no chunk is made, and whether the
        # ticker was given up meanwhile.
        self._in_stream = self._left = False
        self._root: Any = None
        self._idle_since: int | None = None

    def start(self) -> None:
        here, loop = loopwatch.serving_loop()
        if loop is None:
            return
        self._joined_ns = clock()
        self._watch = loopwatch.join(loop, self)
        self._loop_name = f"{type(loop).__module__}.{type(loop).__qualname__}"
        if here:
            task = asyncio.current_task(loop)
            self._own_task = id(task) if task is not None else None
            self._cpu_at_tick = thread_time_ns()
            self._joined_ns = clock()
            self._step = Step(self._joined_ns, self._cpu_at_tick)

    def stop(self) -> None:
        watch = self._watch
        if watch is None:
            return
        ended = clock()
        self._end_step(ended)
        self._awaits.resumed(ended, unfinished=True)
        loopwatch.leave(watch, self)
        if ended > watch.due_ns:
            # The next tick is late already, and nobody will be here to see it.
            self.ticked(watch.due_ns, ended)

    def begin_stream(self) -> None:
        self._awaits.dropped()
        self._in_stream = True
        self._root = asyncstack.root.get()
        self._idle_since = clock()

    def pause(self) -> None:
        began = clock()
        driven = self._end_step(began)
        work = asyncstack.root.get() if self._in_stream else self.session.work
        if self._in_stream and (not driven or work is self._root):
            # Between two chunks: the client's time.
            self._idle_since = began
        elif driven:
            self._awaits.suspended(work, began)
            self.overhead_ns += clock() - began

    def resume(self) -> None:
        began = clock()
        self._idle_since = None
        watch = self._watch
        if watch is None or watch.thread_id != threading.get_ident():
            return
        if self._left:
            self._left = False
            self._watch = loopwatch.join(watch.loop, self)
            self._cpu_at_tick = thread_time_ns()
            self._joined_ns = clock()
        self._awaits.resumed(began, self._late(watch, began))
        step = Step(began, thread_time_ns())
        self.overhead_ns += clock() - began
        self._step = step

    def _late(self, watch: LoopWatch, now_ns: int) -> int:
        """How long the loop was held, until just now, while the task was suspended."""
        since = self._awaits.since_ns
        if since is None:
            return 0
        due, ran = self._last_tick
        if now_ns > watch.due_ns:
            due, ran = watch.due_ns, now_ns
        elif now_ns - ran > _JUST_NS:
            return 0
        late = ran - max(due, since)
        return late if late >= _LATE_NS else 0

    def _end_step(self, ended: int) -> bool:
        """Whether a step of a coroutine that the recorder drives has ended."""
        step, self._step = self._step, None
        watch = self._watch
        # A block in a coroutine cannot be paused, and a generator waits for whoever reads it.
        if step is None or watch is None or self.session.work is None:
            return False
        if watch.thread_id != threading.get_ident():
            return False
        step.ended_ns = ended
        step.cpu_ns = thread_time_ns() - step.cpu_began_ns
        self._steps += 1
        self._run_ns += step.duration_ns
        self._cpu_ns += step.cpu_ns
        self._recent.append((step.began_ns, ended, step.cpu_ns))
        if step.duration_ns >= self.blocking_ns:
            self._hold(step)
        return True

    def _hold(self, step: Step) -> None:
        self._hold_count += 1
        self._hold_ns += step.duration_ns
        if len(self._holds) < MAX_HOLDS:
            self._holds.append(step)

    def ticked(self, due_ns: int, ran_ns: int) -> None:
        # The end may come in another thread, while the loop ticks.
        with self._ticking:
            if due_ns > self._last_tick[0]:
                self._tick(due_ns, ran_ns)

    def _tick(self, due_ns: int, ran_ns: int) -> None:
        entered, before = clock(), self._cpu_at_tick
        here = self._watch is not None and self._watch.thread_id == threading.get_ident()
        cpu = self._cpu_at_tick = thread_time_ns() if here else None
        self._last_tick = (due_ns, ran_ns)
        recent, self._recent = self._recent, []
        seen = [found for found in self._seen if found.due_ns == due_ns]
        self._seen = []
        if self._idle_since is not None:
            if ran_ns - self._idle_since > _IDLE_NS and self._watch is not None:
                # A client may listen for hours.
                self._left = True
                loopwatch.leave(self._watch, self)
            return
        due_ns = max(due_ns, self._joined_ns)
        lag = max(ran_ns - due_ns, 0)
        self._lags.add(lag)
        own = sum(max(min(end, ran_ns) - max(began, due_ns), 0) for began, end, _used in recent)
        if lag - own >= self.blocking_ns:
            step = Step(due_ns, ended_ns=ran_ns, exact=False)
            if before is not None and cpu is not None:
                own_cpu = sum(used for _began, _end, used in recent)
                step.cpu_ns = max(cpu - before - own_cpu, 0)
            self._judge(step, lag - own, seen)
        self.overhead_ns += clock() - entered

    def _judge(self, step: Step, held_ns: int, seen: list[_Seen]) -> None:
        """The loop was late, and not for a step that was timed."""
        if not seen:
            self._others.append(held_ns)
            return
        keys = {found.key for found in seen}
        foreign = sum(found.key is None for found in seen)
        if foreign:
            self._others.append(held_ns * foreign // len(seen))
        elif len(keys) == 1 and len(seen) > 1:
            # One task whenever it was looked at: that is who held it.
            step.task = seen[0].task
            step.looks = [(found.moment_ns, found.look) for found in seen]
            self._hold(step)

    def wants_look(self, now_ns: int, due_ns: int) -> object | None:
        if self._idle_since is not None:
            return None
        half = self.blocking_ns // 2
        step = self._step
        if step is not None and self.session.work is not None:
            return step if now_ns >= max(step.began_ns + half, step.next_look_ns) else None
        if now_ns >= max(due_ns + half, self._next_look_ns):
            self._next_look_ns = now_ns + self._pace(now_ns - due_ns)
            self._due_ns = due_ns
            return self._watch
        return None

    def _pace(self, since_ns: int) -> int:
        """Looks become rarer the longer it takes."""
        return max(self.poll_ns, since_ns // 8)

    def looked(self, at: object, now_ns: int, look: Look, running: Running | None) -> None:
        if isinstance(at, Step):
            # What was seen is of no use when the step has ended meanwhile.
            if self._step is at:
                at.looks.append((now_ns, look))
                at.next_look_ns = now_ns + self._pace(now_ns - at.began_ns)
            return
        if running is None or len(self._seen) >= _MAX_SEEN:
            return
        task = "callback" if running.task is None else "started"
        if running.task is not None and running.task == self._own_task:
            task = "own"
        key = running.key if self._belongs(running.capture) else None
        self._seen.append(_Seen(self._due_ns, now_ns, key, task, look))

    def _belongs(self, active: Active | None) -> bool:
        """Whether this context belongs to this capture, or to one inside it."""
        while active is not None:
            if active.get(self.name) is self:
                return True
            active = active.parent
        return False

    def result(self) -> dict[str, Any]:
        if self._loop_name is None:
            return {"loop": None}
        awaits = self._awaits
        return {
            "loop": self._loop_name,
            "blocking_ms": to_ms(self.blocking_ns),
            "interval_ms": to_ms(INTERVAL_NS),
            "ticks": self._lags.ticks,
            "lag_p50_ms": self._lags.percentile_ms(0.5),
            "lag_p95_ms": self._lags.percentile_ms(0.95),
            "lag_max_ms": to_ms(self._lags.max_ns),
            "driven": self.session.work is not None,
            "steps": self._steps,
            "run_ms": to_ms(self._run_ns),
            "cpu_ms": to_ms(self._cpu_ns),
            "held_count": self._hold_count,
            "held_ms": to_ms(self._hold_ns),
            "holds": [holds.plain(step, self.session) for step in self._holds],
            "others": {
                "count": len(self._others),
                "total_ms": to_ms(sum(self._others)),
                "max_ms": to_ms(max(self._others, default=0)),
            },
            "wait_count": awaits.count,
            "waited_ms": to_ms(awaits.waited_ns),
            "truncated": awaits.truncated,
            "waits": [plain_wait(wait, self.session) for wait in awaits.waits],
            "sequences": sequences(awaits.calls.values()),
        }
