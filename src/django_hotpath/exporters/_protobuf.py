"""As much of the wire format of protocol buffers as a profile needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

_VARINT, _BYTES = 0, 2


class Message:
    """A message in the making; numbers are never negative."""

    def __init__(self) -> None:
        self._parts = bytearray()

    @property
    def data(self) -> bytearray:
        return self._parts

    def integer(self, field: int, value: int) -> Self:
        """Zero is what a field is without being written."""
        if value:
            self._parts += _varint(field << 3 | _VARINT)
            self._parts += _varint(value)
        return self

    def text(self, field: int, value: str) -> Self:
        """Written also when it is empty: entries of a list count by their place."""
        return self._delimited(field, value.encode("utf-8"))

    def message(self, field: int, value: Message) -> Self:
        return self._delimited(field, value.data)

    def packed(self, field: int, values: Iterable[int]) -> Self:
        data = bytearray()
        for value in values:
            data += _varint(value)
        return self._delimited(field, data)

    def _delimited(self, field: int, data: bytes | bytearray) -> Self:
        self._parts += _varint(field << 3 | _BYTES)
        self._parts += _varint(len(data))
        self._parts += data
        return self


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
