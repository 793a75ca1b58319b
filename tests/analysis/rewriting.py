"""Functions in a project of their own: run, advised, rewritten to the letter and run again."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from django.test import override_settings

from django_hotpath import profile
from django_hotpath.analysis.edits import apply_edits
from django_hotpath.capture import Capture, Finding

_numbers = itertools.count()

IMPORTS = """\
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from shop.models import Author, Book, Category, OrderItem, Product
"""


@dataclass
class Project:
    """One module of a project; ``view`` is the function in it."""

    folder: Path
    text: str
    file: str = field(default_factory=lambda: f"views_{next(_numbers)}.py")

    def run(self) -> tuple[Any, Capture]:
        path = self.folder / self.file
        path.write_text(self.text, encoding="utf-8")
        module = ModuleType(self.file.removesuffix(".py"))
        with _project(self.folder):
            exec(compile(self.text, str(path), "exec"), module.__dict__)
            view: Callable[[], Any] = module.view
            with profile("view", instruments=["queries"], save=False) as run:
                answer = view()
        assert run.capture is not None, run.refused
        assert not run.capture.environment.warnings
        return answer, run.capture

    def rewritten(self, finding: Finding) -> Project:
        assert finding.fix is not None
        assert finding.fix.edits, finding.fix
        text = apply_edits(self.text, finding.fix.edits, finding.fix.imports)
        return Project(self.folder, text)


@contextmanager
def _project(folder: Path) -> Iterator[None]:
    from django.conf import settings

    hotpath = {**settings.HOTPATH, "PROJECT_ROOTS": [str(folder)]}
    with override_settings(HOTPATH=hotpath):
        yield


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Project]:
    """Makes a module with the usual imports before the text."""
    assert str(tmp_path) not in sys.path
    return lambda text: Project(tmp_path, IMPORTS + dedent(text))


def count(capture: Capture) -> int:
    found: int = capture.instruments["queries"]["count"]
    return found


def of_kind(capture: Capture, kind: str) -> list[Finding]:
    return [finding for finding in capture.findings if finding.kind == kind]
