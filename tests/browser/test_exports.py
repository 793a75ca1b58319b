"""The report as one file, opened from a disk without a network; and the downloads of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from django_hotpath import exporters
from tests.browser.driving import PATIENCE
from tests.exporters import captures
from tests.exporters.test_chrome import everything

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """No error, no request of anything but files, no violation of the page's own policy."""
    problems: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_offline(True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(f"page error: {error}"))
    page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith("data:") or request.is_navigation_request()
            else problems.append(request.url[:200])
        ),
    )
    yield page
    context.close()
    assert problems == []


@pytest.mark.parametrize("name", ["everything", "hostile"])
def test_the_report_opens_from_a_disk_and_its_tabs_work(
    offline: Page, tmp_path: Path, name: str
) -> None:
    capture = {"everything": everything, "hostile": captures.hostile}[name]()
    file = tmp_path / "report.html"
    file.write_bytes(capture.export("report"))
    offline.goto(file.as_uri())
    offline.wait_for_selector("html.ready")
    tabs = offline.get_by_role("tab").all()
    assert len(tabs) > 4
    for tab in tabs:
        tab.click()
        assert tab.get_attribute("aria-selected") == "true"
    assert offline.get_by_text("This is a copy in one file").is_visible()
    assert offline.locator("img").count() == 0


def test_each_format_is_downloaded_from_the_page(page: Page, tmp_path: Path) -> None:
    page.goto("/orders/slow/?profile=1")
    page.wait_for_selector("html.ready")
    links = page.locator("a[href*='/export/']")
    found = {str(link.get_attribute("href")).split("/")[-2]: link for link in links.all()}
    assert set(found) == set(exporters.names())
    menu = page.locator("details.menu").filter(has=links.first)
    menu.locator("summary").click()
    for name, link in found.items():
        with page.expect_download() as started:
            link.click()
        file = tmp_path / name
        started.value.save_as(file)
        assert started.value.suggested_filename.endswith(exporters.get(name).suffix)
        assert file.stat().st_size > 100
        if not menu.evaluate("(node) => node.open"):
            menu.locator("summary").click()
