"""``objects``: model instances made and alive, other objects by type."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import models
from django.db.models.signals import post_init
from django.test.utils import isolate_apps
from django.utils.functional import SimpleLazyObject

from django_hotpath import profile, trigger
from django_hotpath.instruments import instances, object_types
from django_hotpath.instruments.base import Session
from django_hotpath.instruments.object_sizes import instance_size, is_plain
from django_hotpath.instruments.objects import Objects
from shop.models import Author, Book
from tests.recording import Run, recording


def model(run: Run, label: str) -> dict[str, Any]:
    found = [row for row in run["objects"]["models"] if row["model"] == label]
    return found[0] if found else {"created": 0, "alive": 0}


def change_of(run: Run, name: str) -> int:
    return sum(row["change"] for row in run["objects"]["types"] if row["type"] == name)


def made(run: Run, label: str) -> tuple[int, int]:
    found = model(run, label)
    return found["created"], found["alive"]


class Held:
    """A type of which nobody else has objects."""


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    init, receivers = models.Model.__init__, list(post_init.receivers)
    yield
    assert models.Model.__init__ is init
    assert [receiver[0] for receiver in post_init.receivers] == [
        receiver[0] for receiver in receivers
    ]


def test_instances_are_counted_by_model() -> None:
    with recording("objects") as run:
        kept = [Book(title=str(number)) for number in range(7)]
        Author(name="gone")
    assert made(run, "shop.Book") == (7, 7)
    assert made(run, "shop.Author") == (1, 0)
    assert (run["objects"]["created"], run["objects"]["alive"]) == (8, 7)
    assert len(kept) == 7


def test_instances_made_before_or_after_are_not_counted() -> None:
    before = Author(name="before")
    with recording("objects") as run:
        pass
    after = Author(name="after")
    assert run["objects"]["models"] == []
    assert before.name != after.name


@pytest.mark.django_db
def test_instances_of_a_queryset_are_counted() -> None:
    Author.objects.bulk_create(Author(name=str(number), born=1900) for number in range(5))
    with recording("objects") as run:
        kept = list(Author.objects.all())
        for _author in Author.objects.only("id").iterator():
            pass
    assert made(run, "shop.Author") == (10, 6)
    assert len(kept) == 5


def test_ours_keeps_no_instance_alive() -> None:
    gone = []

    class Watched(Held):
        def __del__(self) -> None:
            gone.append(True)

    with recording("objects") as run:
        author = Author(name="x")
        author.watched = Watched()  # type: ignore[attr-defined]
        del author
        assert gone == [True]
    assert made(run, "shop.Author") == (1, 0)


def test_garbage_that_waits_for_the_collector_is_alive_unless_it_is_asked() -> None:
    def make() -> None:
        author = Author(name="x")
        author.me = author  # type: ignore[attr-defined]

    gc.disable()
    try:
        with recording("objects") as run:
            make()
        with recording("objects:collect") as collected:
            make()
    finally:
        gc.enable()
    assert (made(run, "shop.Author"), run["objects"]["garbage"]) == ((1, 1), None)
    assert made(collected, "shop.Author") == (1, 0)
    assert collected["objects"]["garbage"] >= 1


class TestModels:
    @pytest.fixture(autouse=True)
    def _isolated(self) -> Iterator[None]:
        with isolate_apps("shop"):
            yield

    def test_a_proxy_counts_by_its_own_name(self) -> None:
        class Writer(Author):
            class Meta:
                app_label = "shop"
                proxy = True

        with recording("objects") as run:
            kept = [Writer(name="x")]
        assert made(run, "shop.Writer") == (1, 1)
        assert made(run, "shop.Author") == (0, 0)
        assert kept

    def test_a_child_of_another_model_counts_once(self) -> None:
        class Base(models.Model):
            class Meta:
                app_label = "shop"
                abstract = True

        class Parent(Base):  # noqa: DJ008
            class Meta(Base.Meta):
                abstract = False

        class Child(Parent):  # noqa: DJ008
            class Meta:
                app_label = "shop"

        with recording("objects") as run:
            kept = [Child()]
        assert made(run, "shop.Child") == (1, 1)
        assert run["objects"]["created"] == 1
        assert kept

    def test_slots_are_no_obstacle(self) -> None:
        class Slotted(models.Model):  # noqa: DJ008
            __slots__ = ("extra",)

            class Meta:
                app_label = "shop"

        with recording("objects") as run:
            kept = [Slotted()]
        assert made(run, "shop.Slotted") == (1, 1)
        assert kept

    def test_an_init_that_raises_leaves_nothing_alive(self) -> None:
        class Fussy(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "shop"

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                raise ValueError("theirs")

        with recording("objects") as run:
            for _ in range(3):
                with pytest.raises(ValueError, match="theirs"):
                    Fussy()
        assert made(run, "shop.Fussy") == (3, 0)

    def test_a_model_that_cannot_be_hashed_or_compared(self) -> None:
        class Odd(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "shop"

            __hash__ = None  # type: ignore[assignment]

            def __eq__(self, other: object) -> bool:
                raise RuntimeError("theirs")

            def __len__(self) -> int:
                raise RuntimeError("theirs")

            def __sizeof__(self) -> int:
                raise RuntimeError("theirs")

            def __getattribute__(self, name: str) -> Any:
                if name in {"__dict__", "__class__"} and loud:
                    raise RuntimeError("theirs")
                return super().__getattribute__(name)

        loud: list[bool] = []
        with recording("objects") as run:
            kept = [Odd() for _ in range(3)]
            loud.append(True)
        assert made(run, "shop.Odd") == (3, 3)
        assert run.capture.environment.warnings == ()
        assert len(kept) == 3

    def test_copies_and_unpickled_ones_are_not_seen_and_do_no_harm(self) -> None:
        original = Author(name="x")
        text = pickle.dumps(original)
        with recording("objects") as run:
            kept = [copy.copy(original), copy.deepcopy(original), pickle.loads(text)]
        assert made(run, "shop.Author") == (0, 0)
        assert len(kept) == 3


def test_many_instances_are_all_counted_and_those_not_followed_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instances, "MAX_FOLLOWED", 100)
    with recording("objects") as run:
        kept = [Author(name="x") for _ in range(1_000)]
    found = model(run, "shop.Author")
    assert found["created"] == 1_000
    assert found["alive"] + found["untracked"] == 1_000
    assert found["alive"] == 100
    assert len(kept) == 1_000


def test_dead_instances_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "MAX_FOLLOWED", 100)
    with recording("objects") as run:
        for number in range(10_000):
            Author(name=str(number))
        kept = Author(name="last")
    found = model(run, "shop.Author")
    assert (found["created"], found["alive"], found["untracked"]) == (10_001, 1, 0)
    assert kept.name == "last"


class TestWhoseInstances:
    def test_those_of_other_threads_are_not_counted(self) -> None:
        started, stop = threading.Event(), threading.Event()
        kept = []

        def make() -> None:
            while not stop.is_set():
                kept.append(Author(name="theirs"))
                started.set()

        thread = threading.Thread(target=make)
        with recording("objects") as run:
            thread.start()
            started.wait()
            ours = [Author(name="ours") for _ in range(50)]
            stop.set()
            thread.join()
        assert made(run, "shop.Author") == (50, 50)
        assert len(ours) == 50

    async def test_those_of_fifty_tasks_are_kept_apart(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Counting all of the process a hundred times would take long.
        monkeypatch.setattr(Objects, "_census", lambda self: object_types.Census({}, {}))

        async def work(number: int) -> tuple[int, int]:
            run = profile("task", instruments=["objects"], save=False)

            @run
            async def task() -> list[Author]:
                kept = []
                for _ in range(number):
                    kept.append(Author(name="x"))
                    await asyncio.sleep(0)
                return kept

            kept = await task()
            assert run.capture is not None
            return len(kept), run.capture.instruments["objects"]["created"]

        for expected, found in await asyncio.gather(*(work(number) for number in range(50))):
            assert found == expected

    async def test_a_worker_thread_of_the_work_belongs_to_it(self) -> None:
        run = profile("task", instruments=["objects"], save=False)

        @run
        async def task() -> list[Author]:
            return await sync_to_async(lambda: [Author(name="x") for _ in range(5)])()

        assert len(await task()) == 5
        assert run.capture is not None
        assert run.capture.instruments["objects"]["created"] == 5

    def test_the_inner_of_two_captures_is_in_both(self) -> None:
        with recording("objects") as outer:
            first = Author(name="outer")
            with recording("objects") as inner:
                second = Author(name="inner")
            third = Author(name="outer again")
        assert made(inner, "shop.Author") == (1, 1)
        assert made(outer, "shop.Author") == (3, 3)
        assert {first.name, second.name, third.name}

    def test_captures_that_end_out_of_order_leave_nothing(self) -> None:
        first, second = Objects(Session()), Objects(Session())
        first.start()
        second.start()
        first.stop()
        second.stop()

    def test_an_exception_leaves_nothing(self) -> None:
        def fail() -> None:
            Author(name="x")
            raise KeyError("theirs")

        with pytest.raises(KeyError), recording("objects"):
            fail()

    def test_a_start_that_fails_leaves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise MemoryError("no room")

        monkeypatch.setattr(Objects, "_census", lambda self: fail())
        with recording("gc", "objects") as run:
            Author(name="x")
        assert "objects" not in run.capture.instruments

    def test_a_census_that_fails_at_the_end_leaves_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with recording("objects") as run:
            kept = Author(name="x")
            monkeypatch.setattr(Objects, "_census", lambda self: 1 / 0)
        assert made(run, "shop.Author") == (1, 1)
        assert any("objects failed" in text for text in run.capture.environment.warnings)
        assert kept.name == "x"

    def test_a_receiver_of_the_application_that_raises_is_theirs(self) -> None:
        def fail(**kwargs: Any) -> None:
            raise ValueError("theirs")

        post_init.connect(fail, sender=Author)
        try:
            with recording("objects") as run, pytest.raises(ValueError, match="theirs"):
                Author(name="x")
        finally:
            post_init.disconnect(fail, sender=Author)
        assert run["objects"]["alive"] == 0

    def test_an_error_of_ours_never_reaches_the_model(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(instances, "instance_size", lambda instance: 1 / 0)
        with recording("objects") as run:
            kept = [Author(name="x") for _ in range(3)]
        warnings = run.capture.environment.warnings
        assert [text for text in warnings if "was not counted" in text] == [
            "objects: an instance was not counted: ZeroDivisionError: division by zero"
        ]
        assert len(kept) == 3


class TestSizes:
    def test_they_are_those_that_python_allocated(self) -> None:
        Book(title="warm")
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        kept = [Book(title=f"a title of some length {number}") for number in range(1_000)]
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        measured = sum(map(instance_size, kept))
        assert 0.8 < measured / (after - before) < 1.3

    def test_long_values_count(self) -> None:
        with recording("objects") as run:
            kept = [Author(name="x" * 10_000)]
        found = model(run, "shop.Author")
        assert found["size"] > 10_000
        assert found["total_size"] == found["alive_size"] == found["size"]
        assert kept

    def test_related_instances_are_not_in_it(self) -> None:
        author = Author(name="x" * 10_000)
        assert instance_size(Book(title="t", author=author)) < 5_000

    def test_nothing_of_the_application_runs(self) -> None:
        asked = []

        class Loud:
            def __getattribute__(self, name: str) -> Any:
                asked.append(name)
                raise RuntimeError("theirs")

            def __len__(self) -> int:
                asked.append("len")
                raise RuntimeError("theirs")

            def __sizeof__(self) -> int:
                asked.append("sizeof")
                raise RuntimeError("theirs")

        def load() -> str:
            asked.append("lazy")
            return "x"

        author = Author(name="x")
        author.loud, author.lazy = Loud(), SimpleLazyObject(load)  # type: ignore[attr-defined]
        assert instance_size(author) > 0
        assert not is_plain(author)
        assert asked == []

    def test_a_graph_without_end_is_cut(self) -> None:
        author = Author(name="x")
        author.numbers = list(range(1_000, 50_000))  # type: ignore[attr-defined]
        assert instance_size(author) > sys.getsizeof(author.numbers)  # type: ignore[attr-defined]
        assert not is_plain(author)


class TestTypes:
    def test_those_that_appeared_are_found(self) -> None:
        with recording("objects") as run:
            kept = [Held() for _ in range(5_000)]
        assert change_of(run, f"{__name__}.Held") == 5_000
        assert len(kept) == 5_000

    def test_those_that_went_are_found(self) -> None:
        kept = [Held() for _ in range(5_000)]
        with recording("objects") as run:
            kept.clear()
        assert change_of(run, f"{__name__}.Held") == -5_000

    def test_types_that_pretend_or_fail_are_counted_all_the_same(self) -> None:
        class Meta(type):
            __hash__ = None  # type: ignore[assignment]

            def __eq__(cls, other: object) -> bool:
                raise RuntimeError("theirs")

            def __getattribute__(cls, name: str) -> Any:
                raise RuntimeError("theirs")

        class Strange(metaclass=Meta):
            __module__ = property(lambda self: 1 / 0)  # type: ignore[assignment]

            @property  # type: ignore[misc]
            def __class__(self) -> Any:
                raise RuntimeError("theirs")

        with recording("objects") as run:
            kept = [object.__new__(Strange) for _ in range(3_000)]
        names = {row["type"]: row["change"] for row in run["objects"]["types"]}
        assert 3_000 in names.values()
        assert run.capture.environment.warnings == ()
        assert len(kept) == 3_000

    def test_lazy_objects_stay_lazy(self) -> None:
        asked: list[str] = []
        kept = [SimpleLazyObject(lambda: asked.append("evaluated")) for _ in range(10)]
        with recording("objects"):
            pass
        assert asked == []
        assert len(kept) == 10

    def test_nothing_is_held_afterwards(self) -> None:
        """A tuple in the making fails when somebody else holds it at its end."""

        def items() -> Iterator[int]:
            for number in range(5):
                yield number
                object_types.count_types()

        assert len(tuple(items())) == 5

    def test_our_own_objects_are_not_shown(self) -> None:
        with recording("objects", "queries", "templates") as run:
            pass
        assert not [
            row for row in run["objects"]["types"] if row["type"].startswith("django_hotpath.")
        ]


@pytest.mark.parametrize("target", ["nonsense", "collect:collect", "muppy:nonsense", ""])
def test_a_target_that_is_not_understood_is_refused(target: str) -> None:
    with pytest.raises(trigger.TriggerError, match="objects"):
        trigger.parse(f"objects:{target}")
