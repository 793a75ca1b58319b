"""From a slow query to the index that it lacks, tried in the database, as somebody goes by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.integration.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture
def statement(page: Page) -> Locator:
    """The query of the deliveries, unfolded in its report."""
    page.goto("/deliveries/slow/?profile=queries")
    page.locator("#tab-queries").click()
    found = page.locator("#groups-table details").first
    found.locator("summary").first.click()
    return found


def test_the_plan_goes_from_scan_to_search_by_its_own_advice(
    page: Page, statement: Locator
) -> None:
    statement.get_by_role("button", name="Explain", exact=True).click()
    statement.get_by_text("SCAN shop_delivery").first.wait_for()
    assert "Reads all of shop_delivery (20,000 rows)" in statement.inner_text()
    assert 'fields=["status", "-created_at"]' in statement.locator("pre.code").first.inner_text()
    statement.get_by_role("button", name="Try this index").first.click()
    statement.get_by_text("SCAN → SEARCH").wait_for()
    statement.get_by_text("The plan with it").click()
    assert "SEARCH shop_delivery USING INDEX" in statement.locator(".trial").inner_text()
    # Of the report itself, in place of the page, the findings were made before.
    page.get_by_role("link", name="Load the report again").click()
    findings = page.get_by_role("region", name="Findings")
    findings.get_by_text("Reads all of shop_delivery").first.wait_for()
    # Folded up where the database was quick all the same.
    assert "confirmed" in (findings.text_content() or "")


def test_the_database_is_the_same_afterwards(
    statement: Locator, page: Page, demo_database: object
) -> None:
    def schema() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(f"file:{demo_database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()

    before = schema()
    statement.get_by_role("button", name="Explain", exact=True).click()
    statement.get_by_role("button", name="Try this index").first.click()
    statement.get_by_text("SCAN → SEARCH").wait_for()
    assert schema() == before


def test_a_plan_is_shown_again_when_the_report_is_opened_later(
    page: Page, statement: Locator
) -> None:
    statement.get_by_role("checkbox", name="with ANALYZE").check()
    statement.get_by_role("button", name="Explain", exact=True).click()
    page.get_by_role("link", name="Load the report again").click()
    page.locator("#tab-queries").click()
    later = page.locator("#groups-table details").first
    later.locator("summary").first.click()
    later.get_by_text("SCAN shop_delivery").first.wait_for()
    assert "it ran in" in later.inner_text()


def test_the_keyboard_is_enough(page: Page, statement: Locator) -> None:
    button = statement.get_by_role("button", name="Explain", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    again = statement.get_by_role("button", name="Explain again")
    again.wait_for()
    assert again.evaluate("(element) => element === document.activeElement")


def test_without_scripts_there_is_a_page(server: Server, browser: Browser) -> None:
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/deliveries/slow/?profile=queries")
    page.locator("#groups-table details summary").first.click()
    page.get_by_role("link", name="Explain", exact=True).click()
    page.get_by_role("button", name="Explain", exact=True).click()
    page.get_by_text("SCAN shop_delivery").first.wait_for()
    page.get_by_role("button", name="Try this index").first.click()
    page.get_by_text("SCAN → SEARCH").wait_for()
    context.close()


def test_a_narrow_plan_does_not_scroll_sideways(page: Page, statement: Locator) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    statement.get_by_role("button", name="Explain", exact=True).click()
    statement.get_by_role("button", name="Try this index").first.wait_for()
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
