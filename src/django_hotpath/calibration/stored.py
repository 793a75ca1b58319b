"""What was measured, in a small JSON file beside the captures, so that the next process knows it.

``{"version": 1, "measured": {key: [low, high] or nanoseconds}}``. A file that cannot be read or
written is no error: it is measured again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
import os
import platform
import tempfile
import threading
from pathlib import Path
from typing import Any

import django_hotpath
from django_hotpath import stores
from django_hotpath.stores.base import StoreError

FILE = "calibration.json"
_VERSION = 1
_MAX_BYTES = 1_000_000
# The oldest go first; a container may be another machine each time.
_MAX_ENTRIES = 200

Figure = tuple[float, float] | int

_lock = threading.Lock()


def key(name: str, engine: str, target: str | None = None) -> str:
    """What a figure is true of: the engine, this Python, this version of ours, this machine."""
    what = f"{name}/{engine}" + (f":{target}" if target else "")
    return f"{what} | {_here()}"


def path() -> Path | None:
    """The file, in the folder of the store; None where captures are not kept in files."""
    try:
        found = getattr(stores.get_store(), "path", None)
    except StoreError:
        return None
    return found.parent / FILE if isinstance(found, Path) else None


def load() -> dict[str, Figure]:
    with contextlib.suppress(Exception):
        file = path()
        if file is not None and file.stat().st_size <= _MAX_BYTES:
            return _read(json.loads(file.read_text("utf-8")))
    return {}


def save(figures: dict[str, Figure]) -> None:
    """Adds these to the file. The folder is the store's to make: without it nothing is kept."""
    with _lock, contextlib.suppress(Exception):
        file = path()
        if file is None or not file.parent.is_dir():
            return
        known = {name: found for name, found in load().items() if name not in figures}
        measured = dict([*known.items(), *figures.items()][-_MAX_ENTRIES:])
        _replace(file, json.dumps({"version": _VERSION, "measured": measured}, indent=1))


def _read(data: Any) -> dict[str, Figure]:
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        return {}
    measured = data.get("measured")
    if not isinstance(measured, dict):
        return {}
    return {name: found for name, raw in measured.items() if (found := _figure(raw)) is not None}


def _figure(raw: Any) -> Figure | None:
    """Whatever somebody wrote into the file is shown to a reader: only what can be true."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 1_000_000_000:
        return raw
    if not isinstance(raw, list) or len(raw) != 2:
        return None
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in raw):
        return None
    low, high = float(raw[0]), float(raw[1])
    return (low, high) if 1 <= low <= high <= 10_000 else None


def _replace(file: Path, text: str) -> None:
    # Readable by its owner only, as the captures are; another process never sees half of it.
    descriptor, name = tempfile.mkstemp(prefix=f".{FILE}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as temporary:
            temporary.write(text)
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@functools.cache
def _here() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = (platform.node(), platform.machine(), platform.system(), os.cpu_count())
    digest = hashlib.sha256(repr(machine).encode()).hexdigest()[:12]
    return f"{python} | hotpath {django_hotpath.__version__} | {digest}"
