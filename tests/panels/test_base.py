"""What all panels have in common: when they are on, what they say when nothing can be measured."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest
from debug_toolbar.templatetags.debug_toolbar import inline_svg
from django.test import Client
from django.utils.module_loading import import_string

from django_hotpath import locks, stores
from django_hotpath.instruments.base import Instrument
from django_hotpath.panels import HOTPATH_PANELS, base
from django_hotpath.panels.calls import CallsPanel
from django_hotpath.panels.findings import FindingsPanel
from django_hotpath.panels.lines import LinesPanel
from django_hotpath.recorder import Recorder
from tests.panels.toolbar import DEAR, HISTORY, Toolbar

Use = Callable[..., Toolbar]

# A sync iterator under ASGI and the other way round: Django says so, and does it.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")

NAMES = [path.rpartition(".")[2] for path in HOTPATH_PANELS]


class CProfileCallsPanel(CallsPanel):
    """As a project that wants cProfile writes it."""

    instruments = ("cprofile",)


def test_what_is_dear_is_off_until_it_is_switched_on(use_toolbar: Use) -> None:
    tool = use_toolbar()
    shown = tool.get("/sync/page/")
    assert [name for name in NAMES if shown.stats(name)] == ["FindingsPanel"]
    for name in DEAR:
        assert tool.get("/quick/", name).stats(name), name


def test_it_is_off_whatever_the_project_disables(use_toolbar: Use) -> None:
    shown = use_toolbar(DISABLE_PANELS=set()).get("/sync/page/")
    assert not shown.stats("CallsPanel")


def test_the_project_may_disable_the_cheap_one(use_toolbar: Use) -> None:
    tool = use_toolbar(DISABLE_PANELS={"django_hotpath.panels.findings.FindingsPanel"})
    assert not tool.get("/sync/page/").stats("FindingsPanel")
    assert tool.get("/sync/page/", "FindingsPanel").stats("FindingsPanel")


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_shows_itself_live_and_from_the_store(use_toolbar: Use, name: str) -> None:
    shown = use_toolbar().get("/sync/page/", name)
    stats = shown.stats(name)
    assert set(stats) == {"capture", "summary", "problems", "elsewhere", "streaming"}
    if stats["summary"] is None:
        assert stats["problems"]
        assert "not measured" in shown.button(name)
    assert shown.button(name) == shown.past_button(name)
    assert "hotpath-panel" in shown.render(name)
    assert any("panel.js" in script for script in shown.scripts(name))


@pytest.mark.parametrize("path", HOTPATH_PANELS)
def test_every_panel_has_an_icon_that_the_toolbar_finds(path: str) -> None:
    icon = import_string(path).nav_icon
    assert inline_svg(icon).startswith("<svg ")


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_may_be_rendered_with_the_page(use_toolbar: Use, name: str) -> None:
    shown = use_toolbar(RENDER_PANELS=True).get("/sync/page/", name)
    assert shown.status == 200
    assert shown.body.count("<hotpath-panel") == len({name, "FindingsPanel"})
    assert "panel.js" in shown.body


def test_a_missing_engine_says_what_to_install(
    use_toolbar: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(cls: type[Instrument]) -> str:
        return 'needs it: python -m pip install "django-hotpath[line]"'

    from django_hotpath.instruments.registry import engines

    for cls in engines("lines"):
        monkeypatch.setattr(cls, "available", classmethod(missing))
    shown = use_toolbar().get("/sync/page/", "LinesPanel")
    assert shown.button("LinesPanel") == "Lines not measured"
    assert "python -m pip install &quot;django-hotpath[line]&quot;" in shown.render("LinesPanel")
    assert shown.stats("FindingsPanel")["summary"]["queries"]


def test_a_busy_engine_says_so_and_the_page_is_there(use_toolbar: Use) -> None:
    tool = use_toolbar()
    assert locks.acquire("tracemalloc")
    try:
        shown = tool.get("/sync/page/", "AllocationsPanel")
    finally:
        locks.release("tracemalloc")
    assert shown.status == 200
    assert "another capture is using it" in shown.render("AllocationsPanel")
    assert shown.stats("FindingsPanel")["summary"]["count"] == 1


def test_overlapping_requests_all_get_their_answer(
    use_toolbar: Use, transactional_db: None
) -> None:
    use_toolbar(
        panels=[f"{__name__}.CProfileCallsPanel", "debug_toolbar.panels.profiling.ProfilingPanel"]
    )
    meeting = threading.Barrier(3, timeout=20)
    statuses: list[int] = []

    def ask() -> None:
        client = Client()
        client.cookies.load({"djdtCProfileCallsPanel": "on", "djdtProfilingPanel": "off"})
        meeting.wait()
        for _ in range(5):
            statuses.append(client.get("/quick/").status_code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 15


def _broken(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("<b>ours is broken</b>")


def _stops_and_fails(recorder: Recorder) -> None:
    # Nothing may run on after the test.
    _stop(recorder)
    _broken()


_stop = Recorder.stop

BROKEN_HOOKS: list[tuple[Any, str]] = [
    (FindingsPanel, "summary"),
    (FindingsPanel, "subtitle"),
    (FindingsPanel, "view"),
    (FindingsPanel, "stats_of"),
    (base, "versioned"),
    (Recorder, "start"),
    (Recorder, "stop"),
    (Recorder, "capture"),
]


@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("path", ["/sync/page/", "/sync/stream/"])
@pytest.mark.parametrize(
    ("owner", "hook"), BROKEN_HOOKS, ids=[f"{cls.__name__}.{hook}" for cls, hook in BROKEN_HOOKS]
)
def test_an_error_of_ours_never_reaches_the_page(
    use_toolbar: Use,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    hook: str,
    path: str,
    asgi: bool,
) -> None:
    tool = use_toolbar()
    whole = tool.get(path, asgi=asgi, off=["FindingsPanel"])
    with monkeypatch.context() as patch:
        is_method = isinstance(inspect.getattr_static(owner, hook), classmethod)
        broken: Any = _stops_and_fails if hook == "stop" else _broken
        patch.setattr(owner, hook, classmethod(broken) if is_method else broken)
        shown = tool.get(path, asgi=asgi)
        assert shown.status == 200
        assert "groups" in shown.body
        content = shown.render("FindingsPanel")
    assert "<b>ours" not in content
    assert whole.status == 200


def test_an_error_of_ours_is_shown_in_the_panel(
    use_toolbar: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FindingsPanel, "view", _broken)
    content = use_toolbar().get("/sync/page/").render("FindingsPanel")
    assert "&lt;b&gt;ours is broken&lt;/b&gt;" in content


def test_a_store_that_is_down_is_told_in_the_panel(
    use_toolbar: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = use_toolbar()
    monkeypatch.setattr(type(stores.get_store()), "save", _broken)
    shown = tool.get("/sync/page/")
    assert shown.status == 200
    assert "1 finding" in shown.button("FindingsPanel")
    assert "not stored" in shown.render("FindingsPanel")


def test_a_capture_that_is_gone_is_told_in_the_panel(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/sync/page/")
    stores.get_store().clear()
    assert "is not kept any more" in shown.render("FindingsPanel")


def test_the_panel_leads_to_the_report_and_to_the_load_before(use_toolbar: Use) -> None:
    tool = use_toolbar()
    first = tool.get("/sync/page/")
    tool.get("/async/page/")
    tool.get("/sync/page/", "CallsPanel")
    second = tool.get("/sync/page/")
    before, now = (shown.stats("FindingsPanel")["capture"] for shown in (first, second))
    content = second.render("FindingsPanel")
    assert f'href="/__hotpath__/{now}/"' in content
    assert f"/__hotpath__/compare/?a={before}&amp;b={now}" in content
    assert "compare/" not in first.render("FindingsPanel")


def test_without_our_urls_there_are_no_links(use_toolbar: Use) -> None:
    tool = use_toolbar(urls="tests.panels.urls_without_hotpath")
    tool.get("/sync/page/")
    content = tool.get("/sync/page/", "CallsPanel").render("CallsPanel")
    assert "__hotpath__" not in content
    assert "Functions with most own time" in content


def test_a_panel_of_a_project_names_its_engine(use_toolbar: Use) -> None:
    tool = use_toolbar(panels=[f"{__name__}.CProfileCallsPanel", HISTORY])
    shown = tool.get("/sync/page/", "CProfileCallsPanel")
    assert CProfileCallsPanel.shows == "calls"
    assert shown.capture("CProfileCallsPanel").instruments["calls"]["engine"] == "cprofile"


def test_content_is_text_never_markup(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/quick/", "CallsPanel", data={"q": "</script><img onerror=1>"})
    for name in ("FindingsPanel", "CallsPanel"):
        assert "<img" not in shown.render(name)


def test_the_lines_are_those_of_the_view(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/sync/page/", "LinesPanel")
    assert shown.button("LinesPanel").startswith("Lines ")
    assert LinesPanel.dear
