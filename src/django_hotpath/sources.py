"""Lines of source files, without keeping the files."""

from __future__ import annotations

import tokenize
from collections.abc import Sequence

_MAX_KEPT = 5_000
_MAX_LENGTH = 200

_kept: dict[tuple[str, int], str] = {}


def source_lines(places: Sequence[tuple[str, int]]) -> list[str]:
    """The text of each line, stripped and at most 200 characters; empty where there is none.

    linecache would keep every file whole, and read it while another capture traces allocations.
    Here a file is read once for all of its lines, and those alone are kept, as they were then:
    like the code that runs. Asking whether the file has changed would let go of the interpreter
    each time, and wait for it behind every busy thread.
    """
    known = {place: _kept[place] for place in places if place in _kept}
    missing: dict[str, set[int]] = {}
    for file, line in places:
        if (file, line) not in known:
            missing.setdefault(file, set()).add(line)
    for file, lines in missing.items():
        texts = _read(file, lines)
        known |= {(file, line): texts.get(line, "") for line in lines}
    if len(_kept) + len(known) > _MAX_KEPT:
        _kept.clear()
    _kept.update(known)
    return [known[place] for place in places]


def _read(file: str, lines: set[int]) -> dict[int, str]:
    if file.startswith("<"):
        return {}
    last = max(lines)
    texts: dict[int, str] = {}
    try:
        with tokenize.open(file) as source:
            for number, text in enumerate(source, 1):
                if number in lines:
                    texts[number] = text.strip()[:_MAX_LENGTH]
                if number >= last:
                    break
    except (OSError, ValueError, SyntaxError):
        return {}
    return texts
