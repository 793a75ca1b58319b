"""Functions and classes written in C, by the C tracer."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments.tracing import (
    calls_of,
    leaf,
    needs_the_tracer,
    traced,
)


@pytest.fixture(autouse=True)
def _extension() -> Iterator[None]:
    needs_the_tracer()
    yield
    assert not native_events._users


class TestBuiltins:
    pytestmark = pytest.mark.skipif(
        sys.version_info < (3, 12), reason="before 3.12 no event tells of the call of a class"
    )

    def test_a_class_and_its_objects_are_told_apart(self) -> None:
        class Both:
            def __call__(self) -> int:
                return leaf()

        found = calls_of(traced(lambda: Both()(), builtins=True))
        assert found["<class 'Both'>"] == 1
        assert found["<Both object>"] == 1

    def test_classes_that_come_and_go_are_not_taken_for_each_other(self) -> None:
        def work() -> None:
            for number in range(100):
                type(f"Made{number}", (), {})()

        found = calls_of(traced(work, builtins=True))
        assert [found[f"<class 'Made{number}'>"] for number in range(100)] == [1] * 100

    def test_a_class_is_kept_only_until_the_result(self) -> None:
        class Gone:
            pass

        before = sys.getrefcount(Gone)
        result = traced(lambda: Gone(), builtins=True)
        assert calls_of(result)["<class 'Gone'>"] == 1
        assert sys.getrefcount(Gone) == before


def test_one_function_of_c_has_one_name() -> None:
    def work() -> None:
        values: list[int] = []
        values.append(1)
        add = values.append
        add(2)

    found = calls_of(traced(work, builtins=True))
    assert found["<method 'append' of 'list' objects>"] == 2
