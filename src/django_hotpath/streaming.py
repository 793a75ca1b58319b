"""Answers that are streamed: measured while a chunk is being made, until the last one.

The response's iterator is replaced by one that hands the same chunks on. Between two of them the
server sends and the client reads: that is not the application's time, and nothing is measured.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from django_hotpath import asyncstack, callsite
from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.deferred import Deferred
from django_hotpath.instruments.base import clock, current, to_ms
from django_hotpath.recorder import Recorder
from django_hotpath.steps import Steps

logger = logging.getLogger("hotpath")

_BY_US = ("__iter__", "__aiter__", "streaming_content")


def can_be_measured(response: HttpResponseBase) -> bool:
    """Whether the chunks come from where Django keeps them, and nowhere else."""
    if not isinstance(response, StreamingHttpResponse) or "_iterator" not in vars(response):
        return False
    return all(
        getattr(type(response), name) is getattr(StreamingHttpResponse, name) for name in _BY_US
    )


class Stream(Deferred):
    """The capture of an answer that is being streamed.

    It ends with the last chunk, an exception, the response's ``close`` or the end of the
    iterator object, whichever comes first; it is built and stored once the response is closed.
    """

    def __init__(self, recorder: Recorder, info: RequestInfo) -> None:
        super().__init__(recorder.id, info.path, self._capture)
        self.recorder: Recorder | None = recorder
        self.info = info
        self.chunks = 0
        # Of bytes and text; None once there was a chunk of another kind.
        self.size: int | None = 0
        self.charset = "utf-8"
        # Set where the server may send the file without asking us for chunks.
        self.handed_over = False
        # How it ended: "exhausted", "raised" or "closed".
        self.ended: str | None = None
        self._guard = threading.RLock()
        self._stepping = False
        self._closed = False
        self._waiting_ns = self._own_ns = 0
        self._idle_since = clock()

    @property
    def streaming(self) -> bool:
        return self.ended is None

    def measure(self, response: Any, file_wrapper: bool) -> None:
        """Puts itself between the response and its iterator."""
        self.charset = response.charset
        self.handed_over = file_wrapper and getattr(response, "file_to_stream", None) is not None
        chunks = (AsyncChunks if response.is_async else Chunks)(self, response._iterator)
        # Not by streaming_content: a FileResponse would forget its file.
        response._iterator = chunks
        self.attach(response, alive=chunks)

    def closed(self) -> None:
        with self._guard:
            self._closed = True
            if self._stepping:
                # Another thread is making a chunk: the capture ends with it.
                return
            self._end("closed")
        super().closed()

    def enter(self) -> bool:
        """Before a chunk is made; False when it is not to be measured."""
        with self._guard:
            if self.ended is not None or self._stepping or self.recorder is None:
                return False
            self._stepping = True
        entered = clock()
        _safely(partial(self.recorder.resume, between_chunks=True))
        began = clock()
        self._own_ns += began - entered
        self._waiting_ns += entered - self._idle_since
        return True

    def leave(self, error: BaseException | None = None, *, chunk: Any = None) -> None:
        """After ``enter`` said yes: the chunk was made, or there is none."""
        ended = clock()
        if self.recorder is not None:
            _safely(partial(self.recorder.pause, between_chunks=True))
        self._idle_since = clock()
        self._own_ns += self._idle_since - ended
        if error is None:
            self.chunks += 1
            self._count(chunk)
        with self._guard:
            self._stepping = False
            if error is not None:
                self._end(_outcome(error), error)
            elif self._closed:
                self._end("closed")
        if self._closed:
            # Whoever closed it has gone on, and this may be an event loop.
            self.close_elsewhere()

    def _count(self, chunk: Any) -> None:
        if self.size is None:
            return
        if isinstance(chunk, str):
            self.size += len(chunk) if chunk.isascii() else len(chunk.encode(self.charset))
        elif isinstance(chunk, (bytes, bytearray, memoryview)):
            self.size += memoryview(chunk).nbytes
        else:
            # Django makes a text of it, and may only once.
            self.size = None

    def _end(self, outcome: str, error: BaseException | None = None) -> None:
        recorder = self.recorder
        if self.ended is not None or recorder is None:
            return
        self.ended = outcome
        if outcome == "closed":
            self._waiting_ns += clock() - self._idle_since
        recorder.waited_ns = self._waiting_ns + self._own_ns
        recorder.spent(self._own_ns)
        if error is not None and outcome == "raised":
            recorder.note_exception(error)
        _safely(recorder.stop)

    def _capture(self) -> Capture:
        recorder, self.recorder = self.recorder, None
        assert recorder is not None
        sent_by_server = self.handed_over and self.chunks == 0
        if sent_by_server:
            recorder.warnings.append(
                "the server sent the file by itself (wsgi.file_wrapper): how much, and how long "
                "that took, is not known here"
            )
        elif self.ended == "closed":
            recorder.warnings.append(
                f"the client left, or the server closed the stream, after {self.chunks:,} chunks"
            )
        stream = {
            "ended": self.ended,
            "chunks": None if sent_by_server else self.chunks,
            "bytes": None if sent_by_server else self.size,
            "generating_ms": round(max(recorder.wall_ms - to_ms(recorder.view_ns), 0.0), 4),
            "waiting_ms": to_ms(self._waiting_ns),
        }
        return recorder.capture(replace(self.info, exception=recorder.exception, stream=stream))


class Chunks:
    """The iterator of a sync stream."""

    def __init__(self, stream: Stream, iterator: Iterator[Any]) -> None:
        self._stream = stream
        self._iterator = iterator

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        stream = self._stream
        around = current.get()
        if not stream.enter():
            return next(self._iterator)
        try:
            chunk = next(self._iterator)
        except BaseException as error:
            stream.leave(error)
            raise
        else:
            stream.leave(chunk=chunk)
        finally:
            current.set(around)
        return chunk


class AsyncChunks:
    """The iterator of an async stream."""

    def __init__(self, stream: Stream, iterator: AsyncIterator[Any]) -> None:
        self._stream = stream
        self._iterator = iterator

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        stream = self._stream
        around = current.get()
        if not stream.enter():
            return await anext(self._iterator)
        assert stream.recorder is not None
        try:
            chunk = await _Step(stream.recorder, self._iterator)
        except BaseException as error:
            stream.leave(error)
            raise
        else:
            stream.leave(chunk=chunk)
        finally:
            current.set(around)
        return chunk


class _Step:
    """One chunk of an async stream, measured only while the request's own task runs."""

    def __init__(self, recorder: Recorder, iterator: AsyncIterator[Any]) -> None:
        self.recorder = recorder
        self.iterator = iterator

    def __await__(self) -> Any:
        root = asyncstack.root.get()
        steps = Steps(self.recorder, self.iterator.__anext__())
        # Where it is a generator its own frames can be followed from the outside.
        asyncstack.root.set(
            self.iterator if hasattr(self.iterator, "ag_frame") else steps.work  # type: ignore[arg-type]
        )
        try:
            return (yield from steps.steps())
        finally:
            asyncstack.root.set(root)


def _outcome(error: BaseException) -> str:
    if isinstance(error, (StopIteration, StopAsyncIteration)):
        return "exhausted"
    # Cancelled or thrown away: that is how a client's leaving looks from within.
    return "raised" if isinstance(error, Exception) else "closed"


def _safely(action: Callable[[], object]) -> bool:
    try:
        action()
    except Exception:
        logger.exception("a stream goes on without its profile")
        return False
    return True


for _method in (Chunks.__next__, AsyncChunks.__anext__, _Step.__await__):
    callsite.boundary(_method.__code__)
