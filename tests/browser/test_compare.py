"""From a report to a comparison: runs, a baseline, and the page that compares two sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.axe import violations
from tests.browser.driving import PATIENCE
from tests.integration.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.server]

ID = re.compile(r"[0-9A-Z]{26}")


def runs(page: Page) -> Locator:
    return page.get_by_role("region", name="Run it again")


def repeat(page: Page, number: int = 5) -> None:
    """Runs the request of the report; five are the fewest that tell something of time."""
    runs(page).locator("select.number").select_option(str(number))
    runs(page).get_by_role("button", name=re.compile(f"^Run it {number} times")).click()
    runs(page).get_by_role("status").first.get_by_text(f"{number} runs: median").wait_for()


def make(page: Page, path: str, number: int = 5) -> list[str]:
    """Ids of captures of the page, made without the report."""
    found = []
    for _ in range(number):
        answer = page.request.get(path, headers={"Hotpath-Profile": "1"})
        match = ID.search(answer.headers["hotpath-capture"])
        assert match is not None
        found.append(match[0])
    return found


@pytest.fixture
def compared(page: Page) -> Page:
    """Slow orders against fast ones, five runs each."""
    a, b = make(page, "/orders/slow/"), make(page, "/orders/fast/")
    page.goto(f"/__hotpath__/compare/?a={','.join(a)}&b={','.join(b)}")
    page.locator(".flame canvas").first.wait_for()
    return page


def test_the_verdict_comes_first(compared: Page) -> None:
    assert "queries 101 → 1" in compared.locator(".outcome").inner_text()


def test_what_changed_is_named(compared: Page) -> None:
    findings = compared.get_by_role("region", name="Findings")
    assert "Order.customer" in findings.locator("li.fixed").inner_text()
    queries = compared.get_by_role("region", name="Queries")
    assert queries.get_by_text("vanished").count() == 2
    assert queries.get_by_text("appeared").count() == 1


def test_the_sets_are_swapped(compared: Page) -> None:
    compared.get_by_role("link", name="Swap A and B").click()
    compared.get_by_text("queries 1 → 101").first.wait_for()
    compared.locator("html.ready").wait_for()


def test_a_run_leads_to_its_report_and_a_finding_to_its_place(compared: Page) -> None:
    compared.get_by_role("link", name="in A").click()
    # Beside it there may be others, of what was slow in that run only.
    compared.wait_for_url(re.compile(r"/__hotpath__/[0-9A-Z]{26}/#finding-\d+$"))
    compared.locator("html.ready").wait_for()
    assert "Order.customer" in compared.locator(f"#{compared.url.partition('#')[2]}").inner_text()


def test_functions_are_sorted_by_their_headers(compared: Page) -> None:
    table = compared.locator(".changed-functions")
    table.get_by_role("button", name="B, calls").click()
    calls = [
        int(re.sub(r"\D", "", text))
        for text in table.locator('td[data-label="B, calls"]').all_inner_texts()
    ]
    assert calls == sorted(calls, reverse=True)


def test_the_markdown_is_copied(compared: Page) -> None:
    compared.context.grant_permissions(["clipboard-read", "clipboard-write"])
    section = compared.get_by_role("region", name="For the pull request")
    section.get_by_role("button", name="Copy").click()
    section.get_by_role("button", name="Copied").wait_for()
    text = compared.evaluate("() => navigator.clipboard.readText()")
    assert "| Queries | 101 | 1 |" in text


@pytest.fixture(params=[("light", 1280), ("dark", 400)], ids=["light-1280", "dark-400"])
def any_page(
    request: pytest.FixtureRequest, browser: Browser, server: Server
) -> Iterator[tuple[Page, int]]:
    """axe is no script of ours, so the policy is left out here."""
    scheme, width = request.param
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page(), width
    context.close()


def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    any_page: tuple[Page, int],
) -> None:
    page, width = any_page
    a, b = make(page, "/orders/slow/"), make(page, "/orders/fast/")
    for url in (f"?a={','.join(a)}&b={','.join(b)}", f"?a={','.join(a)}", "?"):
        page.goto(f"/__hotpath__/compare/{url}")
        page.locator("html.ready").wait_for()
        assert violations(page) == [], url
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, url


def test_counts_that_differ_among_the_runs_have_room_on_a_phone(compared: Page) -> None:
    compared.set_viewport_size({"width": 400, "height": 900})
    compared.evaluate(
        "document.querySelectorAll('.counts tbody .n').forEach("
        " (cell) => (cell.textContent = '54\u202f682 to 54\u202f684'))"
    )
    assert compared.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_request_is_run_again_and_compared_with_its_baseline(page: Page) -> None:
    page.goto("/orders/slow/?profile=1")
    repeat(page)
    runs(page).get_by_role("button", name="Make this the baseline").click()
    runs(page).get_by_role("button", name="This is the baseline").wait_for()
    page.goto("/orders/slow/?profile=1")
    assert "Baseline: 5 runs, median" in runs(page).inner_text()
    repeat(page)
    runs(page).get_by_role("link", name="Compare with the baseline").click()
    page.wait_for_url("**/compare/?a=*&b=*")
    assert "5 runs each" in page.locator(".outcome").inner_text()
    assert "queries 101 as before" in page.locator(".outcome").inner_text()


def test_a_baseline_is_forgotten(page: Page) -> None:
    page.goto("/orders/fast/?profile=1")
    repeat(page)
    runs(page).get_by_role("button", name="Make this the baseline").click()
    page.reload()
    runs(page).get_by_role("button", name="Forget it").click()
    assert runs(page).get_by_role("button", name="Run it 10 times", exact=True).is_visible()
    page.reload()
    assert "Baseline" not in runs(page).inner_text()


def test_earlier_runs_can_be_chosen(page: Page) -> None:
    earlier = make(page, "/orders/fast/")
    page.wait_for_timeout(6_000)
    page.goto("/orders/fast/?profile=1")
    repeat(page)
    choice = runs(page).get_by_label("Earlier runs")
    option = choice.locator(f'option[value*="{earlier[0]}"]')
    option.wait_for(state="attached")
    choice.select_option(option.get_attribute("value"))
    runs(page).get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url("**/compare/?a=*&b=*")
    assert earlier[0] in page.url


def test_runs_by_keyboard_and_cancelled(page: Page) -> None:
    page.goto("/orders/slow/?profile=1")
    runs(page).locator("select.number").select_option("30")
    runs(page).get_by_role("button", name="Run it 30 times").focus()
    page.keyboard.press("Enter")
    runs(page).get_by_role("button", name="Cancel").press("Enter")
    runs(page).get_by_text("Cancelled.").wait_for()


def test_a_page_that_cannot_be_measured_any_more_says_why(page: Page, problems: list[str]) -> None:
    page.goto("/orders/slow/?profile=1")

    def refuse(route: Route) -> None:
        route.fulfill(status=200, headers={"Hotpath-Refused": "no such engine"}, body="x")

    page.route("**/orders/slow/", refuse)
    runs(page).get_by_role("button", name="Run it 10 times").click()
    runs(page).get_by_text("It was not measured: no such engine").wait_for()


def test_more_runs_of_b_are_added(compared: Page) -> None:
    runs(compared).locator("select.number").select_option("5")
    runs(compared).get_by_role("button", name="Run B 5 more times").click()
    compared.get_by_text("5 and 10 runs").first.wait_for()


def test_one_set_offers_others(page: Page) -> None:
    [one] = make(page, "/orders/slow/", 1)
    page.goto(f"/__hotpath__/{one}/")
    page.locator("html.ready").wait_for()
    page.get_by_role("link", name="Compare…").click()
    page.get_by_role("heading", name="With which other runs of this route?").wait_for()
    page.locator("html.ready").wait_for()
