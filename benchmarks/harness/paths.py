"""In a worker: one program under every tool, held against the truth."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import FunctionType
from typing import Any

from harness import tools
from harness.pool import NOT_INSTALLED
from harness.trees import Tree, differing, key_of, shown_share, typical, wrong_share

REFERENCE = "the reference again (control)"
NATIVE = "hotpath, native"
PROPORTIONAL = "cProfile's edges, shared out in proportion"
TOOLBAR = "cProfile's edges, as the debug toolbar does"
PYINSTRUMENT = "pyinstrument, 1 ms"
TOOLBAR_OPENED = "the same, opened to a 50th of the time, 20 deep"
TOOLS = (REFERENCE, NATIVE, PROPORTIONAL, TOOLBAR, TOOLBAR_OPENED, PYINSTRUMENT)
_TRUTH = "the truth"
_OPENED = (20, 50)


def measure(program: str, repeats: int, seconds: float) -> dict[str, dict[str, Any]]:
    """Tool -> ``own`` and ``calls`` (the wrong shares), ``paths`` (how many have a wrong count).

    Or ``problem``. ``calls`` and ``paths`` are missing for a sampler.
    """
    from library import programs

    run = programs.PROGRAMS[program]
    assert isinstance(run, FunctionType)
    # Imports, caches, templates: a program has to do the same each time.
    for _ in range(3):
        run()
    with _without_collector():
        trees, problems = _runs(run, repeats)
        truth = typical(trees.pop(_TRUTH))
        if program in programs.MARKED:
            truth.own = _marked(run)
        found = {tool: _judge(typical(runs), truth) for tool, runs in trees.items()}
        found |= {tool: {"problem": problem} for tool, problem in problems.items()}
        if find_spec("pyinstrument"):
            found[PYINSTRUMENT] = _judge_samples(*tools.pyinstrument(run, seconds), truth)
        else:
            found[PYINSTRUMENT] = {"problem": NOT_INSTALLED}
    return found


def _runs(run: FunctionType, repeats: int) -> tuple[dict[str, list[Tree]], dict[str, str]]:
    """The trees of each tool, run by run in turn, and why there are none of some."""
    names = {path[-1] for path in tools.reference(run).calls}
    trees: dict[str, list[Tree]] = {}
    problems: dict[str, str] = {}
    for _ in range(repeats):
        edges = tools.edges(run)
        ways: dict[str, Callable[[], Tree]] = {
            _TRUTH: lambda: tools.reference(run),
            REFERENCE: lambda: tools.reference(run),
            NATIVE: lambda: tools.native(run, names),
            PROPORTIONAL: lambda of=edges: tools.proportional(of, run),  # type: ignore[misc]
            TOOLBAR: lambda of=edges: tools.toolbar(of, run),  # type: ignore[misc]
            TOOLBAR_OPENED: lambda of=edges: tools.toolbar(of, run, *_OPENED),  # type: ignore[misc]
        }
        for tool, way in ways.items():
            if tool in problems:
                continue
            try:
                trees.setdefault(tool, []).append(way())
            except ImportError:
                problems[tool] = NOT_INSTALLED
            except RuntimeError as error:
                problems[tool] = str(error)
    return {tool: runs for tool, runs in trees.items() if tool not in problems}, problems


def _judge(shown: Tree, truth: Tree) -> dict[str, Any]:
    folded, true = shown.folded(), truth.folded()
    return {
        "own": wrong_share(folded.own, true.own, folded.own_of),
        "calls": wrong_share(folded.calls, true.calls, folded.calls_of),
        # With every level of a recursion.
        "paths": differing(shown.calls, truth.calls),
        "all paths": len(truth.calls),
        "shown": shown_share(folded.own, true.own, folded.own_of),
    }


def _judge_samples(shown: Tree, samples: int, truth: Tree) -> dict[str, Any]:
    return {"own": wrong_share(shown.folded().own, truth.folded().own), "samples": samples}


def _marked(run: FunctionType) -> dict[Any, float]:
    """The units that the program notes itself."""
    from library import programs

    programs.marks = programs.Marks(run.__code__)
    try:
        run()
        return {
            tuple(map(key_of, path)): float(units) for path, units in programs.marks.units.items()
        }
    finally:
        programs.marks = None


@contextmanager
def _without_collector() -> Iterator[None]:
    """What it finds dead runs code of its own, at a moment that nobody can foresee."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
