"""A loop of statements is looked at a few times, then counted: the findings are the same."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection
from django.template import engines

from django_hotpath.capture import Capture
from django_hotpath.instruments.registry import Spec
from django_hotpath.recorder import Recorder

pytestmark = pytest.mark.django_db

LOOP = 12


def record(work: Callable[[], object], engine: str = "light") -> Capture:
    ContentType.objects.clear_cache()
    recorder = Recorder((Spec("queries", engine),), "work")
    recorder.start()
    try:
        work()
    finally:
        recorder.stop()
    return recorder.capture()


def queries(capture: Capture) -> list[dict[str, Any]]:
    return list(capture.instruments["queries"]["queries"])


def counted(capture: Capture) -> int:
    return sum("like" in query for query in queries(capture))


def lazily() -> None:
    for permission in Permission.objects.all()[:LOOP]:
        _ = permission.content_type.model


def by_filter() -> None:
    for number in range(LOOP):
        list(Group.objects.filter(name=f"group {number}"))


def by_cursor() -> None:
    with connection.cursor() as cursor:
        for number in range(LOOP):
            cursor.execute("SELECT %s", [number])


def equal_ones() -> None:
    for _ in range(LOOP):
        Group.objects.filter(name="the same").exists()


def writes() -> None:
    for number in range(LOOP):
        Group.objects.create(name=f"made {number}")


def helper(number: int) -> bool:
    return Group.objects.filter(name=f"helped {number}").exists()


def from_three_places() -> None:
    helper(1)
    helper(2)
    helper(3)


def in_a_template() -> None:
    text = (
        "{% for p in permissions %}{{ p.content_type.model }}\n{{ p.content_type.pk }}{% endfor %}"
    )
    template = engines["django"].from_string(text)
    template.render({"all": Permission.objects.all()[:LOOP]})


WORK = [lazily, by_filter, by_cursor, equal_ones, writes, from_three_places, in_a_template]


@pytest.mark.parametrize("work", WORK, ids=[work.__name__ for work in WORK])
def test_the_findings_are_those_of_the_full_record(work: Callable[[], object]) -> None:
    full = record(work, "hotpath")
    Group.objects.all().delete()
    light = record(work)

    def plain(capture: Capture) -> list[Any]:
        return [
            (found.kind, found.title, found.count, found.call_site, found.origin, found.queries)
            + ((found.fix.code,) if found.fix else ())
            for found in capture.findings
        ]

    assert plain(light) == plain(full)
    assert light.instruments["queries"]["count"] == full.instruments["queries"]["count"]


@pytest.mark.parametrize("work", [lazily, by_filter, by_cursor, equal_ones])
def test_most_of_a_loop_is_only_counted(work: Callable[[], object]) -> None:
    assert counted(record(work)) == LOOP - 4


def test_what_is_counted_has_the_lines_of_what_was_looked_at() -> None:
    for query in queries(record(by_filter)):
        like = queries(record(by_filter))[query.get("like", query["index"])]
        assert query["call_site"] == like["call_site"]
        assert query["stack"] == like["stack"]
        assert query["duration_ms"] > 0


def test_two_lines_with_the_same_text_are_told_apart() -> None:
    def work() -> None:
        for number in range(LOOP):
            Group.objects.filter(name=f"one {number}").exists()
            Group.objects.filter(name=f"two {number}").exists()

    lines = {query["call_site"]["line"] for query in queries(record(work))}
    found = [query["call_site"]["line"] for query in queries(record(work))]
    assert len(lines) == 2
    assert found == [min(found), max(found)] * LOOP


def test_a_helper_has_the_line_of_its_caller() -> None:
    def work() -> None:
        for number in range(LOOP):
            helper(number)
        for number in range(LOOP):
            helper(number)

    stacks = [tuple(query["stack"]) for query in queries(record(work))]
    assert len(set(stacks[:LOOP])) == len(set(stacks[LOOP:])) == 1
    assert stacks[0] != stacks[-1]


def test_an_error_within_the_loop_is_kept() -> None:
    def work() -> None:
        with connection.cursor() as cursor:
            for number in range(LOOP):
                try:
                    cursor.execute("SELECT abs(%s)", [-(2**63) if number == LOOP - 1 else number])
                    cursor.fetchall()
                except (DatabaseError, OverflowError):
                    pass

    if connection.vendor != "sqlite":
        pytest.skip("an error that a parameter makes, by SQLite")
    errors = ["error" in query for query in queries(record(work))]
    assert errors == [False] * (LOOP - 1) + [True]


def test_inside_a_capture_that_sees_frames_everything_is_recorded_in_full() -> None:
    recorder = Recorder((Spec("queries", "light"), Spec("calls")), "work")
    recorder.start()
    by_filter()
    recorder.stop()
    assert counted(recorder.capture()) == 0


def test_captures_can_be_written_and_read() -> None:
    capture = record(lazily)
    assert Capture.from_json(replace(capture, findings=()).to_json()).instruments


class Copied:
    """Asks the database when it is copied; others' frames lie around that line."""

    def __deepcopy__(self, memo: object) -> Copied:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return self


class Shallow(threading.Thread):
    """A thread in which nothing lies around the copied object's own line."""

    def __init__(self, one: Copied) -> None:
        super().__init__()
        self.context, self.one = copy_context(), one
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            self.context.run(self.one.__deepcopy__, {})
        except Exception as error:
            self.failed = error
        finally:
            connection.close()


def test_a_stack_that_is_not_as_deep_as_that_of_the_loop_is_no_error() -> None:
    threads: list[Shallow] = []

    def work() -> None:
        one = Copied()
        nested: Any = one
        for _ in range(20):
            nested = [nested]
        for _ in range(LOOP):
            copy.deepcopy(nested)
        threads.append(Shallow(one))
        threads[0].start()
        threads[0].join()

    found = queries(record(work))
    assert threads[0].failed is None
    assert len(found) == LOOP + 1
