"""The cases with a fix applied to the letter: a copy of their sources, imported anew."""

from __future__ import annotations

import ast
import importlib
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from django.conf import settings
from django.test import override_settings

import tests.findings
from django_hotpath.analysis.edits import apply_edits
from django_hotpath.capture import Edit, Fix
from tests.findings.spots import CASES, MODELS, ROOT
from tests.library import models

PACKAGE = "tests.findings.cases"
_COPIED = (CASES, "tests/library")


@contextmanager
def applied(fix: Fix) -> Iterator[None]:
    """Within it the modules of cases, their templates and models are those with the fix.

    Raises ``DoesNotFit`` where an edit is not one of their sources.
    """
    with tempfile.TemporaryDirectory(prefix="hotpath-cases-") as folder:
        root = Path(folder).resolve()
        for part in _COPIED:
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        _edit(root, fix)
        with _settings(root), _models(root / MODELS), _modules(root):
            yield


def _edit(root: Path, fix: Fix) -> None:
    by_file: dict[str, list[Edit]] = defaultdict(list)
    for edit in fix.edits:
        by_file[edit.file].append(edit)
    # The lines to import are those of the code to paste.
    home = fix.at.file if fix.at is not None and fix.at.file in by_file else None
    for file, edits in by_file.items():
        path = root / file
        imports = fix.imports if file.endswith(".py") and home in {None, file} else ()
        path.write_text(apply_edits(path.read_text(encoding="utf-8"), edits, imports), "utf-8")


@contextmanager
def _settings(root: Path) -> Iterator[None]:
    (engine,) = settings.TEMPLATES
    dirs = [root / "tests/library/templates", *engine["DIRS"]]
    hotpath = {**settings.HOTPATH, "PROJECT_ROOTS": [str(root), str(ROOT)]}
    with override_settings(TEMPLATES=[{**engine, "DIRS": dirs}], HOTPATH=hotpath):
        yield


@contextmanager
def _modules(root: Path) -> Iterator[None]:
    own = {name: module for name, module in sys.modules.items() if _is_case(name)}
    for name in own:
        del sys.modules[name]
    package = tests.findings.cases if own else None
    tests.findings.__path__.insert(0, str(root / "tests/findings"))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        importlib.import_module(PACKAGE)
        yield
    finally:
        sys.dont_write_bytecode = writes
        del tests.findings.__path__[0]
        for name in [name for name in sys.modules if _is_case(name)]:
            del sys.modules[name]
        sys.modules.update(own)
        if package is not None:
            tests.findings.cases = package


def _is_case(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


@contextmanager
def _models(file: Path) -> Iterator[None]:
    """A model cannot be made twice: the code of its methods is exchanged instead."""
    source = file.read_text(encoding="utf-8")
    before = Path(models.__file__).read_text(encoding="utf-8")
    if source == before:
        yield
        return
    for line in source.splitlines():
        if line.startswith(("from ", "import ")) and line not in before.splitlines():
            exec(line, models.__dict__)
    codes = dict(_codes(compile(source, str(file), "exec")))
    assert _skeleton(source) == _skeleton(before), "only the bodies of functions can be exchanged"
    kept = [(function, function.__code__) for function in _functions(models)]
    try:
        for function, code in kept:
            function.__code__ = codes.get(code.co_qualname, code)
        yield
    finally:
        for function, code in kept:
            function.__code__ = code


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in vars(module).values():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        members = vars(value).values() if isinstance(value, type) else [value]
        for member in members:
            function = member.fget if isinstance(member, property) else member
            if isinstance(function, FunctionType):
                yield function


def _skeleton(source: str) -> str:
    """The module without its imports and without what is in functions."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
    return ast.dump(tree)
