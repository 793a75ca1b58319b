"""From the address of a code object to the object itself, or to what is known of it."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import CodeType, FunctionType
from typing import Protocol

from django_hotpath.instruments.engines.stack_look import look


class Freed(Protocol):
    """A code object that is gone."""

    @property
    def name(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def file(self) -> str: ...


# Two code objects were at one address, one after the other.
AMBIGUOUS = "(one of several functions that followed each other in memory)"
UNKNOWN = "(unknown function)"


def by_address(
    wanted: Collection[int],
    known: Mapping[int, CodeType],
    freed: Mapping[int, Sequence[Freed]],
) -> dict[int, CodeType | str]:
    """What each of the wanted addresses stands for.

    ``known`` cannot have been freed meanwhile; of the others an address may have been given to a
    new code object: then both are named in ``freed`` and among the living, and it is not guessed
    which one it was.
    """
    found: dict[int, CodeType | str] = {}
    for address in wanted:
        if address in known:
            found[address] = known[address]
    missing = {address for address in wanted if address not in found}
    living = _living(missing)
    for address in missing:
        gone = freed.get(address, ())
        code = living.get(address)
        if code is not None and all(_same(code, other) for other in gone):
            found[address] = code
        elif code is None and len(gone) == 1:
            found[address] = _stand_in(gone[0])
        else:
            found[address] = AMBIGUOUS if gone else UNKNOWN
    return found


def _same(code: CodeType, other: Freed) -> bool:
    return (code.co_name, code.co_firstlineno, code.co_filename) == (
        other.name,
        other.line,
        other.file,
    )


def _living(wanted: set[int]) -> dict[int, CodeType]:
    """Those of the wanted code objects that some function, frame or other code holds."""
    found: dict[int, CodeType] = {}
    left = set(wanted)
    if not left:
        return found
    running = chain.from_iterable(stack.codes for stack in look().values())
    codes = {id(code): code for code in (*running, *_of_functions())}
    while codes and left:
        here = left & codes.keys()
        found.update((address, codes[address]) for address in here)
        left -= here
        if left:
            codes = {id(code): code for code in _inside(codes.values())}
    return found


def _of_functions() -> list[CodeType]:
    return [each.__code__ for each in gc.get_objects() if type(each) is FunctionType]


def _inside(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """Functions, classes and comprehensions within these."""
    for code in codes:
        for constant in code.co_consts:
            if type(constant) is CodeType:
                yield constant


def _stand_in(gone: Freed) -> CodeType:
    """A code object of the same name and place: all that is asked of it later."""
    return _stand_in.__code__.replace(
        co_name=gone.name,
        co_qualname=gone.name,
        co_filename=gone.file,
        co_firstlineno=gone.line,
    )
