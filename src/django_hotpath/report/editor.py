"""Lines of files as links that open an editor: ``HOTPATH["EDITOR_URL"]``.

The same rules are in ``static/django_hotpath/editor.js`` for what the browser builds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple
from urllib.parse import quote

from django_hotpath.callsite import project_roots
from django_hotpath.conf import settings

EDITORS = {
    "vscode": "vscode://file/{file}:{line}",
    "vscode-insiders": "vscode-insiders://file/{file}:{line}",
    "vscodium": "vscodium://file/{file}:{line}",
    "cursor": "cursor://file/{file}:{line}",
    "windsurf": "windsurf://file/{file}:{line}",
    "zed": "zed://file/{file}:{line}",
    "pycharm": "pycharm://open?file={file}&line={line}",
    "idea": "idea://open?file={file}&line={line}",
    "sublime": "subl://open?url=file://{file}&line={line}",
    "textmate": "txmt://open?url=file://{file}&line={line}",
    "macvim": "mvim://open?url=file://{file}&line={line}",
    "emacs": "emacs://open?url=file://{file}&line={line}",
    "nova": "nova://open?path={file}&line={line}",
}
"""URLs by the name of the editor. Sublime Text, Emacs and Zed need a handler of their scheme."""

_SCHEME = re.compile(r"(?!(?:javascript|data|vbscript|blob):)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")
_NO_FILE = re.compile(r"[<>\x00-\x1f\ud800-\udfff]")
_FILE = re.compile(r"((?<!/)/)?\{file\}")


class Editor(NamedTuple):
    template: str
    """With ``{file}`` and, in most, ``{line}``."""
    base: str
    """What relative paths of a capture are relative to."""

    def url(self, file: str, line: int) -> str | None:
        """None for what is no file: ``<string>``, a built-in function."""
        if not file or _NO_FILE.search(file):
            return None
        path = file.replace("\\", "/")
        if not _ABSOLUTE.match(path):
            if not self.base:
                return None
            path = f"{self.base}/{path}"

        def written(found: re.Match[str]) -> str:
            # "vscode://file/{file}" has the slash that an absolute path begins with.
            slash = found[1] or ""
            return slash + quote(path.lstrip("/") if slash else path, safe="/:@!$*(),;~-._")

        return _FILE.sub(written, self.template).replace("{line}", str(max(line, 1)))


def problem(value: str) -> str | None:
    """What is wrong with a value of ``EDITOR_URL``; None: nothing."""
    if value in EDITORS:
        return None
    if "{file}" not in value:
        return "names no editor we know and has no {file} in it"
    if not _SCHEME.match(value):
        return "is no URL that opens an editor"
    return None


def editor() -> Editor | None:
    """The one of the settings; None where none is named, or in a way that cannot be used."""
    value = settings.EDITOR_URL
    if not value or problem(value):
        return None
    return Editor(EDITORS.get(value, value), project_roots()[0].replace("\\", "/").rstrip("/"))


_current: ContextVar[Editor | None] = ContextVar("hotpath_editor", default=None)


@contextmanager
def linking(found: Editor | None) -> Iterator[None]:
    """While a page is rendered: ``url()`` gives links to this editor."""
    token = _current.set(found)
    try:
        yield
    finally:
        _current.reset(token)


def url(file: str, line: int) -> str | None:
    found = _current.get()
    return found.url(file, line) if found else None
