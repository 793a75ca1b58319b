"""All panels of a request share one recorder and give one capture."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from django_hotpath import deferred, stores
from tests.panels.toolbar import DEAR, HISTORY, PROFILING, SQL, Toolbar, cases
from tests.panels.urls import ASYNC, GROUPS, SYNC

Use = Callable[..., Toolbar]

# A sync iterator under ASGI and the other way round: Django says so, and does it.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")

PAGES = [*(f"/sync/{name}/" for name in SYNC), *(f"/async/{name}/" for name in ASYNC)]
TWO = ("FindingsPanel", "CallsPanel")
HERE = "django_hotpath.panels"


@pytest.mark.parametrize(("path", "asgi", "store"), cases(PAGES))
def test_every_kind_of_answer_is_measured(
    use_toolbar: Use, path: str, asgi: bool, store: str
) -> None:
    shown = use_toolbar(store=store).get(path, "CallsPanel", asgi=asgi)
    for panel in TWO:
        stats = shown.stats(panel)
        assert stats["problems"] == []
        assert stats["summary"] is not None
        assert "This panel cannot" not in shown.render(panel)
    assert shown.stats("FindingsPanel")["summary"]["queries"] == GROUPS
    assert shown.capture("FindingsPanel").request.path == path  # type: ignore[union-attr]
    assert shown.past_button("FindingsPanel").startswith("Findings")
    assert shown.request_id in shown.refresh()


def test_one_request_is_one_capture(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/sync/page/", *DEAR)
    ids = {shown.stats(panel)["capture"] for panel in (*TWO, *DEAR)}
    assert len(ids) == 1
    assert stores.get_store().list().total == 1


def test_only_what_is_switched_on_is_measured(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/sync/page/", "SamplesPanel")
    assert set(shown.capture("SamplesPanel").instruments) == {"queries", "samples"}
    assert shown.stats("CallsPanel") == {}


def test_without_any_panel_nothing_is_kept(use_toolbar: Use) -> None:
    shown = use_toolbar().get("/sync/page/", off=["FindingsPanel"])
    assert shown.status == 200
    assert stores.get_store().list().total == 0


@pytest.mark.parametrize("ours", ["outside", "inside", "absent"])
def test_our_middleware_may_stand_anywhere(use_toolbar: Use, ours: str) -> None:
    shown = use_toolbar(ours=ours).get("/sync/page/", "CallsPanel")
    assert shown.button("FindingsPanel").startswith("Findings ⚠ N+1, 1 finding")
    assert "calls in" in shown.button("CallsPanel")


@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
def test_a_profiled_request_has_no_panels(use_toolbar: Use, asgi: bool) -> None:
    shown = use_toolbar().get("/sync/page/", "CallsPanel", asgi=asgi, data={"profile": "1"})
    assert "djdt-request-id" not in shown.response.headers
    assert shown.request_id == ""
    capture = stores.get_store().list().items[0]
    assert "calls" in capture.instruments
    assert stores.get_store().list().total == 1


@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
def test_inside_the_toolbar_the_profile_is_the_only_capture(use_toolbar: Use, asgi: bool) -> None:
    shown = use_toolbar(ours="inside").get(
        "/sync/page/", "CallsPanel", asgi=asgi, data={"profile": "calls,queries"}
    )
    deferred.settle_all()
    capture = stores.get_store().list().items[0]
    assert stores.get_store().list().total == 1
    assert shown.stats("CallsPanel")["capture"] == capture.id
    assert "was profiled by its query parameter" in shown.render("CallsPanel")
    assert "Functions with most own time" in shown.render("CallsPanel")


def test_the_report_in_place_of_the_answer_has_no_toolbar(use_toolbar: Use) -> None:
    tool = use_toolbar(ours="inside")
    shown = tool.get("/sync/page/", data={"profile": "1"}, accept="text/html")
    assert "djDebug" not in shown.body
    assert "hotpath" in shown.body


def test_a_page_that_does_not_exist_stays_one(use_toolbar: Use) -> None:
    tool = use_toolbar()
    assert tool.get("/nowhere/", "CallsPanel").status == 404
    assert tool.get("/nowhere/", "CallsPanel", data={"profile": "1"}).status == 404


@pytest.mark.parametrize(
    "others",
    [[PROFILING], [SQL], [PROFILING, SQL]],
    ids=["profiling", "sql", "both"],
)
@pytest.mark.parametrize("first", [True, False], ids=["ours first", "ours last"])
def test_beside_panels_of_the_toolbar(use_toolbar: Use, others: list[str], first: bool) -> None:
    ours = [f"{HERE}.findings.FindingsPanel", f"{HERE}.calls.CallsPanel"]
    panels = [*ours, *others, HISTORY] if first else [*others, *ours, HISTORY]
    tool = use_toolbar(panels=panels)
    for _ in range(2):
        shown = tool.get("/sync/page/", "CallsPanel", "ProfilingPanel", "SQLPanel")
        assert shown.status == 200
        if sys.version_info < (3, 12) and PROFILING in others and not first:
            # cProfile and the tracer want the same hook of the interpreter there.
            assert shown.stats("CallsPanel")["problems"]
        else:
            assert shown.stats("CallsPanel")["summary"]["calls"] > 0
        assert shown.stats("FindingsPanel")["summary"]["count"] == 1


@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("path", ["/sync/stream/", "/async/stream/"])
def test_a_stream_is_shown_when_it_has_ended(use_toolbar: Use, path: str, asgi: bool) -> None:
    tool = use_toolbar()
    seen: list[Any] = []

    def look(response: Any) -> None:
        from debug_toolbar.store import get_store

        request_id = response.headers["djdt-request-id"]
        seen.append(get_store().panel(request_id, "FindingsPanel"))

    shown = tool.get(path, asgi=asgi, meanwhile=look)
    assert seen[0]["streaming"]
    assert seen[0]["summary"] is None
    assert not shown.stats("FindingsPanel")["streaming"]
    assert shown.stats("FindingsPanel")["summary"]["queries"] == GROUPS
    assert "1 finding" in shown.past_button("FindingsPanel")


def test_the_answer_is_the_same(use_toolbar: Use) -> None:
    tool = use_toolbar()
    for path in ("/sync/json/", "/async/json/", "/sync/stream/"):
        with_panels = tool.get(path, *DEAR)
        without = tool.get(path, off=["FindingsPanel"])
        assert with_panels.body == without.body
        assert with_panels.status == without.status


def test_a_view_that_raises_goes_on_raising(use_toolbar: Use) -> None:
    from tests.views import Broken

    with pytest.raises(Broken):
        use_toolbar().get("/sync/broken/", "CallsPanel", raises=True)


def test_the_history_has_one_line_for_the_request(use_toolbar: Use) -> None:
    from django_hotpath import summaries

    use_toolbar().get("/sync/page/")
    summaries.flush()
    assert stores.get_store().summaries().total == 1


def test_the_slow_log_counts_the_queries(
    use_toolbar: Use, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.HOTPATH = {**settings.HOTPATH, "SLOW_REQUEST_MS": 0}
    use_toolbar().get("/sync/page/")
    assert f"with {GROUPS} queries" in caplog.text
