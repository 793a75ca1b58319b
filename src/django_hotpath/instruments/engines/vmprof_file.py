"""Reads what vmprof has written: samples, and the names of code objects that were freed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

# Five words and a header, then records, each with a marker.
_STACK, _NAME, _TRAILER, _HEADER, _TIME, _META = 1, 2, 3, 5, 6, 7
_STATIC = 5 * 8
_LONG = struct.Struct("<q")
_MEMORY = 1
# The first version in which each sample has its time.
_TIMED = 7

# vmprof keeps no more frames, the innermost.
MAX_DEPTH = 1_000


class VmprofFileError(Exception):
    """The file is not what this version of vmprof should have written."""


class Sample(NamedTuple):
    """``stack``: addresses of code objects, outermost first, which are their ``id``.

    ``offset``: where in the file the record ends; ``at_ns``: the clock of the mode, wall or CPU;
    ``rss``: bytes, 0 where memory was not asked for.
    """

    offset: int
    stack: tuple[int, ...]
    thread_state: int
    at_ns: int
    rss: int


@dataclass
class Freed:
    """A code object that was freed while samples were taken."""

    name: str
    line: int
    file: str


def read(data: bytes) -> tuple[list[Sample], dict[int, list[Freed]]]:
    """The samples in their order, and by address the code objects that are gone.

    Raises ``VmprofFileError``.
    """
    samples: list[Sample] = []
    freed: dict[int, list[Freed]] = {}
    try:
        for record in _records(data):
            if isinstance(record, Sample):
                samples.append(record)
            else:
                address, found = record
                known = freed.setdefault(address, [])
                if found not in known:
                    known.append(found)
    except (struct.error, IndexError) as error:
        raise VmprofFileError(f"vmprof's file ends too early: {error}") from error
    return samples, freed


def _records(data: bytes) -> Iterator[Sample | tuple[int, Freed]]:
    position, with_memory = _header(data)
    word = _LONG.unpack_from
    while position < len(data):
        marker = data[position]
        position += 1
        if marker == _STACK:
            (depth,) = word(data, position + 8)
            position += 16
            stack = struct.unpack_from(f"<{depth}q", data, position)
            position += 8 * depth
            (state,) = word(data, position)
            position += 8
            rss = 0
            if with_memory:
                rss = word(data, position)[0] * 1024
                position += 8
            (at_ns,) = word(data, position)
            position += 8
            yield Sample(position, stack[::-1], state, at_ns, rss)
        elif marker == _NAME:
            (address,) = word(data, position)
            text, position = _text(data, position + 8)
            yield address, _freed(text)
        elif marker == _META:
            _key, position = _text(data, position)
            _value, position = _text(data, position)
        elif marker == _TIME:
            position += 3 * 8
        elif marker == _TRAILER:
            return
        else:
            raise VmprofFileError(f"vmprof's file has an unknown record {marker}")


def _header(data: bytes) -> tuple[int, bool]:
    if struct.calcsize("l") != 8 or data[_STATIC] != _HEADER:
        raise VmprofFileError("vmprof's file is of an unknown kind")
    version = int.from_bytes(data[_STATIC + 1 : _STATIC + 3], "big")
    if version != _TIMED:
        raise VmprofFileError(f"vmprof's file has version {version}, known is {_TIMED}")
    mode, length = data[_STATIC + 3], data[_STATIC + 4]
    return _STATIC + 5 + length, bool(mode & _MEMORY)


def _text(data: bytes, position: int) -> tuple[str, int]:
    (length,) = _LONG.unpack_from(data, position)
    end = position + 8 + length
    return data[position + 8 : end].decode("utf-8", "replace"), end


def _freed(text: str) -> Freed:
    """``py:<name>:<line>:<file>``."""
    _language, _, rest = text.partition(":")
    name, _, rest = rest.partition(":")
    line, _, file = rest.partition(":")
    return Freed(name, int(line) if line.isdigit() else 0, file)
