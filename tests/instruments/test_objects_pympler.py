"""``objects`` by Pympler: every object counted and sized; refused where it hangs."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from django.utils.functional import SimpleLazyObject

from django_hotpath import trigger
from django_hotpath.instruments.engines import pympler
from django_hotpath.instruments.engines.pympler import PymplerObjects, count_everything
from django_hotpath.instruments.object_sizes import instance_size
from django_hotpath.instruments.registry import Spec
from shop.models import Author, Book
from tests.recording import recording
from tests.require import require

HANGS = (3, 12, 0) <= sys.version_info < (3, 12, 6)


class Held:
    """A type of which nobody else has objects."""


class Counted(str):
    """Text, which the collector does not follow."""

    __slots__ = ()


@pytest.fixture
def _usable() -> None:
    require(find_spec("pympler") is not None, "needs Pympler: python -m pip install pympler")
    if HANGS:
        pytest.skip("Pympler is refused on this Python")


usable = pytest.mark.usefixtures("_usable")


@usable
@pytest.mark.parametrize("name", ["pympler", "objects:muppy", "pympler:collect"])
def test_everything_is_counted_and_sized(name: str) -> None:
    with recording(name) as run:
        kept = [Held() for _ in range(5_000)]
        texts = [Counted(f"text {number}") for number in range(5_000)]
    assert run["objects"]["engine"] == "pympler"
    found = {row["type"]: row for row in run["objects"]["types"]}
    assert found[f"{__name__}.Held"]["change"] == 5_000
    assert found[f"{__name__}.Counted"]["change"] == 5_000
    assert found[f"{__name__}.Held"]["size_change"] == sum(map(sys.getsizeof, kept))
    assert found[f"{__name__}.Counted"]["size_change"] == sum(map(sys.getsizeof, texts))


@usable
def test_nothing_of_the_application_runs() -> None:
    asked: list[str] = []

    class Loud:
        def __sizeof__(self) -> int:
            asked.append("sizeof")
            raise RuntimeError("theirs")

        @property  # type: ignore[misc]
        def __class__(self) -> type:
            asked.append("class")
            raise RuntimeError("theirs")

    kept = [Loud(), SimpleLazyObject(lambda: asked.append("evaluated"))]
    with recording("pympler") as run:
        pass
    assert asked == []
    assert run.capture.environment.warnings == ()
    assert len(kept) == 2


@usable
def test_a_tuple_in_the_making_can_be_finished_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails in the application when somebody else holds it at its end."""
    begun, go_on = threading.Event(), threading.Event()
    finished: list[tuple[int, ...]] = []

    def items() -> Iterator[int]:
        yield from range(20)
        begun.set()
        assert go_on.wait(30)

    thread = threading.Thread(target=lambda: finished.append(tuple(items())))

    def size_by_type(objects: list[Any], sizes: dict[str, int]) -> None:
        # While the census holds its objects.
        go_on.set()
        thread.join()

    monkeypatch.setattr(pympler, "size_by_type", size_by_type)
    thread.start()
    assert begun.wait(30)
    count_everything()
    assert finished == [tuple(range(20))]


@usable
def test_nothing_is_held_afterwards() -> None:
    kept = [Held()]
    reference = weakref.ref(kept[0])
    gc.disable()
    try:
        count_everything()
        kept.clear()
        assert reference() is None
    finally:
        gc.enable()


@usable
def test_instances_that_stay_are_sized_with_what_they_hold() -> None:
    author = Author(name="x" * 10_000)
    with recording("pympler") as run:
        kept = [Book(title=str(number), author=author) for number in range(10)]
    found = run["objects"]["models"][0]
    assert (found["model"], found["deep_of"]) == ("shop.Book", 10)
    # The author is in it, once for all ten.
    assert 1_000 < found["deep_size"] - instance_size(kept[0]) < 2_000


@usable
def test_instances_that_hold_more_than_plain_data_are_not_asked() -> None:
    asked: list[str] = []
    with recording("pympler") as run:
        kept = Author(name="x")
        kept.lazy = SimpleLazyObject(lambda: asked.append("evaluated"))  # type: ignore[attr-defined]
    assert run["objects"]["models"][0]["deep_size"] is None
    assert asked == []


@pytest.mark.parametrize("name", ["pympler", "objects:muppy"])
def test_where_it_hangs_it_is_refused_with_the_reason(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(find_spec("pympler") is not None, "needs Pympler: python -m pip install pympler")
    monkeypatch.setattr(pympler, "_HANGS", True)
    with pytest.raises(trigger.TriggerError, match=r"3\.12\.6"):
        trigger.parse(name)


@pytest.mark.parametrize("name", ["pympler", "objects:muppy"])
def test_where_it_is_missing_it_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PymplerObjects, "requires", "no_such_module")
    with pytest.raises(trigger.TriggerError, match=r"django-hotpath\[objects\]"):
        trigger.parse(name)


def test_objects_alone_do_not_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PymplerObjects, "requires", "no_such_module")
    assert trigger.parse("objects") == (Spec("objects"),)


def test_the_versions_that_are_refused_are_those_of_the_fault() -> None:
    assert pympler._HANGS is HANGS


# What Python does to itself there, so that nobody takes the refusal away too early.
FAULT = """
import asyncio, gc, _asyncio
async def main():
    for _ in range(20):
        await asyncio.sleep(0.0001)
asyncio.run(main())
gc.get_referents(_asyncio)
asyncio.run(main())
gc.collect()
"""


def test_the_fault_is_where_we_say() -> None:
    require(not HANGS or sys.version_info[:3] == (3, 12, 1), "measured on 3.12.1 only")
    try:
        ended = subprocess.run([sys.executable, "-c", FAULT], timeout=5, check=False).returncode
    except subprocess.TimeoutExpired:
        ended = None
    assert (ended == 0) is not HANGS
