"""Our panels in the debug toolbar of the running demo."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.servers import Server, environment
from tests.require import require

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.server]

PANELS = {
    "FindingsPanel": "N+1",
    "CallsPanel": "Functions with most own time",
    "SamplesPanel": "samples by",
    "LinesPanel": "def orders_slow",
    # Before 3.12 its engine does not run beside that of the lines.
    "LineMemoryPanel": "def orders_slow" if sys.version_info >= (3, 12) else "line_memory",
    "AllocationsPanel": "Still alive at the end",
    "ObjectsPanel": "shop.Customer",
}
DEAR = [name for name in PANELS if name != "FindingsPanel"]
PAGE = "/orders/slow/"
SERVERS = ["runserver", "uvicorn", "runserver strict", "uvicorn strict"]


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, demo_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The demo, also under a strict policy with a nonce."""
    require(find_spec("debug_toolbar") is not None, "needs django-debug-toolbar")
    name, _, strict = request.param.partition(" ")
    folder = tmp_path_factory.mktemp("panels")
    given = {**environment(folder), "HOTPATH_DEMO_DB": str(demo_database)}
    if strict:
        given["DJANGO_SETTINGS_MODULE"] = "tests.integration.strict_settings"
    server = Server(name, folder, given)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def opened(page: Page) -> Page:
    """A page with the toolbar open."""
    page.add_init_script("localStorage.setItem('djdt.show', 'true')")
    page.goto(PAGE)
    button(page, "FindingsPanel").wait_for()
    return page


def button(page: Page, panel: str) -> Locator:
    return page.locator(f"#djdt-{panel}")


def open_panel(page: Page, panel: str) -> Locator:
    button(page, panel).locator("a").click()
    # The theme is there once the content has begun to move into a shadow root.
    content = page.locator(f"#{panel} hotpath-panel[data-theme] .hotpath")
    content.wait_for()
    return content


def close_panel(page: Page) -> None:
    page.keyboard.press("Escape")


def switch(page: Page, panel: str) -> None:
    button(page, panel).locator("input[type=checkbox]").click()


def choose_theme(page: Page, theme: str) -> None:
    toolbar = page.locator("#djDebug")
    # It goes round: as the system has it, light, dark.
    for _ in range(3):
        if toolbar.get_attribute("data-theme") == theme:
            return
        page.locator("#djToggleThemeButton").click()
    raise AssertionError(f"the toolbar does not become {theme}")


def test_switched_on_reloaded_read_and_followed(opened: Page) -> None:
    page = opened
    for panel in DEAR:
        assert not button(page, panel).locator("input[type=checkbox]").is_checked()
        switch(page, panel)
    page.reload()
    for panel, text in PANELS.items():
        assert button(page, panel).locator("input[type=checkbox]").is_checked()
        content = open_panel(page, panel)
        content.get_by_text(text).first.wait_for()
        for theme in ("light", "dark"):
            choose_theme(page, theme)
            host = page.locator(f"#{panel} hotpath-panel[data-theme={theme}]")
            host.wait_for()
            assert_readable(panel, content)
        close_panel(page)
    content = open_panel(page, "CallsPanel")
    content.locator("canvas").first.wait_for()
    with page.expect_popup() as popup:
        content.get_by_role("link", name="Full report").click()
    report = popup.value
    report.get_by_role("region", name="Findings").wait_for()
    report.close()


def test_the_previous_load_of_a_page_is_compared(opened: Page) -> None:
    page = opened
    page.reload()
    content = open_panel(page, "FindingsPanel")
    with page.expect_popup() as popup:
        content.get_by_role("link", name="Compare with the previous load").click()
    comparison = popup.value
    comparison.get_by_role("heading", level=1).wait_for()
    comparison.close()


def test_an_older_request_of_the_history(opened: Page) -> None:
    page = opened
    first = page.locator("#djDebug").get_attribute("data-request-id")
    switch(page, "CallsPanel")
    page.goto("/orders/slow/?page=2")
    button(page, "HistoryPanel").locator("a").click()
    page.locator("#HistoryPanel .refreshHistory").click()
    row = page.locator(f"#historyMain_{first}")
    row.wait_for()
    row.locator("button.switchHistory").click()
    page.wait_for_function(
        "id => document.querySelector('#djDebugRoot').shadowRoot"
        ".querySelector('#djDebug').dataset.requestId === id",
        arg=first,
    )
    close_panel(page)
    content = open_panel(page, "FindingsPanel")
    content.get_by_text("N+1").first.wait_for()
    link = content.get_by_role("link", name="Full report").get_attribute("href") or ""
    assert page.request.get(link).status == 200


def assert_readable(panel: str, content: Locator) -> None:
    """The panel is neither white on white, nor wider than what it is in."""
    # The panel follows the toolbar's theme a moment after it has changed.
    for _ in range(30):
        ink, paper = colours(content)
        if abs(brightness(ink) - brightness(paper)) > 100:
            break
        content.page.wait_for_timeout(100)
    assert abs(brightness(ink) - brightness(paper)) > 100, (panel, ink, paper)
    over = content.evaluate("(element) => element.scrollWidth - element.clientWidth")
    assert over <= 1, panel


def colours(content: Locator) -> list[str]:
    """Of the text, and of what is behind it."""
    found: list[str] = content.evaluate(
        """(element) => {
            const style = getComputedStyle(element);
            let at = element, paper = "rgba(0, 0, 0, 0)";
            while (at && paper === "rgba(0, 0, 0, 0)") {
                paper = getComputedStyle(at).backgroundColor;
                at = at.parentElement ?? at.getRootNode().host;
            }
            return [style.color, paper];
        }"""
    )
    return found


def brightness(colour: str) -> float:
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", colour)[:3])
    if not colour.startswith("rgb"):
        # color(srgb …) and oklch give parts of 1.
        red, green, blue = red * 255, green * 255, blue * 255
    return 0.3 * red + 0.6 * green + 0.1 * blue
