"""Requests through the debug toolbar, and what its stored panels show afterwards.

``Toolbar(store=…, panels=…, ours=…)`` is a context in which requests are answered with the
toolbar; ``get`` gives a ``Shown``. See ``conftest.py`` for the fixture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from asgiref.sync import async_to_sync
from debug_toolbar.middleware import show_toolbar_func_or_path
from debug_toolbar.models import HistoryEntry
from debug_toolbar.store import BaseStore, get_store
from debug_toolbar.toolbar import DebugToolbar, StoredDebugToolbar
from django.core.cache import cache
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client, override_settings
from django.utils.decorators import sync_only_middleware

from django_hotpath import deferred, stores
from django_hotpath.capture import Capture
from django_hotpath.panels import HOTPATH_PANELS

OURS = "django_hotpath.middleware.ProfilingMiddleware"
TOOLBAR = "debug_toolbar.middleware.DebugToolbarMiddleware"
STORES = {
    "memory": "debug_toolbar.store.MemoryStore",
    "database": "debug_toolbar.store.DatabaseStore",
    "cache": "debug_toolbar.store.CacheStore",
}
# Where our middleware stands as seen from the toolbar's.
PLACES = {"outside": [OURS, TOOLBAR], "inside": [TOOLBAR, OURS], "absent": [TOOLBAR]}
HISTORY = "debug_toolbar.panels.history.HistoryPanel"
SQL = "debug_toolbar.panels.sql.SQLPanel"
PROFILING = "debug_toolbar.panels.profiling.ProfilingPanel"
DEAR = tuple(path.rpartition(".")[2] for path in HOTPATH_PANELS[1:])


def cases(
    paths: Iterable[str], stores: Iterable[str] = tuple(STORES)
) -> list[tuple[str, bool, str]]:
    """Path, whether over ASGI, store: every combination that Django's test clients can answer.

    They close an async stream on an event loop, where nobody may use the database; servers do it
    in a thread.
    """
    found = product(paths, (False, True), stores)
    return [case for case in found if not (case[0] == "/async/stream/" and case[2] == "database")]


def always(request: HttpRequest) -> bool:
    return True


@sync_only_middleware
def in_a_thread(get_response: Any) -> Any:
    """The toolbar's own store in the database cannot be used on an event loop (8.0.0 answers 500):
    with a middleware below it that is sync only the toolbar runs in a thread.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)  # type: ignore[no-any-return]

    return middleware


@dataclass
class Shown:
    """One answered request; its body has been read, with which the client closed it."""

    response: HttpResponseBase
    body: str
    request_id: str
    _client: Client = field(repr=False)

    @property
    def status(self) -> int:
        return self.response.status_code

    def stats(self, panel: str) -> dict[str, Any]:
        """What the toolbar's store holds of a panel; empty when it was off."""
        store: type[BaseStore] = get_store()  # type: ignore[assignment]
        return store.panel(self.request_id, panel)  # type: ignore[no-any-return]

    def capture(self, panel: str) -> Capture:
        """The capture in our store that a panel shows."""
        capture_id = self.stats(panel)["capture"]
        deferred.settle(capture_id)
        return stores.get_store().get(capture_id)

    def button(self, panel: str) -> str:
        """The panel in the side bar of this very answer, as text; empty when there is none."""
        return _button(self.body, panel)

    def render(self, panel: str) -> str:
        """The content of a stored panel, as the toolbar fetches it when it is opened."""
        return str(self._ask("render_panel", panel_id=panel)["content"])

    def scripts(self, panel: str) -> list[str]:
        return list(self._ask("render_panel", panel_id=panel)["scripts"])

    def sidebar(self) -> dict[str, dict[str, str]]:
        """The panels as History switches to this request: ``button`` and ``content``."""
        return self._ask("history_sidebar", exclude_history="1")

    def past_button(self, panel: str) -> str:
        return _button(self.sidebar()[panel]["button"], panel)

    def refresh(self) -> list[str]:
        """The ids of the requests that History lists."""
        found = self._ask("history_refresh")["requests"]
        return [_plain(request["id"]) for request in found]

    def _ask(self, view: str, **query: str) -> dict[str, Any]:
        response = self._client.get(f"/__debug__/{view}/", {"request_id": self.request_id, **query})
        assert response.status_code == 200, response.content
        return response.json()  # type: ignore[no-any-return]


class Toolbar:
    """Answers requests with the toolbar, over WSGI or ASGI."""

    def get(
        self,
        path: str,
        *on: str,
        off: Sequence[str] = (),
        asgi: bool = False,
        data: dict[str, str] | None = None,
        raises: bool = False,
        meanwhile: Callable[[HttpResponseBase], object] | None = None,
        **headers: str,
    ) -> Shown:
        """``on`` and ``off`` are panels that were switched in the toolbar.

        ``meanwhile`` is called with the response before its body is read.
        """
        cookies = {f"djdt{name}": "on" for name in on} | {f"djdt{name}": "off" for name in off}
        # The stored panels are asked for by somebody without these cookies.
        viewer = Client()
        before = _ids()
        if asgi:
            response, body = async_to_sync(_aget)(path, cookies, data, raises, meanwhile, headers)
        else:
            response, body = _get(path, cookies, data, raises, meanwhile, headers)
        request_id = response.headers.get("djdt-request-id") or next(
            (found for found in _ids() if found not in before), ""
        )
        return Shown(response, body, request_id, viewer)


@contextmanager
def toolbar(
    store: str = "memory",
    panels: Sequence[str] = (*HOTPATH_PANELS, HISTORY),
    ours: str = "outside",
    urls: str = "tests.panels.urls",
    **config: Any,
) -> Iterator[Toolbar]:
    """``ours``: one of ``PLACES``; ``config`` is added to ``DEBUG_TOOLBAR_CONFIG``.

    Needs the database.
    """
    if store == "database":
        _make_table()
    shown = {
        "SHOW_TOOLBAR_CALLBACK": f"{__name__}.always",
        "IS_RUNNING_TESTS": False,
        "TOOLBAR_STORE_CLASS": STORES[store],
        **config,
    }
    below = [f"{__name__}.in_a_thread"] if store == "database" else []
    with override_settings(
        DEBUG=True,
        MIDDLEWARE=[*PLACES[ours], *below],
        ROOT_URLCONF=urls,
        DEBUG_TOOLBAR_CONFIG=shown,
        DEBUG_TOOLBAR_PANELS=list(panels),
    ):
        _forget()
        try:
            yield Toolbar()
        finally:
            get_store().clear()  # type: ignore[no-untyped-call]
            _forget()


def _forget() -> None:
    # Tests of other stores and panels ran in this process.
    show_toolbar_func_or_path.cache_clear()
    DebugToolbar.store = None  # type: ignore[assignment]
    # Which may have its own list of them.
    StoredDebugToolbar._panel_classes = None
    cache.clear()


def _ids() -> list[str]:
    return [_plain(found) for found in get_store().request_ids()]


def _plain(request_id: Any) -> str:
    """The database's are written with dashes."""
    return str(request_id).replace("-", "")


def _make_table() -> None:
    if HistoryEntry._meta.db_table in connection.introspection.table_names():
        return
    # The toolbar hides its migrations where its own store is not this one from the start.
    editor: BaseDatabaseSchemaEditor = connection.SchemaEditorClass(connection)
    sql, parameters = editor.table_sql(HistoryEntry)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _get(
    path: str, cookies: Any, data: Any, raises: bool, meanwhile: Any, headers: Any
) -> tuple[HttpResponseBase, str]:
    client = Client(raise_request_exception=raises)
    client.cookies.load(cookies)
    response: Any = client.get(path, data, headers=headers)
    if meanwhile is not None:
        meanwhile(response)
    # Through ``__iter__``, as a server of WSGI does it.
    body = b"".join(response) if response.streaming else response.content
    return response, body.decode()


async def _aget(
    path: str, cookies: Any, data: Any, raises: bool, meanwhile: Any, headers: Any
) -> tuple[HttpResponseBase, str]:
    client = AsyncClient(raise_request_exception=raises)
    client.cookies.load(cookies)
    response: Any = await client.get(path, data, headers=headers)
    if meanwhile is not None:
        meanwhile(response)
    # Through ``__aiter__``, as a server of ASGI does it.
    body = b"".join([part async for part in response]) if response.streaming else response.content
    return response, body.decode()


def _button(html: str, panel: str) -> str:
    found = re.search(rf'<li id="djdt-{panel}".*?</li>', html, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""
