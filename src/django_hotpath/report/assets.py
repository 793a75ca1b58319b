"""Our style sheet, scripts and icon, served by ourselves.

The project may have no staticfiles, or no server for them (uvicorn, ``DEBUG`` off), so the report
does not rely on it.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path

from django.http import Http404, HttpResponse

from django_hotpath.report import bundles
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
    """Changes with the content; empty for an unknown name."""
    return _version(_content(name)) if name in _files() else ""


def asset_data(name: str) -> tuple[str, bytes]:
    """Content type and content, for a page that must hold all it needs. Raises ``KeyError``."""
    return _content_type(name).replace(" ", ""), _content(name)


def asset_response(name: str) -> HttpResponse:
    """The file, to be kept by the browser for a year (its URL carries the version).

    Raises ``Http404`` for a name that is not one of ``asset_names()``.
    """
    if name not in _files():
        raise Http404("no such asset")
    response = HttpResponse(_content(name), content_type=_content_type(name))
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return secure(response)


def _content_type(name: str) -> str:
    return _CONTENT_TYPES[f".{name.rpartition('.')[2]}"]


@cache
def _files() -> dict[str, tuple[Path, ...]]:
    # Read once: of a file whose content changes, as while one works on it, the version does too.
    files = {path.name: (path,) for path in FOLDER.iterdir() if path.suffix in _CONTENT_TYPES}
    bundled = {
        name: tuple(FOLDER / part for part in parts) for name, parts in bundles.parts().items()
    }
    return files | bundled


def _content(name: str) -> bytes:
    files = _files()[name]
    return _read(files, tuple(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=128)
def _read(files: tuple[Path, ...], changed: tuple[int, ...]) -> bytes:
    if len(files) == 1:
        return files[0].read_bytes()
    sources = [(file.stem, file.read_text("utf-8")) for file in files]
    if files[0].suffix == ".js":
        return bundles.script(sources).encode()
    return bundles.styles(source for _, source in sources).encode()


@lru_cache(maxsize=128)
def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
