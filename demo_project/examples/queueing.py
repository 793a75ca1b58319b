"""Hands work on: to a Celery worker, or to a thread of this process where there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any

from django.db import connections

from examples.services import broker_url

logger = logging.getLogger(__name__)

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="demo-task")


class Task:
    """A function that can be called now, or `delay()`ed. Its arguments must be JSON for Celery."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        if broker_url():
            # A worker knows the tasks that are registered when it starts.
            _ = self.celery_task

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    @cached_property
    def celery_task(self) -> Any:
        from demo.celery import app

        return app.task(self.function, name=f"demo.{self.function.__name__}")

    def delay(self, *args: Any) -> Any:
        """Celery's handle of the task, or the future of the thread."""
        if broker_url():
            return self.celery_task.delay(*args)
        future = _thread.submit(self.function, *args)
        future.add_done_callback(_finished)
        return future


def worker_words() -> str:
    """Who does it, for a note under a page."""
    return "a Celery worker" if broker_url() else "a thread of this process"


def _finished(future: Future[Any]) -> None:
    """In the thread that ran it: its connections are nobody else's."""
    connections.close_all()
    error = future.exception()
    if error is not None:
        logger.error("A task failed", exc_info=error)
