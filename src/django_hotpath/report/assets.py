"""Our style sheet, scripts and icon, served by ourselves.

The project may have no staticfiles, or no server for them (uvicorn, ``DEBUG`` off), so the report
does not rely on it.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path

from django.http import Http404, HttpResponse

from django_hotpath.report.http import secure

FOLDER = Path(__file__).resolve().parent.parent / "static" / "django_hotpath"

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def asset_names() -> frozenset[str]:
    """The files that may be asked for; nothing else is ever opened."""
    return frozenset(_files())


def asset_version(name: str) -> str:
    """Changes with the content of the file; empty for an unknown name."""
    file = _files().get(name)
    return _version(file, file.stat().st_mtime_ns) if file else ""


def asset_data(name: str) -> tuple[str, bytes]:
    """Content type and content, for a page that must hold all it needs. Raises ``KeyError``."""
    file = _files()[name]
    return _CONTENT_TYPES[file.suffix].replace(" ", ""), _content(file, file.stat().st_mtime_ns)


def asset_response(name: str) -> HttpResponse:
    """The file, to be kept by the browser for a year (its URL carries the version).

    Raises ``Http404`` for a name that is not one of ``asset_names()``.
    """
    file = _files().get(name)
    if file is None:
        raise Http404("no such asset")
    response = HttpResponse(
        _content(file, file.stat().st_mtime_ns), content_type=_CONTENT_TYPES[file.suffix]
    )
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return secure(response)


@cache
def _files() -> dict[str, Path]:
    # Read once: of a file whose content changes, as while one works on it, the version does too.
    return {path.name: path for path in FOLDER.iterdir() if path.suffix in _CONTENT_TYPES}


@lru_cache(maxsize=64)
def _content(file: Path, changed: int) -> bytes:
    return file.read_bytes()


@lru_cache(maxsize=64)
def _version(file: Path, changed: int) -> str:
    return hashlib.sha256(_content(file, changed)).hexdigest()[:12]
