"""One line for every request in ``DEBUG``, for the history: no instrument, no wait.

A request appends to a queue in the process. A thread that sleeps while there is nothing to do
writes it to the store a second later; so do the pages that show the history, and the end of the
process. What the store does not take is dropped and counted, and the history says so.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import threading
import weakref
from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime
from time import sleep, time
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest

from django_hotpath import redact, stores
from django_hotpath.calibration import background
from django_hotpath.conf import settings
from django_hotpath.overlap import HISTORY_THREAD
from django_hotpath.plain import describe_error
from django_hotpath.stores.requests import RequestSummary

logger = logging.getLogger("hotpath")

# Requests that are replayed for us are nobody's.
unnoted: ContextVar[bool] = ContextVar("hotpath_unnoted", default=False)

_QUEUED = 2_000
_INTERVAL = 1.0
# While something is captured the thread leaves the processor to it, but not for ever.
_HOLD = 0.25
_HELD_AT_MOST = 30.0
_PATIENCE = 2.0
_LONGEST = 2_000
# Our own pages, and those of the debug toolbar.
_TOOLS = frozenset({"hotpath", "djdt"})
# Set on a request that the panels of the debug toolbar capture.
_CAPTURED = "_hotpath_captured"

# started, method, path, query string, route, status, milliseconds, queries
_Noted = tuple[float, str | None, str, str, str | None, int | None, float, int]


class _Queue:
    def __init__(self) -> None:
        self.noted: deque[_Noted] = deque(maxlen=_QUEUED)
        self.flushing = threading.Lock()
        self.starting = threading.Lock()
        self.wake = threading.Event()
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None
        self.pushed_out = 0
        self.dropped = 0
        self.problem = ""


_queue = _Queue()


def leave_out(request: HttpRequest) -> None:
    """The request is captured: the capture brings its own line."""
    setattr(request, _CAPTURED, True)


def note(request: HttpRequest, status: int | None, wall_ms: float, queries: int) -> None:
    """The request has been answered, with this status or none. Never raises, never waits."""
    try:
        path = request.path
        if path.startswith(_left_out()) or unnoted.get() or _CAPTURED in request.__dict__:
            return
        match = request.resolver_match
        route = None
        if match is not None:
            if match.app_names and not _TOOLS.isdisjoint(match.app_names):
                return
            route = match.route
            given = getattr(match, "captured_kwargs", None)
            if given and _name_secrets(tuple(given)):
                path = redact.path(path, given)
        queue = _queue
        if len(queue.noted) == _QUEUED:
            queue.pushed_out += 1
        query = request.META.get("QUERY_STRING", "")
        started = time() - wall_ms / 1000
        queue.noted.append((started, request.method, path, query, route, status, wall_ms, queries))
        if not queue.wake.is_set():
            _wake(queue)
    except Exception:
        # Whatever the application made of its request: the history is not worth its answer.
        logger.debug("a request was not noted", exc_info=True)


def flush() -> None:
    """Writes what is queued in this process to the store; waits for whoever is just doing so."""
    queue = _queue
    if not queue.flushing.acquire(timeout=_PATIENCE):
        return
    try:
        number = len(queue.noted)
        lines = [_line(queue.noted.popleft()) for _ in range(number)]
        queue.dropped += queue.pushed_out
        if queue.pushed_out and not queue.problem:
            queue.problem = "more requests came than could be written"
        queue.pushed_out = 0
        if lines:
            _store(queue, lines)
    finally:
        queue.flushing.release()


def notices() -> list[str]:
    """What the history lacks, in sentences."""
    queue = _queue
    if not queue.dropped:
        return []
    what = "1 request is" if queue.dropped == 1 else f"{queue.dropped} requests are"
    return [f"{what} missing here since the server started: {queue.problem}."]


def noting() -> bool:
    """Whether requests are noted at all."""
    return bool(django_settings.DEBUG and settings.SUMMARIES)


def _store(queue: _Queue, lines: list[RequestSummary]) -> None:
    try:
        stores.get_store().add_summaries(lines)
    except Exception as error:
        if not queue.problem:
            logger.warning("%d requests were not noted: %s", len(lines), error)
        queue.problem = describe_error(error)
        queue.dropped += len(lines)


def _line(noted: _Noted) -> RequestSummary:
    started, method, path, query, route, status, wall_ms, queries = noted
    moment = datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds")
    return RequestSummary(
        started_at=moment.replace("+00:00", "Z"),
        method=method,
        path=_short(path),
        query_string=_short(redact.query_string(query)),
        route=None if route is None else _short(str(route)),
        status=status,
        wall_ms=round(wall_ms, 3),
        queries=queries,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@functools.cache
def _left_out() -> tuple[str, ...]:
    """What the paths of files and of the browser's own requests begin with."""
    static = django_settings.STATIC_URL
    # Files at the root, or on another host, cannot be told by their path.
    known = isinstance(static, str) and static.startswith("/") and static != "/"
    return (static, "/favicon.ico") if known else ("/favicon.ico",)


@functools.lru_cache(maxsize=512)
def _name_secrets(names: tuple[str, ...]) -> bool:
    return any(redact.is_secret(name) for name in names)


def _wake(queue: _Queue) -> None:
    queue.wake.set()
    thread = queue.thread
    if thread is not None and thread.is_alive():
        return
    if not queue.starting.acquire(blocking=False):
        return
    try:
        queue.stop = stop = threading.Event()
        thread = threading.Thread(target=_run, args=(queue, stop), name=HISTORY_THREAD, daemon=True)
        thread.start()
        queue.thread = thread
    except RuntimeError:
        # No thread to be had, or the process is ending: whoever looks, or its end, writes.
        return
    finally:
        queue.starting.release()
        _flush_at_exit()


def _run(queue: _Queue, stop: threading.Event) -> None:
    while True:
        queue.wake.wait()
        held = 0.0
        if stop.wait(_INTERVAL):
            return
        while background.capturing() and held < _HELD_AT_MOST:
            if stop.wait(_HOLD):
                return
            held += _HOLD
        # Before the queue is read: what comes meanwhile wakes the thread again.
        queue.wake.clear()
        try:
            flush()
        except Exception:
            logger.debug("the history was not written", exc_info=True)
            sleep(_INTERVAL)


def _end() -> None:
    """Stops the thread: a process that forks is to have as few as it would without us."""
    queue = _queue
    thread, queue.thread = queue.thread, None
    if thread is None or thread is threading.current_thread():
        return
    queue.stop.set()
    queue.wake.set()
    thread.join(_PATIENCE)
    # The next request starts another one.
    queue.wake.clear()


def _go_on() -> None:
    if _queue.noted:
        _wake(_queue)


def _forget() -> None:
    """What was noted so far is not this process's to write."""
    global _queue
    _queue = _Queue()


@receiver(setting_changed)
def _on_setting(*, setting: str, **kwargs: Any) -> None:
    if setting in {"HOTPATH", "STATIC_URL", "FORCE_SCRIPT_NAME"}:
        _name_secrets.cache_clear()
        _left_out.cache_clear()


@functools.cache
def _flush_at_exit() -> None:
    """Exit functions run backwards: the stores, which a finalizer closes, must come after us."""
    weakref.finalize(_Queue(), int).detach()
    atexit.register(flush)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_end, after_in_parent=_go_on, after_in_child=_forget)
