"""Every panel over every kind of view, server and store of the toolbar.

One request has all seven panels on: each shows what it measured, or says in words why it did not,
in the answer itself, when it is opened and from the history.
"""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client, override_settings

from django_hotpath import stores
from django_hotpath.panels import HOTPATH_PANELS
from tests.panels.toolbar import DEAR, HISTORY, PROFILING, SQL, Shown, Toolbar, cases
from tests.panels.urls import ASYNC, GROUPS, SYNC

Use = Callable[..., Toolbar]

# A sync iterator under ASGI and the other way round: Django says so, and does it.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")

PAGES = [*(f"/sync/{name}/" for name in SYNC), *(f"/async/{name}/" for name in ASYNC)]
STATUS = {"redirect": 302, "broken": 500}
ALL = ("FindingsPanel", *DEAR)
THEIRS = [
    "debug_toolbar.panels.timer.TimerPanel",
    SQL,
    "debug_toolbar.panels.templates.TemplatesPanel",
    PROFILING,
    "debug_toolbar.panels.cache.CachePanel",
    HISTORY,
]
# Lines and memory by line need one engine each, and may be refused beside another.
MAY_SAY_WHY = {"LinesPanel", "LineMemoryPanel", "SamplesPanel"}


class Balanced(HTMLParser):
    """Whether every element that is opened is closed in its place."""

    VOID = frozenset({"input", "br", "img", "link", "meta", "hr", "col", "wbr", "rect", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def assert_whole(html: str) -> None:
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert (parser.wrong, parser.open) == ([], [])


def assert_shown(shown: Shown, panel: str, content: str) -> None:
    stats = shown.stats(panel)
    assert "<hotpath-panel" in content
    assert "cannot be shown" not in content
    assert not stats["streaming"]
    if stats["summary"] is None:
        assert panel in MAY_SAY_WHY
        assert stats["problems"], panel
        assert 'class="notice"' in content
    else:
        assert stats["problems"] == [], panel
    assert_whole(content)


@pytest.mark.parametrize(("path", "asgi", "store"), cases(PAGES))
def test_every_panel_is_there_live_opened_and_in_the_history(
    use_toolbar: Use, path: str, asgi: bool, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    shown = use_toolbar(store=store).get(path, *DEAR, asgi=asgi)
    assert shown.status == STATUS.get(path.split("/")[2], 200)
    sidebar = shown.sidebar()
    for panel in ALL:
        content = shown.render(panel)
        assert_shown(shown, panel, content)
        assert "failed" not in shown.past_button(panel)
        assert_whole(sidebar[panel]["button"])
    assert shown.stats("FindingsPanel")["summary"]["queries"] == GROUPS
    assert shown.stats("ObjectsPanel")["summary"] is not None
    assert shown.stats("AllocationsPanel")["summary"] is not None
    assert len({shown.stats(panel)["capture"] for panel in ALL}) == 1
    assert stores.get_store().list().total == 1
    assert shown.request_id in shown.refresh()
    if "djDebug" in shown.body:
        assert all(shown.button(panel) for panel in ALL)
    errors = [record.getMessage() for record in caplog.records if record.name == "hotpath"]
    assert errors == []


def plain(path: str, asgi: bool) -> Any:
    """What the view answers without a toolbar: status, headers and body."""
    with override_settings(DEBUG=True, MIDDLEWARE=[], ROOT_URLCONF="tests.panels.urls"):
        if not asgi:
            response: Any = Client(raise_request_exception=False).get(path)
            body = b"".join(response) if response.streaming else response.content
            return response.status_code, dict(response.headers), body.decode()

        async def ask() -> Any:
            response: Any = await AsyncClient(raise_request_exception=False).get(path)
            if response.streaming:
                body = b"".join([part async for part in response])
            else:
                body = response.content
            return response.status_code, dict(response.headers), body.decode()

        return async_to_sync(ask)()


def without_toolbar(body: str) -> str:
    start = body.find('<div id="djDebugRoot"')
    if start < 0:
        return body
    return body[:start].rstrip() + body[body.rindex("</body>") :]


@pytest.mark.parametrize("on", [True, False], ids=["all on", "all off"])
@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("path", [page for page in PAGES if "broken" not in page])
def test_the_answer_is_that_of_the_view(use_toolbar: Use, path: str, asgi: bool, on: bool) -> None:
    shown = use_toolbar(ours="absent").get(
        path, *(DEAR if on else ()), off=() if on else ALL, asgi=asgi
    )
    status, headers, body = plain(path, asgi)
    given = dict(shown.response.headers)
    for name in ("djdt-request-id", "Server-Timing"):
        given.pop(name, None)
    if "djDebug" in shown.body:
        given.pop("Content-Length", None)
        headers.pop("Content-Length", None)
    assert (shown.status, given) == (status, headers)
    assert without_toolbar(shown.body) == body


@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("path", ["/sync/broken/", "/async/broken/"])
def test_a_debug_page_of_a_view_that_raised_has_the_panels(
    use_toolbar: Use, path: str, asgi: bool
) -> None:
    shown = use_toolbar().get(path, *DEAR, asgi=asgi, accept="text/html")
    assert shown.status == 500
    assert "the view broke" in shown.body
    assert shown.button("CallsPanel")
    capture = shown.capture("CallsPanel")
    assert capture.request is not None
    assert capture.request.status == 500


@pytest.mark.parametrize(
    ("place", "asgi"),
    [
        ("first", False),
        ("last", False),
        ("between", False),
        ("between", True),
        ("backwards", False),
    ],
)
def test_the_order_of_panels_does_not_matter(use_toolbar: Use, place: str, asgi: bool) -> None:
    # One of ours between each two of theirs.
    between = [name for pair in zip(THEIRS, HOTPATH_PANELS, strict=False) for name in pair]
    panels = {
        "first": [*HOTPATH_PANELS, *THEIRS],
        "last": [*THEIRS, *HOTPATH_PANELS],
        "between": [*between, *HOTPATH_PANELS[len(THEIRS) :]],
        "backwards": [*HOTPATH_PANELS, *THEIRS][::-1],
    }
    shown = use_toolbar(panels=panels[place]).get(
        "/sync/page/", *DEAR, "ProfilingPanel", "SQLPanel", asgi=asgi
    )
    assert shown.status == 200
    assert shown.stats("FindingsPanel")["summary"]["queries"] == GROUPS
    assert len({shown.stats(panel)["capture"] for panel in ALL}) == 1
    for panel in ALL:
        assert_whole(shown.render(panel))
        assert "failed" not in shown.button(panel)


@pytest.mark.parametrize("on", [DEAR, DEAR[:1], ()], ids=["all", "calls", "findings"])
@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
def test_panels_are_rendered_with_the_page_where_the_toolbar_is_told_to(
    use_toolbar: Use, asgi: bool, on: tuple[str, ...]
) -> None:
    tool = use_toolbar(panels=HOTPATH_PANELS, RENDER_PANELS=True)
    shown = tool.get("/sync/page/", *on, asgi=asgi)
    assert shown.status == 200
    assert shown.body.count("<hotpath-panel") == 1 + len(on)
    assert "cannot be shown" not in shown.body
    # The page's own scripts may not be closed by what a panel holds.
    assert "panel.js" in shown.body
    assert stores.get_store().list().total == 1


def test_history_is_not_there_where_panels_are_rendered_with_the_page(use_toolbar: Use) -> None:
    tool = use_toolbar(panels=[*HOTPATH_PANELS, HISTORY], RENDER_PANELS=True)
    shown = tool.get("/async/page/", *DEAR, asgi=True)
    assert shown.body.count("<hotpath-panel") == len(ALL)
