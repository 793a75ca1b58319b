"""The source lines of a function that a capture names, as they are on disk now."""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
import tokenize
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from django_hotpath.callsite import base_dir, project_roots
from django_hotpath.capture import Capture
from django_hotpath.report import guard
from django_hotpath.report.viewmodels.flame import function_rows
from django_hotpath.report.views import _get

MAX_FILE = 2_000_000
"""Larger files are not read, in bytes."""
MAX_LINES = 400
MAX_LENGTH = 400
BEFORE = 2

Row = Mapping[str, Any]


class NoSource(Exception):
    """Why there is nothing to show, as a sentence."""


@never_cache
@guard.guarded
@require_safe
def source(request: HttpRequest, capture_id: str, function: int) -> HttpResponse:
    """JSON: ``file``, ``function``, ``line`` (where it begins), ``lines`` and ``note``.

    ``lines`` are ``{"line", "text", "hits"?, "ms"?}``; ``measured`` is "ms" where the lines were
    timed. Where there is no source, ``error`` says why. ``function`` is a row of the capture's
    function table: no other file can be asked for.
    """
    capture = _get(capture_id)
    row = next(islice(function_rows(capture), function, None), None)
    if row is None:
        raise Http404("this capture has no such function")
    try:
        return JsonResponse(function_source(capture, row))
    except NoSource as error:
        return JsonResponse({"error": str(error)})


def function_source(capture: Capture, row: Row) -> dict[str, Any]:
    """Raises ``NoSource``."""
    path = readable_path(str(row.get("file") or ""))
    lines = _lines(path)
    first = int(row.get("line") or 0)
    if first > len(lines):
        raise NoSource("The file is shorter now than when this was captured.")
    end = _end(lines, first)
    begin = max(first - BEFORE, 1) if first else 1
    figures = _measured(capture, row)
    shown = [
        {"line": number, "text": lines[number - 1][:MAX_LENGTH], **figures.get(number, {})}
        for number in range(begin, min(end, begin + MAX_LINES - 1) + 1)
    ]
    return {
        "file": row["file"],
        "function": row["function"],
        "line": first,
        "lines": shown,
        "measured": "ms" if figures else "",
        "note": " ".join(_notes(capture, path, end - begin + 1)),
    }


def readable_path(file: str) -> str:
    """The file of that name, when it is Python source of the project, a package or Python itself.

    Links are followed first: one that leads elsewhere is refused. Raises ``NoSource``.
    """
    if not file or file.startswith("<") or "\0" in file:
        raise NoSource("This is no function of a source file.")
    names = [file] if os.path.isabs(file) else [root + file for root in project_roots()]
    roots = [os.path.realpath(root).rstrip(os.sep) + os.sep for root in _roots()]
    for name in names:
        try:
            path = os.path.realpath(name, strict=True)
        except (OSError, ValueError):
            continue
        if path.endswith(".py") and any(path.startswith(root) for root in roots):
            return path
        raise NoSource("The file lies outside of the project and of the installed packages.")
    raise NoSource("The file is not on this machine.")


def _roots() -> Iterator[str]:
    yield from project_roots()
    yield str(base_dir())
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield sysconfig.get_paths()[name]
    # An installed package may also lie in a folder of its own that is on the path.
    yield from (entry for entry in sys.path if os.path.isdir(entry) and len(entry) > 1)


def _lines(path: str) -> list[str]:
    try:
        if os.path.getsize(path) > MAX_FILE:
            raise NoSource("The file is too large to be shown here.")
        with tokenize.open(path) as opened:
            return [line.rstrip("\r\n") for line in opened]
    except (OSError, SyntaxError, UnicodeError) as error:
        raise NoSource(f"The file cannot be read: {error.__class__.__name__}.") from error


def _end(lines: list[str], first: int) -> int:
    """The last line of the block that begins at ``first``; of a module, of the file."""
    if first < 1:
        return len(lines)
    try:
        block = inspect.getblock([line + "\n" for line in lines[first - 1 :]])
    except (SyntaxError, ValueError, IndexError):
        return min(first + 40, len(lines))
    return first - 1 + max(len(block), 1)


def _measured(capture: Capture, row: Row) -> dict[int, dict[str, Any]]:
    """Hits and milliseconds of lines, where the instrument ``lines`` looked at the function."""
    functions = capture.instruments.get("lines", {}).get("functions", ())
    for found in functions:
        if (found["file"], found["line"]) == (row["file"], row["line"]):
            return {
                line["line"]: {"hits": line.get("hits"), "ms": line.get("ms")}
                for line in found["lines"]
            }
    return {}


def _notes(capture: Capture, path: str, length: int) -> Iterator[str]:
    try:
        changed = datetime.fromtimestamp(os.path.getmtime(path), UTC)
        if changed > datetime.fromisoformat(capture.started_at):
            yield "The file was changed after this capture: lines may have moved."
    except (OSError, ValueError, TypeError):
        pass
    if length > MAX_LINES:
        yield f"The first {MAX_LINES} of {length} lines."
