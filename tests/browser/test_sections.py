"""Caches, templates, lines, memory and the raw capture, as somebody reads them in a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_tables import stored
from tests.integration.servers import Server
from tests.report.samples import (
    HOSTILE,
    SITE,
    allocations,
    calls,
    capture,
    function,
    hostile_capture,
    instruments,
    line_memory,
    lines,
    queries,
    query,
    templates,
    timed_function,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.server]

OPERATIONS = 3_000


def caches() -> dict[str, Any]:
    operations = [
        {
            "index": i,
            "alias": "default",
            "backend": "LocMemCache",
            "operation": "get",
            "keys": [f"book:{i}"],
            "key_count": 1,
            "hits": int(i % 3 > 0),
            "misses": int(i % 3 == 0),
            "start_ms": float(i),
            "duration_ms": 0.25,
            "call_site": SITE,
        }
        for i in range(OPERATIONS)
    ]
    return {
        "count": OPERATIONS,
        "total_ms": OPERATIONS / 4,
        "hits": OPERATIONS * 2 // 3,
        "misses": OPERATIONS // 3,
        "truncated": 0,
        "operations": operations,
    }


def opened(page: Page, server: Server, tab: str, **measured: Any) -> Page:
    page.goto(f"{stored(server, capture(instruments=measured))}#{tab}")
    page.locator("html.ready").wait_for()
    return page


class TestCaches:
    def test_all_operations_can_be_scrolled_to(self, page: Page, server: Server) -> None:
        opened(page, server, "cache", cache=caches())
        rows = page.locator("#cache-table > tbody > tr[data-key]")
        assert rows.count() < 100
        rows.first.focus()
        page.keyboard.press("End")
        last = page.locator("#cache-table > tbody > tr:focus")
        last.wait_for()
        assert f"book:{OPERATIONS - 1}" in last.inner_text()

    def test_those_with_misses_can_be_shown_alone(self, page: Page, server: Server) -> None:
        opened(page, server, "cache", cache=caches())
        page.get_by_label("with misses").check()
        page.get_by_text("1\u202f000 operations, of 3\u202f000 in all").wait_for()
        assert "missed=1" in page.url

    def test_none_says_what_is_seen(self, page: Page, server: Server) -> None:
        nothing = {"count": 0, "total_ms": 0.0, "hits": 0, "misses": 0, "operations": []}
        opened(page, server, "cache", cache=nothing)
        page.get_by_text("No cache was used.").wait_for()


class TestLayers:
    def test_statements_give_way_to_another_layer(self, page: Page, server: Server) -> None:
        rows = (function("view"), function("x", kind="sql", file="", line=0, package=""))
        opened(page, server, "queries", calls=calls(*rows), queries=queries(query(0)))
        page.locator('.legend [data-choose-layer="project"]').first.click()
        told = page.get_by_text("Statements are not part of the layer that is chosen above.")
        told.wait_for()
        page.locator("#queries").get_by_role("button", name="Show all layers").click()
        told.wait_for(state="hidden")
        assert page.locator("#groups-table").is_visible()


class TestLines:
    def test_the_list_leads_to_the_source(self, page: Page, server: Server) -> None:
        functions = [timed_function(function=f"step_{i}", total_ms=20.0 - i) for i in range(9)]
        opened(page, server, "lines", lines=lines(*functions))
        source = page.locator("#lines-8 table")
        assert not source.is_visible()
        page.get_by_role("navigation", name="Functions measured").get_by_role(
            "link", name="step_8"
        ).click()
        source.wait_for(state="visible")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_the_hottest_line_can_be_read(self, page: Page, server: Server, scheme: Any) -> None:
        page.emulate_media(color_scheme=scheme)
        opened(page, server, "lines", lines=lines())
        ratio = page.evaluate(
            """() => {
              const cell = document.querySelector("tr.heat-5 td.code");
              const light = (text) => {
                const parts = text.match(/[\\d.]+/g).slice(0, 3).map((part) => {
                  const value = part / 255;
                  return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
              };
              const style = getComputedStyle(cell);
              const both = [light(style.color), light(style.backgroundColor)].sort((a, b) => b - a);
              return (both[0] + 0.05) / (both[1] + 0.05);
            }"""
        )
        assert ratio >= 4.5


class TestMemory:
    def test_allocations_are_shown_by_line_or_by_file(self, page: Page, server: Server) -> None:
        opened(page, server, "memory", allocations=allocations(), line_memory=line_memory())
        page.get_by_role("button", name="By file").click()
        assert page.get_by_role("heading", name="By file").is_visible()
        assert not page.get_by_role("heading", name="By line").is_visible()


class TestRaw:
    @pytest.fixture
    def raw(self, page: Page, server: Server) -> Page:
        opened(page, server, "raw", cache=caches())
        page.locator("[data-raw]").get_by_role("button", name="Show it here").click()
        page.locator(".json").wait_for()
        return page

    def test_the_tree_unfolds_step_by_step(self, raw: Page) -> None:
        for name in ("instruments", "cache", "operations"):
            raw.locator(f'.json li[data-key="{name}"] > details > summary').last.click()
        entries = raw.locator('.json li[data-key="operations"] > details > ul > li')
        entries.first.wait_for()
        assert entries.count() == 100
        raw.get_by_role("button", name="100 more of 2\u202f900").click()
        assert entries.count() == 200

    def test_what_is_searched_is_unfolded(self, raw: Page) -> None:
        raw.locator("[data-raw] input").fill("book:2999")
        raw.get_by_text("1 place").wait_for()
        raw.get_by_role("button", name="instruments.cache.operations[2999].keys[0]").click()
        assert "book:2999" in raw.evaluate("document.activeElement.textContent")

    def test_the_json_is_copied_whole(self, raw: Page) -> None:
        raw.context.grant_permissions(["clipboard-read", "clipboard-write"])
        raw.get_by_role("button", name="Copy the JSON").click()
        raw.get_by_text("Copied").wait_for()
        copied = json.loads(raw.evaluate("navigator.clipboard.readText()"))
        assert len(copied["instruments"]["cache"]["operations"]) == OPERATIONS


class TestHostileText:
    @pytest.mark.parametrize("tab", ["calls", "queries", "cache", "templates", "lines", "raw"])
    def test_is_text_in_every_tab(self, page: Page, server: Server, tab: str) -> None:
        page.goto(f"{stored(server, hostile_capture())}#{tab}")
        page.locator("html.ready").wait_for()
        for summary in page.locator(f"#{tab} summary:visible").all()[:3]:
            summary.click()
        if tab == "raw":
            page.get_by_role("button", name="Show it here").click()
            page.locator(".json").wait_for()
            page.locator("[data-raw] input").fill("onerror")
            page.locator("ul.hits li").first.wait_for()
        else:
            assert HOSTILE[:30] in page.locator(f"#{tab}").inner_text()
        assert page.locator("img").count() == 0


@pytest.mark.parametrize(
    "tab", ["calls", "queries", "cache", "templates", "lines", "memory", "objects", "gc", "raw"]
)
def test_no_tab_scrolls_sideways_at_400_pixels(page: Page, server: Server, tab: str) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    opened(page, server, tab, **{**instruments(), "templates": templates("a/" * 60 + "b.html")})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = f"[...document.querySelectorAll('#{tab} .virtual')].filter((box) => box.offsetParent)"
    assert page.evaluate(f"{boxes}.every((box) => box.scrollWidth <= box.clientWidth)")
