"""What fails in the panels, or in what they use, is shown in the panel; the page is as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import checks
from django.test import Client, override_settings

from django_hotpath import deferred, stores
from django_hotpath.instruments import registry
from django_hotpath.instruments.objects import Objects
from django_hotpath.panels import HOTPATH_PANELS
from django_hotpath.panels.objects import ObjectsPanel
from django_hotpath.stores.base import StoreError
from django_hotpath.stores.memory import MemoryStore
from tests.panels.toolbar import DEAR, HISTORY, Shown, Toolbar
from tests.panels.urls import GROUPS

Use = Callable[..., Toolbar]

ALL = ("FindingsPanel", *DEAR)
PAGE = "<p>0 groups</p>"


class Full(MemoryStore):
    def save(self, capture: Any) -> None:
        raise StoreError("no space left on <device>")


class Broken(MemoryStore):
    def save(self, capture: Any) -> None:
        raise RuntimeError("no store at all")

    get = list = summaries = save  # type: ignore[assignment]


class Boom(Exception):
    pass


def both() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])


def use_store(settings: Any, name: str) -> None:
    settings.HOTPATH = {"STORE": {"BACKEND": f"{__name__}.{name}"}}


@pytest.mark.parametrize("store", ["Full", "Broken"])
@both()
def test_a_store_that_takes_nothing(
    use_toolbar: Use, settings: Any, store: str, asgi: bool
) -> None:
    use_store(settings, store)
    tool = use_toolbar()
    # The second one knows that the store is in trouble.
    for _ in range(2):
        shown = tool.get("/sync/page/", *DEAR, asgi=asgi)
        assert (shown.status, PAGE in shown.body) == (200, True)
        assert "1 finding" in shown.button("FindingsPanel")
        for panel in ALL:
            content = shown.render(panel)
            assert 'class="notice"' in content
            assert "no store at all" in content or "no space left on &lt;device&gt;" in content
        assert shown.sidebar()
        assert shown.refresh()


def test_a_store_that_cannot_be_imported(use_toolbar: Use, settings: Any) -> None:
    settings.HOTPATH = {"STORE": {"BACKEND": "no.such.Store"}}
    shown = use_toolbar().get("/sync/page/", *DEAR)
    assert (shown.status, PAGE in shown.body) == (200, True)
    assert "no.such.Store cannot be used" in shown.render("FindingsPanel")


@pytest.mark.parametrize("path", ["/sync/stream/", "/async/stream/"])
def test_a_stream_with_a_store_that_takes_nothing(
    use_toolbar: Use, settings: Any, path: str
) -> None:
    use_store(settings, "Broken")
    shown = use_toolbar().get(path, *DEAR, asgi=path.startswith("/async"))
    assert shown.body == "first0 groups"
    assert "no store at all" in shown.render("CallsPanel")


@pytest.mark.parametrize(
    "hook",
    ["__init__", "available", "busy", "start", "stop", "pause", "resume", "result", "timing"],
)
@both()
def test_an_instrument_that_raises(
    use_toolbar: Use, monkeypatch: pytest.MonkeyPatch, hook: str, asgi: bool
) -> None:
    def boom(*args: Any, **kwargs: Any) -> Any:
        raise Boom(f"<{hook}>")

    monkeypatch.setattr(Objects, hook, classmethod(boom) if hook in CLASS_HOOKS else boom)
    path = "/async/page/" if asgi else "/sync/page/"
    shown = use_toolbar().get(path, "ObjectsPanel", asgi=asgi)
    assert shown.status == 200
    assert "0" in shown.body
    for panel in ("FindingsPanel", "ObjectsPanel"):
        assert f"Boom: <{hook}>" not in shown.body
        assert shown.sidebar()[panel]
    content = shown.render("ObjectsPanel")
    if hook in {"pause", "resume"} and not asgi:
        # Never called there.
        return
    assert f"&lt;{hook}&gt;" in content
    if hook not in WHOLE:
        assert shown.stats("FindingsPanel")["summary"]["queries"] == GROUPS


CLASS_HOOKS = {"available", "busy"}
# Without them nothing is measured.
WHOLE = {"__init__", "available", "busy"}


@pytest.mark.parametrize("hook", ["summary", "subtitle", "view"])
def test_a_panel_that_raises(use_toolbar: Use, monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    def boom(*args: Any, **kwargs: Any) -> Any:
        raise Boom(f"<{hook}>")

    monkeypatch.setattr(ObjectsPanel, hook, boom if hook == "view" else classmethod(boom))
    shown = use_toolbar().get("/sync/page/", "ObjectsPanel")
    assert (shown.status, PAGE in shown.body) == (200, True)
    assert shown.button("ObjectsPanel")
    assert shown.past_button("ObjectsPanel")
    content = shown.render("ObjectsPanel")
    assert ("&lt;" in content) is (hook != "subtitle")
    assert shown.stats("FindingsPanel")["summary"]["queries"] == GROUPS


@pytest.mark.parametrize("where", ["begin", "finish", "stop"])
@both()
def test_a_recording_that_raises(
    use_toolbar: Use, monkeypatch: pytest.MonkeyPatch, where: str, asgi: bool
) -> None:
    from django_hotpath.panels.recording import Recording

    def boom(*args: Any, **kwargs: Any) -> Any:
        raise Boom(f"<{where}>")

    monkeypatch.setattr(Recording, where, boom)
    path = "/async/page/" if asgi else "/sync/page/"
    shown = use_toolbar().get(path, *DEAR, asgi=asgi)
    assert shown.status == 200
    assert f"&lt;{where}&gt;" in shown.render("CallsPanel")
    monkeypatch.undo()


def test_after_a_recording_that_raised_the_next_one_is_whole(
    use_toolbar: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_hotpath.panels.recording import Recording

    def boom(*args: Any, **kwargs: Any) -> Any:
        raise Boom

    tool = use_toolbar()
    for where in ("begin", "stop", "finish"):
        with monkeypatch.context() as patch:
            patch.setattr(Recording, where, boom)
            assert tool.get("/sync/page/", *DEAR).status == 200
        shown = tool.get("/sync/page/", *DEAR)
        assert shown.stats("CallsPanel")["problems"] == []
        assert shown.stats("AllocationsPanel")["summary"] is not None


# Panels of requests whose capture is not there, or is very large


def test_a_capture_that_was_deleted(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/sync/page/", *DEAR)
    deferred.settle_all()
    stores.get_store().clear()
    for panel in ALL:
        content = shown.render(panel)
        assert "is not kept any more" in content
        assert "Full report" not in content
        assert shown.past_button(panel) == shown.button(panel)


def test_a_request_that_the_toolbar_forgot(use_toolbar: Use) -> None:
    from debug_toolbar.store import get_store

    tool = use_toolbar()
    shown = tool.get("/sync/page/", *DEAR)
    get_store().delete(shown.request_id)  # type: ignore[no-untyped-call]
    for panel in ALL:
        assert "available anymore" in shown.render(panel)
    assert shown.sidebar() == {}


@pytest.mark.parametrize("store", ["memory", "cache"])
@pytest.mark.parametrize("panel", ["CallsPanel", "FindingsPanel"])
def test_ids_that_nobody_gave(use_toolbar: Use, store: str, panel: str) -> None:
    use_toolbar(store=store)
    client = Client()
    for request_id in ("", "x", "0" * 32, "../../etc", "<b>"):
        query = {"request_id": request_id, "panel_id": panel}
        response = client.get("/__debug__/render_panel/", query)
        assert response.status_code == 200
        assert "hotpath" not in response.json()["content"]


def test_stats_that_another_version_left(use_toolbar: Use) -> None:
    """A store in the database outlives an upgrade."""
    from debug_toolbar.store import get_store

    shown = use_toolbar().get("/sync/page/", *DEAR)
    for stats in ({}, {"capture": 5}, {"summary": {}}, {"summary": 3, "problems": None}):
        for panel in ALL:
            get_store().save_panel(shown.request_id, panel, stats)  # type: ignore[no-untyped-call]
            assert shown.render(panel)
        assert set(shown.sidebar()) >= set(ALL)
        assert shown.refresh()


def test_a_large_capture_leaves_the_toolbar_small(use_toolbar: Use) -> None:
    from debug_toolbar.store import get_store

    shown = use_toolbar().get("/many/", *DEAR)
    assert shown.status == 200
    capture = shown.capture("FindingsPanel")
    assert capture.instruments["queries"]["count"] == 600
    for panel in ALL:
        stats = get_store().panel(shown.request_id, panel)  # type: ignore[no-untyped-call]
        assert len(json.dumps(stats)) < 2_000
        assert len(shown.render(panel)) < 2_000_000
    assert sum(len(entry["button"]) for entry in shown.sidebar().values()) < 50_000


# What is not captured


@pytest.mark.parametrize("ours", ["outside", "inside", "absent"])
@both()
def test_our_own_pages_and_those_of_the_toolbar_are_not_captured(
    use_toolbar: Use, ours: str, asgi: bool
) -> None:
    tool = use_toolbar(ours=ours)
    shown = tool.get("/sync/page/", *DEAR, asgi=asgi)
    capture_id = shown.capture("CallsPanel").id
    for path in (
        "/__hotpath__/",
        f"/__hotpath__/{capture_id}/",
        f"/__hotpath__/{capture_id}.json",
        "/__hotpath__/api/captures/",
        "/__hotpath__/api/requests/",
    ):
        found = tool.get(path, *DEAR, asgi=asgi)
        assert found.status == 200, path
        assert all(found.stats(panel).get("capture", "") == "" for panel in ALL)
    shown.render("CallsPanel")
    shown.sidebar()
    deferred.settle_all()
    assert [item.id for item in stores.get_store().list().items] == [capture_id]


def test_panels_push_out_nothing_that_was_asked_for(use_toolbar: Use, settings: Any) -> None:
    settings.HOTPATH = {**settings.HOTPATH, "MAX_CAPTURES": 2}
    tool = use_toolbar()
    tool.get("/sync/page/", data={"profile": "1"})
    deferred.settle_all()
    (asked,) = stores.get_store().list().items
    for _ in range(4):
        tool.get("/sync/page/")
        tool.get("/async/stream/", asgi=True)
    deferred.settle_all()
    kept = stores.get_store().list().items
    assert [item.automatic for item in kept] == [True, True, False]
    assert kept[-1].id == asked.id


# Settings that do not fit together


def test_without_our_app(use_toolbar: Use, settings: Any) -> None:
    """Panels without templates and static files of ours: the page is there all the same."""
    apps = [name for name in settings.INSTALLED_APPS if name != "django_hotpath"]
    with override_settings(INSTALLED_APPS=apps):
        shown = use_toolbar(urls="tests.panels.urls_without_hotpath").get("/sync/page/", *DEAR)
        assert (shown.status, PAGE in shown.body) == (200, True)
        for panel in ALL:
            assert shown.render(panel)
        assert set(shown.sidebar()) >= set(ALL)


def test_without_our_urls_the_panels_have_no_links(use_toolbar: Use) -> None:
    shown = use_toolbar(urls="tests.panels.urls_without_hotpath").get("/sync/page/", *DEAR)
    for panel in ALL:
        assert "Full report" not in shown.render(panel)
        assert "/__hotpath__/" not in shown.render(panel)


def test_a_panel_alone_is_enough(use_toolbar: Use) -> None:
    for path in HOTPATH_PANELS:
        name = path.rpartition(".")[2]
        shown = use_toolbar(panels=[path, HISTORY]).get("/sync/page/", name)
        assert shown.status == 200
        assert shown.stats(name)["problems"] == []
        assert shown.stats(name)["summary"] is not None


def test_the_checks_of_the_project_do_not_fail(use_toolbar: Use) -> None:
    use_toolbar()
    found = [message for message in checks.run_checks() if message.is_serious()]
    assert [message.id for message in found if str(message.id).startswith("hotpath.E")] == []


def test_an_engine_that_is_gone_is_named(use_toolbar: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    for cls in registry.engines("objects"):
        monkeypatch.setattr(cls, "available", classmethod(lambda cls: "is not installed: see here"))
    shown: Shown = use_toolbar().get("/sync/page/", "ObjectsPanel")
    assert shown.button("ObjectsPanel") == "Objects not measured"
    assert "is not installed: see here" in shown.render("ObjectsPanel")
