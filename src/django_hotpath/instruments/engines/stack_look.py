"""The stacks of running threads, taken in one go.

A frame that is looked at from another thread is kept alive by it. Were the interpreter handed
over meanwhile, the frame could end, and what is in it would be torn down by the wrong thread, at
the wrong time; reading on in a stack that has changed meanwhile crashes the process. So the whole
look is one chain of iterators written in C, run by one call: nothing else runs until the last
frame is let go of, and what comes out are code objects and numbers.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, islice, repeat, takewhile
from operator import attrgetter, call, getitem, methodcaller
from types import CodeType, FrameType
from typing import Any, NamedTuple

_COLLECTS_ANYWHERE = sys.version_info < (3, 12)

_CLEAR = methodcaller("clear")
_OUTWARD = repeat("f_back")


class Stack(NamedTuple):
    """Innermost first. ``frames`` are ids, good for telling two frames apart, of the same look."""

    codes: list[CodeType]
    frames: list[int]


def look(threads: Iterable[int] | None = None) -> dict[int, Stack]:
    """The stacks of these threads, by their ids; of all threads where none are named."""
    everyone: list[dict[int, FrameType]] = []
    frames: list[FrameType | None] = []
    if threads is None:
        tops: Iterator[Any] = chain.from_iterable(map(dict.values, everyone))
        named: Iterable[list[int]] = map(list, everyone)
    else:
        wanted = list(threads)
        tops = map(dict.get, map(getitem, repeat(everyone), repeat(0)), wanted)
        named = (wanted,)
    # A stack: the innermost frame, then its f_back as often as there is one, then None.
    starts = map(chain, map(repeat, tops, repeat(1)), repeat(_OUTWARD))
    stacks = map(takewhile, repeat(bool), map(accumulate, starts, repeat(getattr)))
    ended = chain.from_iterable(map(chain, stacks, repeat((None,))))
    out = _at_once(
        map(everyone.append, _once()),
        map(frames.append, ended),
        named,
        map(getattr, frames, repeat("f_code"), repeat(None)),
        map(id, frames),
        map(_CLEAR, (frames, everyone)),
    )
    count = (len(out) - 4) // 3
    idents: list[int] = out[count + 1]
    codes: list[CodeType | None] = out[count + 2 : 2 * count + 2]
    ids: list[int] = out[2 * count + 2 : 3 * count + 2]
    return dict(zip(idents, _split(codes, ids), strict=True))


def local_of(thread: int, depth: int, code: CodeType, name: str) -> Any:
    """A local variable of the frame so far outward in that thread; None if it is not there now."""
    everyone: list[dict[int, FrameType]] = []
    where = repeat(thread)
    of_code, of_locals = _getters(depth)
    tops = map(getitem, map(getitem, repeat(everyone), repeat(0)), where)
    try:
        out = _at_once(
            map(everyone.append, _once()),
            map(of_code, islice(tops, 1)),
            map(methodcaller("get", name), map(of_locals, islice(tops, 1))),
            map(_CLEAR, (everyone,)),
        )
    except (AttributeError, KeyError):
        # The thread is gone, or its stack is shorter by now.
        return None
    finally:
        everyone.clear()
    return out[2] if out[1] is code else None


def _at_once(*steps: Iterable[Any]) -> list[Any]:
    """What the iterators give, one after the other, before any other thread runs.

    Before Python 3.12 making a frame object may start the garbage collector, whose finalizers let
    other threads run: the frame in the making may be gone then (measured: a crash in 5,000
    captures). So it is kept off meanwhile.
    """
    out: list[Any] = []
    if not (_COLLECTS_ANYWHERE and gc.isenabled()):
        out.extend(chain(*steps))
        return out
    try:
        out.extend(chain(map(call, (gc.disable,)), *steps, map(call, (gc.enable,))))
    except BaseException:
        gc.enable()
        raise
    return out[1:-1]


def _once() -> Iterator[dict[int, FrameType]]:
    return islice(iter(sys._current_frames, None), 1)


def _split(codes: list[CodeType | None], ids: list[int]) -> Iterator[Stack]:
    begin = 0
    while begin < len(codes):
        end = codes.index(None, begin)
        yield Stack(codes[begin:end], ids[begin:end])  # type: ignore[arg-type]
        begin = end + 1


@functools.lru_cache(maxsize=256)
def _getters(depth: int) -> tuple[attrgetter[CodeType], attrgetter[Any]]:
    outward = "f_back." * depth
    return attrgetter(f"{outward}f_code"), attrgetter(f"{outward}f_locals")
