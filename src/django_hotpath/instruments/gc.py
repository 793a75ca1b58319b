"""Pauses of Python's garbage collector."""

from __future__ import annotations

import gc
from typing import Any

from django_hotpath.instruments.base import Instrument, Session, clock, to_ms

MAX_PAUSES = 1_000


class GarbageCollector(Instrument):
    name = "gc"
    measures = "Each run of Python's garbage collector: its pause and what it freed."
    cost = "under a microsecond for each collection"
    disturbed_by = (
        "A collection stops every thread, so pauses that other requests caused are counted too."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.pauses: list[tuple[int, int, int, int, int]] = []
        self.count = 0
        self.total_ns = 0
        self.generations = [0, 0, 0]
        self.collected = 0
        self.uncollectable = 0
        self._began: int | None = None
        self._in_stream = False
        self._paused = False

    def start(self) -> None:
        gc.callbacks.append(self._on_collection)

    def stop(self) -> None:
        if self._on_collection in gc.callbacks:
            gc.callbacks.remove(self._on_collection)

    def begin_stream(self) -> None:
        # Between two chunks the pauses are those of others, for as long as the client likes.
        self._in_stream = self._paused = True

    def pause(self) -> None:
        self._paused = self._in_stream

    def resume(self) -> None:
        self._paused = False

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = None if self._paused else clock()
            return
        if self._began is None:
            return
        began, self._began = self._began, None
        duration = clock() - began
        self.count += 1
        self.total_ns += duration
        generation = info.get("generation", 0)
        if generation < len(self.generations):
            self.generations[generation] += 1
        self.collected += info.get("collected", 0)
        self.uncollectable += info.get("uncollectable", 0)
        if len(self.pauses) < MAX_PAUSES:
            self.pauses.append(
                (
                    generation,
                    began,
                    duration,
                    info.get("collected", 0),
                    info.get("uncollectable", 0),
                )
            )

    def timing(self) -> dict[str, float]:
        return {"gc_ms": to_ms(self.total_ns)}

    def result(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "total_ms": to_ms(self.total_ns),
            "collected": self.collected,
            "uncollectable": self.uncollectable,
            "generations": self.generations,
            "truncated": max(self.count - MAX_PAUSES, 0),
            "pauses": [
                {
                    "generation": generation,
                    "start_ms": self.session.ms_since_start(began),
                    "duration_ms": to_ms(duration),
                    "collected": collected,
                    "uncollectable": uncollectable,
                }
                for generation, began, duration, collected, uncollectable in self.pauses
            ],
        }
