"""Runs the functions of cases within captures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from django_hotpath import profile
from django_hotpath.capture import Capture, Finding

ALIASES = ("default", "other")


class Ran(NamedTuple):
    answer: Any
    capture: Capture

    @property
    def count(self) -> int:
        """All queries of the function."""
        count: int = self.capture.instruments["queries"]["count"]
        return count

    def found(self, kind: str = "n_plus_one") -> list[Finding]:
        return [finding for finding in self.capture.findings if finding.kind == kind]


def run(function: Callable[[], Any]) -> Ran:
    """What the function gives, and its capture; what it writes is taken back."""
    know_content_types()
    measured = profile(function.__name__, instruments=["queries"], save=False)
    with _taken_back():
        if iscoroutinefunction(function):
            answer = async_to_sync(measured(function))()
        else:
            answer = measured(function)()
    assert measured.capture is not None, measured.refused
    assert not measured.capture.environment.warnings, measured.capture.environment.warnings
    return Ran(answer, measured.capture)


@contextmanager
def _taken_back() -> Iterator[None]:
    with ExitStack() as stack:
        for alias in ALIASES:
            stack.enter_context(transaction.atomic(using=alias))
        yield
        for alias in ALIASES:
            transaction.set_rollback(True, using=alias)


def know_content_types() -> None:
    """Django remembers them for the life of the process: no query of theirs is in a capture."""
    for alias in ALIASES:
        ContentType.objects.db_manager(alias).get_for_models(*apps.get_models())
