"""What an address that vmprof has written stands for."""

from __future__ import annotations

import struct
from types import CodeType

import pytest

from django_hotpath.instruments.engines.code_objects import AMBIGUOUS, UNKNOWN, by_address
from django_hotpath.instruments.engines.vmprof_file import Freed, VmprofFileError, read
from django_hotpath.instruments.engines.vmprof_work import Interval, own_samples

pytestmark = pytest.mark.usefixtures("no_frozen_objects")


def living() -> object:
    def inside() -> None: ...

    return inside.__code__.co_name


CODE = living.__code__
INSIDE = next(each for each in CODE.co_consts if isinstance(each, CodeType))


def test_a_function_that_lives_is_found() -> None:
    assert by_address({id(CODE)}, {}, {}) == {id(CODE): CODE}


def test_a_function_inside_another_is_found() -> None:
    assert by_address({id(INSIDE)}, {}, {}) == {id(INSIDE): INSIDE}


def test_what_is_known_is_not_looked_for() -> None:
    assert by_address({1}, {1: CODE}, {}) == {1: CODE}


def test_a_freed_function_has_its_name_and_place() -> None:
    found = by_address({1}, {}, {1: [Freed("gone", 7, "/srv/shop/views.py")]})[1]
    assert isinstance(found, CodeType)
    assert (found.co_name, found.co_firstlineno, found.co_filename) == (
        "gone",
        7,
        "/srv/shop/views.py",
    )


def test_an_address_of_two_functions_is_not_guessed() -> None:
    gone = Freed("gone", 7, "/srv/shop/views.py")
    assert by_address({id(CODE)}, {}, {id(CODE): [gone]}) == {id(CODE): AMBIGUOUS}
    other = Freed("other", 9, "/srv/shop/views.py")
    assert by_address({1}, {}, {1: [gone, other]}) == {1: AMBIGUOUS}


def test_a_function_made_again_is_the_same_one() -> None:
    gone = Freed(CODE.co_name, CODE.co_firstlineno, CODE.co_filename)
    assert by_address({id(CODE)}, {}, {id(CODE): [gone]}) == {id(CODE): CODE}


def test_an_address_of_nothing_is_unknown() -> None:
    assert by_address({1}, {}, {}) == {1: UNKNOWN}


# The file.


def words(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}q", *numbers)


HEADER = words(0, 3, 0, 1000, 0) + b"\x05\x00\x07\x10\x07cpython"


def stack(addresses: list[int], state: int, at: int) -> bytes:
    """Innermost first, as vmprof writes it."""
    return b"\x01" + words(1, len(addresses), *addresses, state, at)


def name(address: int, text: str) -> bytes:
    return b"\x02" + words(address, len(text)) + text.encode()


def test_samples_are_read_outermost_first() -> None:
    samples, _ = read(HEADER + stack([30, 20, 10], 99, 5))
    (sample,) = samples
    assert (sample.stack, sample.thread_state, sample.at_ns) == ((10, 20, 30), 99, 5)


def test_freed_functions_are_read() -> None:
    _, freed = read(HEADER + name(10, "py:gone:7:/srv/a:b.py") + name(10, "py:gone:7:/srv/a:b.py"))
    assert freed == {10: [Freed("gone", 7, "/srv/a:b.py")]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        HEADER + b"\x01\x00",
        HEADER + b"\x63",
        HEADER.replace(b"\x07\x10", b"\x08\x10"),
    ],
)
def test_a_file_that_is_not_understood_is_an_error(data: bytes) -> None:
    with pytest.raises(VmprofFileError):
        read(data)


def interval(**changes: object) -> Interval:
    first = Interval(
        thread_state=99,
        around=(1, 2),
        step=False,
        began_ns=0,
        before_ns=0,
        end_offset=10_000,
    )
    return first._replace(**changes)


def own(data: bytes, *intervals: Interval) -> list[tuple[tuple[int, ...], int]]:
    samples, _ = read(HEADER + data)
    return [(each.stack, each.weight_ns) for each in own_samples(samples, intervals)]


def test_stacks_are_cut_where_the_work_began() -> None:
    assert own(stack([8, 7, 2, 1], 99, 5), interval()) == [((2, 7, 8), 5)]


def test_the_frame_that_began_the_work_may_have_returned() -> None:
    assert own(stack([8, 1], 99, 5), interval()) == [((1, 8), 5)]


def test_a_step_is_inside_all_that_was_around_it() -> None:
    assert own(stack([8, 1], 99, 5), interval(step=True)) == []
    assert own(stack([8, 2, 1], 99, 5), interval(step=True)) == [((2, 8), 5)]


def test_the_stack_of_another_thread_is_left_out_and_its_time_too() -> None:
    data = stack([8, 2, 1], 99, 5) + stack([8, 2, 1], 98, 9) + stack([8, 2, 1], 99, 20)
    assert [weight for _stack, weight in own(data, interval())] == [5, 11]


def test_time_between_two_steps_is_not_counted() -> None:
    one, two = stack([8, 2, 1], 99, 5), stack([8, 2, 1], 99, 103)
    first = interval(end_offset=len(HEADER + one))
    second = interval(began_ns=100, before_ns=6, end_offset=len(HEADER + one + two))
    assert [weight for _stack, weight in own(one + two, first, second)] == [5, 4]
