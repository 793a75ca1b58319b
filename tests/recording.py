"""Captures a block without a request, for tests of instruments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_hotpath import profile
from django_hotpath.capture import Capture


class Run:
    capture: Capture

    def __getitem__(self, instrument: str) -> Any:
        return self.capture.instruments[instrument]


@contextmanager
def recording(*instruments: str) -> Iterator[Run]:
    """``run[name]`` is the instrument's result after the block."""
    run = Run()
    with profile("test", instruments=list(instruments), save=False) as found:
        yield run
    assert found.capture is not None, found.refused
    run.capture = found.capture
