from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_hotpath.instruments.patching import New, SharedPatch, Stay, Wrap


class Base:
    def inherited(self) -> str:
        return "inherited"


class Target(Base):
    def method(self) -> str:
        return "theirs"


def replacing(*names: str) -> tuple[SharedPatch, list[Stay]]:
    stays: list[Stay] = []

    def wrap(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
        stays.append(stay)
        return lambda self: f"ours of {original(self)}"

    targets: list[tuple[type, str, Wrap]] = [(Target, name, wrap) for name in names]
    return SharedPatch(lambda: targets), stays


def test_replaces_until_the_last_user_is_gone() -> None:
    before = dict(Target.__dict__)
    patch, _ = replacing("method", "inherited")
    patch.acquire()
    patch.acquire()
    patch.release()
    assert Target().method() == "ours of theirs"
    assert Target().inherited() == "ours of inherited"
    patch.release()
    assert dict(Target.__dict__) == before


def test_one_that_may_stay_does_so_after_it_was_put_back_often_enough() -> None:
    before = dict(Target.__dict__)
    targets = replacing("method")[0]._targets
    patch = SharedPatch(targets, stays_after=2)
    try:
        for _ in range(2):
            patch.acquire()
            patch.release()
            assert dict(Target.__dict__) == before
        patch.acquire()
        ours = Target.__dict__["method"]
        for _ in range(2):
            patch.release()
            assert Target.__dict__["method"] is ours
            patch.acquire()
            assert Target.__dict__["method"] is ours
    finally:
        patch._put_back()
    assert dict(Target.__dict__) == before


def test_a_failed_start_leaves_nothing_behind() -> None:
    before = dict(Target.__dict__)
    patch, stays = replacing("method", "nothing")
    with pytest.raises(AttributeError):
        patch.acquire()
    assert dict(Target.__dict__) == before
    assert stays[0].over


def test_a_start_after_a_failed_one_replaces() -> None:
    answers: list[Any] = [ImportError("not yet"), replacing("method")[0]._targets()]

    def targets() -> list[tuple[type, str, Wrap]]:
        answer = answers.pop(0)
        if isinstance(answer, ImportError):
            raise answer
        return answer  # type: ignore[no-any-return]

    patch = SharedPatch(targets)
    with pytest.raises(ImportError):
        patch.acquire()
    patch.acquire()
    assert Target().method() == "ours of theirs"
    patch.release()
    assert Target().method() == "theirs"


def test_a_release_too_many_changes_nothing() -> None:
    patch, _ = replacing("method")
    patch.release()
    patch.acquire()
    assert Target().method() == "ours of theirs"
    patch.release()
    assert Target().method() == "theirs"


def test_each_stay_ends_by_itself() -> None:
    patch, stays = replacing("method")
    patch.acquire()
    patch.release()
    patch.acquire()
    assert [stay.over for stay in stays] == [True, False]
    patch.release()
    assert [stay.over for stay in stays] == [True, True]


def test_what_somebody_put_over_ours_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    patch, _ = replacing("method")
    patch.acquire()
    ours = Target.method
    monkeypatch.setattr(Target, "method", lambda self: f"APM of {ours(self)}")
    patch.release()
    assert Target().method().startswith("APM of")
    monkeypatch.undo()
    assert Target.method is ours
    del Target.method
    Target.method = lambda self: "theirs"  # type: ignore[method-assign]


def test_a_method_that_was_not_there_is_there_meanwhile() -> None:
    patch = SharedPatch(lambda: [(Target, "more", New(lambda stay: lambda self: "more"))])
    patch.acquire()
    assert Target().more() == "more"  # type: ignore[attr-defined]
    patch.release()
    assert not hasattr(Target, "more")
