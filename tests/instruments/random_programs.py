"""Random programs of calls, generators, exceptions and coroutines.

A program is a nested list of operations; the functions below run it. Each function exists in
several copies, so that a tree has siblings to mix up.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

Program = list[tuple[Any, ...]]
Path = tuple[CodeType, ...]

COPIES = 3


class Oops(Exception):
    pass


class Suspend:
    """Awaiting this suspends once."""

    def __await__(self) -> Iterator[None]:
        yield


def make(rng: random.Random, size: int, depth: int = 0) -> Program:
    """About ``size`` operations, nested."""
    program: Program = []
    while size > 0:
        kind = rng.choice(_KINDS)
        inside: Program = []
        if depth < 6:
            inside = make(rng, rng.randrange(0, max(1, size // 2) + 1), depth + 1)
        program.append((kind, rng.randrange(COPIES), inside, rng.randrange(4)))
        size -= 1 + count(inside)
    return program


def count(program: Program) -> int:
    return sum(1 + count(inside) for _kind, _copy, inside, _number in program)


def execute(program: Program) -> None:
    for kind, copy, inside, number in program:
        _RUN[kind][copy](inside, number)


def drive(coroutine: Any, steps: int | None = None) -> None:
    """Sends None until it ends, or ``steps`` times and closes it."""
    try:
        while steps is None or steps > 0:
            coroutine.send(None)
            steps = None if steps is None else steps - 1
    except StopIteration:
        return
    finally:
        coroutine.close()


def called(program: Program, number: int) -> None:
    execute(program)


def recursive(program: Program, number: int) -> None:
    if number:
        recursive(program, number - 1)
    else:
        execute(program)


def caught(program: Program, number: int) -> None:
    try:
        execute(program)
        raised(number)
    except Oops:
        execute(program[:1])


def raised(number: int) -> None:
    if number:
        raised(number - 1)
    raise Oops


def finally_run(program: Program, number: int) -> None:
    try:
        execute(program)
    finally:
        called(program[:1], number)


def generated(program: Program, number: int) -> Iterator[int]:
    for position in range(number):
        execute(program[position : position + 1])
        yield position
    execute(program[number:])


def consumed(program: Program, number: int) -> None:
    for _ in generated(program, number):
        execute(program[:1])


def abandoned(program: Program, number: int) -> None:
    generator = generated(program, number + 1)
    next(generator)
    del generator


def never_begun(program: Program, number: int) -> None:
    generated(program, number)


def thrown_into(program: Program, number: int) -> None:
    generator = generated(program, number + 2)
    next(generator)
    try:
        generator.throw(Oops())  # type: ignore[attr-defined]
    except Oops:
        execute(program[:1])


def thrown_into_the_unbegun(program: Program, number: int) -> None:
    try:
        generated(program, number).throw(Oops())  # type: ignore[attr-defined]
    except Oops:
        execute(program[:1])


def delegating(program: Program, number: int) -> Iterator[int]:
    yield from generated(program, number)
    execute(program[:1])


def delegated(program: Program, number: int) -> None:
    for _ in delegating(program, number):
        pass


async def awaiting(program: Program, number: int) -> int:
    for position in range(number):
        execute(program[position : position + 1])
        await Suspend()
    execute(program[number:])
    return number


async def outer(program: Program, number: int) -> int:
    try:
        found = await awaiting(program, number)
        return found + await awaiting(program[:1], 1)
    finally:
        await awaiting([], 0)


def driven(program: Program, number: int) -> None:
    drive(outer(program, number))


def cancelled(program: Program, number: int) -> None:
    drive(outer(program, number + 1), 1)


def taking_turns(program: Program, number: int) -> None:
    waiting = [awaiting(program[:1], 3), awaiting(program[1:2], 2)]
    while waiting:
        for coroutine in list(waiting):
            try:
                coroutine.send(None)
            except StopIteration:
                waiting.remove(coroutine)


async def producing(program: Program, number: int) -> AsyncIterator[int]:
    for position in range(number):
        execute(program[position : position + 1])
        yield position
        await Suspend()


async def over_async(program: Program, number: int) -> None:
    async for _ in producing(program, number):
        execute(program[:1])


def async_consumed(program: Program, number: int) -> None:
    drive(over_async(program, number))


@contextmanager
def held(program: Program) -> Iterator[None]:
    execute(program[:1])
    try:
        yield
    finally:
        execute(program[1:2])


def with_block(program: Program, number: int) -> None:
    with held(program):
        execute(program[2:])


def sorted_by(program: Program, number: int) -> None:
    sorted(range(number), key=lambda item: -item)


def expression(program: Program, number: int) -> None:
    sum(item for item in range(number))


def called_by_c(program: Program, number: int) -> None:
    values = list(map(lambda item: execute(program[:1]), range(number)))  # noqa: C417
    values.sort(key=lambda item: execute(program[1:2]) or 0)
    max(range(number + 1), key=lambda item: execute(program[2:]) or item)
    "".join(str(value) for value in values)


def refused_by_c(program: Program, number: int) -> None:
    for wrong in ("x", None):
        try:
            int(wrong)  # type: ignore[arg-type]
        except (ValueError, TypeError):
            execute(program[:1])
    try:
        [].pop()
    except IndexError:
        execute(program[1:2])
    try:
        sorted([2, 1], key=lambda item: raised(number))  # type: ignore[arg-type, return-value]
    except Oops:
        execute(program[2:])


def methods_of_c(program: Program, number: int) -> None:
    add = [number].append
    for _ in range(number):
        add(number)
    dict.fromkeys("ab").get("a")
    int.from_bytes(b"1", "big")
    print(*map(str, range(number)), sep="", end="", file=_Nowhere())
    execute(program)


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)


def _copy(function: Any, number: int) -> Callable[..., Any]:
    code = function.__code__.replace(co_name=f"{function.__name__}_{number}")
    return FunctionType(code, globals(), code.co_name, function.__defaults__)


_RUN: dict[str, list[Callable[..., Any]]] = {
    function.__name__: [_copy(function, number) for number in range(COPIES)]
    for function in (
        called,
        recursive,
        caught,
        finally_run,
        consumed,
        abandoned,
        never_begun,
        thrown_into,
        thrown_into_the_unbegun,
        delegated,
        driven,
        cancelled,
        taking_turns,
        async_consumed,
        with_block,
        sorted_by,
        expression,
        called_by_c,
        refused_by_c,
        methods_of_c,
    )
}
_KINDS = list(_RUN)
