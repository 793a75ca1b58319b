"""The tree that each tool makes of one program: what its flame graph would be drawn from."""

from __future__ import annotations

import cProfile
from collections.abc import Callable, Iterable
from pstats import Stats
from time import perf_counter
from types import FunctionType
from typing import Any

from harness.reference import Reference
from harness.trees import Key, Path, Tree, key_of

# Below this part of the whole a branch is not followed: the graph of calls has millions of paths.
_TOO_SMALL = 1e-5

Program = Callable[[], None]


def reference(program: Program) -> Tree:
    assert isinstance(program, FunctionType)
    with Reference(program.__code__) as tracer:
        program()
    return tracer.tree()


def native(program: Program, names: Iterable[Key]) -> Tree:
    """``names``: the functions there are, of which the capture has the paths shortened."""
    from django_hotpath import profile
    from django_hotpath.callsite import locate

    known = {(locate(file).file, line, name): (file, line, name) for file, line, name in names}
    with profile("truth", instruments=["native"], save=False) as run:
        program()
    if run.capture is None:
        raise RuntimeError(run.refused)
    measured = run.capture.instruments["calls"]
    assert isinstance(program, FunctionType)
    entry = key_of(program.__code__)
    keys = []
    for row in measured["functions"]:
        key = row["file"], row["line"], row["function"].rpartition(".")[2]
        keys.append(known.get(key, key))
    found, tree = Tree(), measured["tree"]
    paths: list[Path] = [()]
    for node in range(1, len(tree["parent"])):
        path = (*paths[tree["parent"][node]], keys[tree["frame"][node]])
        paths.append(path)
        if path[0] != entry:
            # What ends the capture.
            continue
        found.calls[path] = found.calls.get(path, 0) + tree["calls"][node]
        found.own[path] = found.own.get(path, 0) + tree["own_ms"][node]
    return found


def edges(program: Program) -> cProfile.Profile:
    profile = cProfile.Profile(builtins=False)
    profile.enable()
    program()
    profile.disable()
    return profile


def proportional(profile: cProfile.Profile, program: Program) -> Tree:
    """What a function called is shared out among its callers by the time it took for each.

    So do gprof2dot, flameprof and others. A function is not followed below itself.
    """
    assert isinstance(program, FunctionType)
    entries = {entry.code: entry for entry in profile.getstats() if not isinstance(entry.code, str)}
    found = Tree()
    whole = entries[program.__code__].totaltime

    def follow(edge: Any, above: Path, part: float) -> None:
        """``part`` of what the edge says was on this path."""
        key = key_of(edge.code)
        if key in above or edge.totaltime * part < whole * _TOO_SMALL:
            return
        path = (*above, key)
        found.calls[path] = found.calls.get(path, 0) + edge.callcount * part
        found.own[path] = found.own.get(path, 0) + edge.inlinetime * part
        entry = entries[edge.code]
        if entry.totaltime:
            inside = min(edge.totaltime * part / entry.totaltime, 1.0)
            for callee in entry.calls or ():
                follow(callee, path, inside)

    follow(entries[program.__code__], (), 1.0)
    return found


def toolbar(
    profile: cProfile.Profile, program: Program, depth: int | None = None, ratio: int | None = None
) -> Tree:
    """The debug toolbar's own code: below a function is what it called for anyone.

    By default it goes as deep as the toolbar's settings say (8.0: 10 levels) and as far as a call
    took an eighth of the time, or is the project's own.
    """
    from debug_toolbar import settings
    from debug_toolbar.panels import profiling

    assert isinstance(program, FunctionType)
    stats: Any = Stats(profile)
    stats.calc_callees()
    panels: Any = profiling
    root = panels.FunctionCall(stats, cProfile.label(program.__code__), depth=0)
    shown: list[Any] = []
    config = settings.get_config()
    least = root.cumtime() / (ratio or config["PROFILER_THRESHOLD_RATIO"])
    panel = object.__new__(panels.ProfilingPanel)
    panel.add_node(shown, root, depth or config["PROFILER_MAX_DEPTH"], least)
    found = Tree(own_of={}, calls_of={})
    path: Path = ()
    for call in shown:
        path = (*path[: call.depth], call.func)
        found.calls[path] = found.calls.get(path, 0) + call.count()
        found.own[path] = found.own.get(path, 0) + call.tottime()
    for key, (_primitive, calls, own, *_rest) in stats.stats.items():
        assert found.own_of is not None
        assert found.calls_of is not None
        found.own_of[key], found.calls_of[key] = own, calls
    return found


def pyinstrument(program: Program, seconds: float) -> tuple[Tree, int]:
    """The tree of its samples, and how many there were."""
    from pyinstrument import Profiler

    assert isinstance(program, FunctionType)
    profiler = Profiler(interval=0.001, async_mode="disabled")
    ends = perf_counter() + seconds
    profiler.start()
    while perf_counter() < ends:
        program()
    session = profiler.stop()
    found = Tree()
    entry = key_of(program.__code__)
    for stack, time in session.frame_records:
        keys = [_pyinstrument_key(identifier) for identifier in stack]
        if entry in keys:
            path = tuple(keys[keys.index(entry) :])
            found.own[path] = found.own.get(path, 0) + time
    return found, len(session.frame_records)


def _pyinstrument_key(identifier: str) -> Key:
    name, file, line = identifier.partition("\x01")[0].split("\x00")
    return file, int(line), name
