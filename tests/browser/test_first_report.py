"""From the demo's index to the first finding, as somebody goes who has never seen a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.driving import first_finding, wait_for_memory
from tests.integration.servers import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.server]

ORM = ROOT / "demo_project" / "examples" / "families" / "orm.py"


@pytest.fixture
def report(page: Page) -> Page:
    """The report of the slow orders, its memory section filled."""
    page.goto("/orders/slow/?profile=1")
    wait_for_memory(page)
    return page


def test_the_index_leads_to_the_report_of_the_slow_orders(page: Page) -> None:
    page.goto("/")
    example = page.get_by_role("article", name="A query for every row", exact=True)
    example.get_by_role("link", name="Profile slow").click()
    page.wait_for_url("**/orders/slow/?profile=1")
    page.get_by_role("heading", name="Findings").wait_for()
    wait_for_memory(page)


def test_the_first_finding_is_the_n_plus_one_with_its_count(report: Page) -> None:
    found = first_finding(report)
    found.get_by_text("N+1, 100 times").wait_for()
    assert re.search(r"\b100\b", found.get_by_role("heading").inner_text())


def test_the_finding_is_in_sight_without_scrolling(report: Page) -> None:
    box = first_finding(report).get_by_role("heading").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900


def test_the_first_finding_names_the_line_that_asks(report: Page) -> None:
    place = re.search(r"examples/families/orm\.py:(\d+)", first_finding(report).inner_text())
    assert place is not None
    line = ORM.read_text("utf-8").splitlines()[int(place[1]) - 1]
    assert "order.customer.name" in line


def test_the_queries_of_the_finding_can_be_opened(report: Page) -> None:
    first_finding(report).get_by_role("link", name=re.compile("100 queries")).click()
    group = report.get_by_role("table").get_by_role("group").first
    statement = group.locator("pre").first
    statement.wait_for(state="visible")
    assert re.search(r'FROM\s+"shop_customer"', statement.inner_text())
    assert "examples/families/orm.py" in group.inner_text()


def test_the_fast_twin_has_no_finding(page: Page) -> None:
    page.goto("/orders/fast/?profile=1")
    findings = page.get_by_role("region", name="Findings")
    findings.get_by_text("No finding.").wait_for()
    assert findings.locator("details").count() == 0
    wait_for_memory(page)


def test_the_memory_section_fills_by_itself(page: Page) -> None:
    with page.expect_response(re.compile(r"profile=memory")) as second_run:
        page.goto("/orders/slow/?profile=1")
    assert second_run.value.headers["hotpath-capture"]
    wait_for_memory(page)
    assert page.get_by_text("Measuring: the page runs").count() == 0


def test_a_stored_report_shows_the_same_finding(report: Page) -> None:
    title = first_finding(report).get_by_role("heading").inner_text()
    report.get_by_role("link", name="All captures").click()
    report.get_by_role("heading", name="History").wait_for()
    report.get_by_role("link", name="GET /orders/slow/", exact=True).last.click()
    assert first_finding(report).get_by_role("heading").inner_text() == title
    report.wait_for_load_state("networkidle")


@pytest.mark.parametrize("path", ["/orders/slow/?profile=1", "/orders/fast/?profile=1"])
def test_a_narrow_report_does_not_scroll_sideways(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(path)
    wait_for_memory(page)
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
