"""From a finding to its proof: the fix is verified in the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.driving import first_finding

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.server]

VERIFY = re.compile("^Verify$")


@pytest.fixture
def finding(page: Page) -> Locator:
    """The first finding of the slow orders, in the report that took the answer's place."""
    page.goto("/orders/slow/?profile=1")
    found = first_finding(page)
    found.get_by_role("button", name=VERIFY).wait_for()
    return found


def verify(finding: Locator) -> None:
    finding.get_by_role("button", name=VERIFY).click()
    finding.get_by_role("button", name="Replay the request").click()


def test_the_fix_of_the_slow_orders_is_confirmed(page: Page, finding: Locator) -> None:
    assert "Order.customer" in finding.get_by_role("heading").inner_text()
    verify(finding)
    verdict = finding.get_by_text("101 → 2 queries")
    verdict.wait_for()
    assert verdict.inner_text().endswith(", confirmed")
    assert finding.get_by_role("button", name="Verify again").is_visible()


def test_the_verdict_is_there_after_a_reload(page: Page, finding: Locator) -> None:
    verify(finding)
    verdict = finding.get_by_text("101 → 2 queries").inner_text()
    page.get_by_role("link", name="Permalink").click()
    page.wait_for_url("**/__hotpath__/*/")
    assert first_finding(page).get_by_text("101 → 2 queries").inner_text() == verdict
    page.reload()
    assert first_finding(page).get_by_text("101 → 2 queries").inner_text() == verdict


def test_it_says_what_it_does_before_it_does_it(page: Page, finding: Locator) -> None:
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    warning = finding.get_by_text("emails, cache writes, files and calls to other services")
    assert not warning.is_visible()
    finding.get_by_role("button", name=VERIFY).click()
    assert warning.is_visible()
    finding.get_by_role("button", name="Cancel").click()
    assert not warning.is_visible()
    assert not [url for url in asked if "verify" in url]


def test_the_keyboard_is_enough(page: Page, finding: Locator) -> None:
    def focused() -> str:
        return str(page.evaluate("document.activeElement.textContent"))

    finding.get_by_role("button", name=VERIFY).focus()
    page.keyboard.press("Enter")
    assert focused() == "Replay the request"
    page.keyboard.press("Escape")
    assert focused() == "Verify"
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    finding.get_by_text("101 → 2 queries").wait_for()
    assert focused() == "Verify again"


def test_the_page_of_a_stored_capture_verifies_too(page: Page, finding: Locator) -> None:
    page.get_by_role("link", name="Permalink").click()
    page.wait_for_url("**/__hotpath__/*/")
    verify(first_finding(page))
    first_finding(page).get_by_text("101 → 2 queries").wait_for()


def test_what_is_refused_is_said_in_place(page: Page, finding: Locator) -> None:
    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(json={"error": "The view commits by itself."})
        else:
            route.continue_()

    page.route("**/verify/", refuse)
    verify(finding)
    finding.get_by_text("Not verified The view commits by itself.").wait_for()
    page.unroute("**/verify/")
    finding.get_by_role("button", name="Try again").click()
    finding.get_by_role("button", name="Replay the request").click()
    finding.get_by_text("101 → 2 queries").wait_for()


def test_a_capture_that_is_gone_is_said_in_place(
    page: Page, finding: Locator, problems: list[str]
) -> None:
    page.route(
        "**/verify/",
        lambda route: route.continue_(url=re.sub("[0-9A-Z]{26}", "0" * 26, route.request.url)),
    )
    verify(finding)
    finding.get_by_text("It was deleted or made room").wait_for()
    assert all("404" in problem for problem in problems)
    problems.clear()


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_does_not_scroll_sideways(page: Page, finding: Locator, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    verify(finding)
    finding.get_by_text("101 → 2 queries").wait_for()
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
