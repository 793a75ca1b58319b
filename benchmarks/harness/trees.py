"""Trees of calls as paths, and how much of one tree is on paths where it was not spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from types import CodeType
from typing import TypeVar

# File, first line and name of a function: what all tools know of it.
Key = tuple[str, int, str]
Path = tuple[Key, ...]
K = TypeVar("K", bound=Hashable)


def key_of(code: CodeType) -> Key:
    return code.co_filename, code.co_firstlineno, code.co_name


@dataclass
class Tree:
    """Calls and own time by path, the path from the program's entry to the function itself.

    ``calls_of`` and ``own_of`` are the sums by function of a tool whose tree shows a part of them,
    or some of them twice.
    """

    calls: dict[Path, float] = field(default_factory=dict)
    own: dict[Path, float] = field(default_factory=dict)
    calls_of: dict[Key, float] | None = None
    own_of: dict[Key, float] | None = None

    def folded(self) -> Tree:
        """Recursion folded: what a function does below itself is where it was first entered."""
        return Tree(_folded(self.calls), _folded(self.own), self.calls_of, self.own_of)


def typical(trees: Sequence[Tree]) -> Tree:
    """The median of runs of one program, path by path: what other processes did is not in it."""
    return Tree(
        _medians([tree.calls for tree in trees]),
        _medians([tree.own for tree in trees]),
        _medians([tree.calls_of or {} for tree in trees]) if trees[0].calls_of else None,
        _medians([tree.own_of or {} for tree in trees]) if trees[0].own_of else None,
    )


def _medians(found: Sequence[Mapping[K, float]]) -> dict[K, float]:
    keys = {key for values in found for key in values}
    return {key: median(values.get(key, 0.0) for values in found) for key in keys}


def fold(path: Path) -> Path:
    found: list[Key] = []
    for key in path:
        if key in found:
            del found[found.index(key) + 1 :]
        else:
            found.append(key)
    return tuple(found)


def _folded(by_path: Mapping[Path, float]) -> dict[Path, float]:
    found: Counter[Path] = Counter()
    for path, value in by_path.items():
        found[fold(path)] += value  # type: ignore[assignment]
    return dict(found)


def by_function(by_path: Mapping[Path, float]) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for path, value in by_path.items():
        found[path[-1]] = found.get(path[-1], 0.0) + value
    return found


def wrong_share(
    shown: Mapping[Path, float],
    truth: Mapping[Path, float],
    shown_of: Mapping[Key, float] | None = None,
) -> float:
    """The part of what is shown that is on paths where it was not spent, 0 to 1.

    Each function is given its true sum first: how well a tool measures a function is another
    question than where it puts it. ``shown_of`` are the tool's sums by function, if not those of
    its tree.
    """
    true_of = by_function(truth)
    found_of = by_function(shown) if shown_of is None else shown_of
    wrong = whole = 0.0
    for path, value in shown.items():
        of = found_of.get(path[-1], 0.0)
        if not of or path[-1] not in true_of:
            continue
        scaled = value * true_of[path[-1]] / of
        whole += scaled
        wrong += max(0.0, scaled - truth.get(path, 0.0))
    return wrong / whole if whole else 0.0


def shown_share(
    shown: Mapping[Path, float],
    truth: Mapping[Path, float],
    shown_of: Mapping[Key, float] | None = None,
) -> float:
    """The part of the own time that a tree shows at all; above 1 where it shows it repeatedly."""
    true_of = by_function(truth)
    found_of = by_function(shown) if shown_of is None else shown_of
    whole = sum(true_of.values())
    scaled = sum(
        value * true_of[path[-1]] / found_of[path[-1]]
        for path, value in shown.items()
        if path[-1] in true_of and found_of.get(path[-1])
    )
    return scaled / whole if whole else 0.0


def differing(one: Mapping[Path, float], other: Mapping[Path, float]) -> int:
    """At how many paths the two do not say the same."""
    return sum(one.get(path, 0) != other.get(path, 0) for path in {*one, *other})
