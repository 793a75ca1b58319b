"""What the panels of samples, lines, memory and objects show, used by hand."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.integration.servers import Server
from tests.require import require

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.server]

SHOW = "localStorage.setItem('djdt.show', 'true')"


def opened(page: Page, url: str, *panels: str) -> Locator:
    """The content of the first of these panels, all of which are switched on."""
    require(find_spec("debug_toolbar") is not None, "needs the debug toolbar")
    cookies = [{"name": f"djdt{name}", "value": "on", "url": url} for name in panels]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.add_init_script(SHOW)
    page.goto("/orders/slow/")
    page.locator(f"#djdt-{panels[0]} a").click()
    content = page.locator(f"#{panels[0]} hotpath-panel")
    mounted(page, panels[0])
    return content


def mounted(page: Page, panel: str) -> None:
    """Waits until the content has its style sheets: before, it stands in the page as it came."""
    page.wait_for_function(
        """(panel) => document.querySelector("#djDebugRoot").shadowRoot
            .querySelector(`#${panel} hotpath-panel`)?.shadowRoot?.querySelector(".hotpath")""",
        arg=panel,
    )


def test_samples_are_a_flame_graph_and_a_table(page: Page, server: Server) -> None:
    content = opened(page, server.url, "SamplesPanel")
    content.locator("canvas.flame-canvas").wait_for()
    assert content.get_by_role("heading", name="Functions with most own time").is_visible()
    assert content.get_by_role("columnheader", name="Own, ms").is_visible()


def test_allocations_are_by_line_or_by_file(page: Page, server: Server) -> None:
    content = opened(page, server.url, "AllocationsPanel")
    content.get_by_role("button", name="By file").click()
    assert content.get_by_role("heading", name="By file").is_visible()
    assert not content.get_by_role("heading", name="By line").is_visible()


def test_objects_are_sorted_by_a_header(page: Page, server: Server) -> None:
    content = opened(page, server.url, "ObjectsPanel")
    models = content.locator("table.objects").first
    models.get_by_role("button", name="Model").click()
    names = models.locator("tbody td.fn").all_inner_texts()
    assert names == sorted(names)
    assert len(names) > 1


@pytest.mark.parametrize("panel", ["LinesPanel", "LineMemoryPanel"])
def test_the_line_that_costs_most_is_the_darkest(page: Page, server: Server, panel: str) -> None:
    content = opened(page, server.url, panel)
    assert "order.customer.name" in content.locator("tr.hot").first.inner_text()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="their engines do not run together there")
def test_a_panel_says_what_another_one_did_to_it(page: Page, server: Server) -> None:
    content = opened(page, server.url, "LinesPanel", "LineMemoryPanel")
    assert "Line memory was on too" in content.locator(".notice").inner_text()


def test_in_a_narrow_window_a_panel_lies_above_the_side_bar(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    opened(page, server.url, "LinesPanel")
    page.wait_for_function(
        """(panel) => document.querySelector("#djDebugRoot").shadowRoot
            .querySelector(`#${panel} hotpath-panel`).getBoundingClientRect().width > 340""",
        arg="LinesPanel",
    )
    page.set_viewport_size({"width": 1280, "height": 800})
    bar = page.locator("#djDebugToolbar").bounding_box()
    assert bar is not None
    page.wait_for_function(
        """([panel, left]) => document.querySelector("#djDebugRoot").shadowRoot
            .getElementById(panel).getBoundingClientRect().right <= left + 1""",
        arg=["LinesPanel", bar["x"]],
    )


@pytest.mark.parametrize("width", [400, 941, 1280])
def test_no_panel_scrolls_sideways(page: Page, server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    names = ("SamplesPanel", "AllocationsPanel", "ObjectsPanel", "LinesPanel", "LineMemoryPanel")
    opened(page, server.url, *names)
    for name in names:
        if name != names[0]:
            page.locator(f"#djdt-{name} a").click()
            mounted(page, name)
        scroll = page.locator(f"#{name} .djdt-scroll")
        assert scroll.evaluate("place => place.scrollWidth - place.clientWidth") <= 0, name
        page.locator(f"#{name} button.djDebugClose").click()
