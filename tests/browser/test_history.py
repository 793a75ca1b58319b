"""The history in a browser: what comes by itself, filters, routes, choosing what to compare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from django_hotpath.stores.sqlite import SQLiteStore
from tests.integration.servers import FETCH, Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.server]

# The panel that is always on captures what it sees.
PLAIN = {**FETCH, "Cookie": "djdtFindingsPanel=off"}

HISTORY = "/__hotpath__/"
ROWS = "table.history tbody tr"


@pytest.fixture(autouse=True)
def _empty(server: Server) -> None:
    """The servers of all tests share one store."""
    server.get(HISTORY)
    SQLiteStore(path=server.environment["HOTPATH_TEST_STORE"]).clear()


@pytest.fixture
def history(page: Page, server: Server) -> Page:
    """The history of a demo that was visited a little."""
    for path in ("/orders/fast/", "/orders/slow/", "/"):
        server.get(path, PLAIN)
    page.goto(HISTORY)
    page.locator("html.ready").wait_for()
    return page


def row(page: Page, text: str) -> str:
    return f"{ROWS}:has(.where:text-is('{text}'))"


def captured(server: Server, path: str, number: int) -> None:
    for _ in range(number):
        assert server.get(f"{path}?profile=sql", PLAIN).headers["Hotpath-Capture"]


def test_a_request_appears_without_a_reload(history: Page, server: Server) -> None:
    history.evaluate("window.mine = 1")
    server.get("/values/fast/", PLAIN)
    history.locator(row(history, "/values/fast/")).wait_for()
    assert history.evaluate("window.mine") == 1
    first = history.locator(ROWS).first
    assert "/values/fast/" in first.inner_text()
    assert re.search(r"\d\d:\d\d:\d\d", first.inner_text())


def test_a_capture_appears_with_its_report(history: Page, server: Server) -> None:
    captured(server, "/orders/slow/", 1)
    report = history.locator(ROWS).first.get_by_role("link", name="Report")
    report.click()
    history.get_by_role("heading", name="Findings").wait_for()


def test_what_is_new_is_told_to_screen_readers(history: Page, server: Server) -> None:
    server.get("/values/fast/", PLAIN)
    history.get_by_text("1 new request, the latest GET /values/fast/").wait_for(state="attached")


def test_what_somebody_reads_stays_where_it_is(history: Page, server: Server) -> None:
    history.locator(ROWS).last.get_by_role("link", name="Profile it").focus()
    before = history.locator(ROWS).count()
    server.get("/values/fast/", PLAIN)
    button = history.get_by_role("button", name="1 new request")
    button.wait_for()
    assert history.locator(ROWS).count() == before
    button.click()
    assert "/values/fast/" in history.locator(ROWS).first.inner_text()
    assert not button.is_visible()


def test_live_can_be_switched_off_and_stays_off(history: Page, server: Server) -> None:
    history.get_by_role("switch", name="Live").uncheck()
    history.get_by_text("off", exact=True).wait_for()
    server.get("/values/fast/", PLAIN)
    history.reload()
    history.locator("html.ready").wait_for()
    assert not history.get_by_role("switch", name="Live").is_checked()
    count = history.locator(ROWS).count()
    server.get("/values/slow/", PLAIN)
    history.wait_for_timeout(2500)
    assert history.locator(ROWS).count() == count


def test_a_server_that_does_not_answer_is_asked_again_later(
    history: Page, server: Server, problems: list[str]
) -> None:
    history.route("**/recent/**", lambda route: route.fulfill(status=503, body=""))
    history.get_by_text(re.compile("no answer, again in")).wait_for()
    history.unroute("**/recent/**")
    server.get("/values/fast/", PLAIN)
    history.locator(row(history, "/values/fast/")).wait_for()
    problems[:] = [text for text in problems if "503" not in text]


def test_a_filtered_list_takes_only_what_matches(history: Page, server: Server) -> None:
    history.get_by_label("Path").fill("values")
    history.get_by_role("button", name="Filter").click()
    history.get_by_text("Nothing matches").wait_for()
    assert parse_qs(urlsplit(history.url).query)["path"] == ["values"]


def test_filters_are_in_the_address(history: Page) -> None:
    history.get_by_label("Path").fill("orders")
    history.get_by_label("Method").select_option("GET")
    history.get_by_label("Status").fill("2xx")
    history.get_by_label("Time").select_option("1h")
    history.get_by_role("button", name="Filter").click()
    history.wait_for_url("**path=orders**")
    given = parse_qs(urlsplit(history.url).query)
    assert given == {"path": ["orders"], "method": ["GET"], "status": ["2xx"], "since": ["1h"]}
    assert history.locator(ROWS).count() == 2
    assert history.get_by_label("Path").input_value() == "orders"


def test_sorting_keeps_the_filters(history: Page) -> None:
    history.goto(f"{HISTORY}?path=orders")
    history.get_by_role("link", name="Queries").click()
    history.wait_for_url("**sort=-queries**")
    assert "path=orders" in history.url
    assert "/orders/slow/" in history.locator(ROWS).first.inner_text()
    assert history.get_by_role("columnheader", name="Queries").get_attribute("aria-sort")


def test_a_sorted_list_offers_what_is_new(history: Page, server: Server) -> None:
    history.goto(f"{HISTORY}?sort=-wall_ms")
    count = history.locator(ROWS).count()
    server.get("/values/fast/", PLAIN)
    history.get_by_role("button", name="1 new request").click()
    history.locator(row(history, "/values/fast/")).wait_for()
    assert history.locator(ROWS).count() == count + 1


def test_the_first_request_ever_shows_up(page: Page, server: Server) -> None:
    page.goto(HISTORY)
    page.get_by_text("Nothing here yet").wait_for()
    server.get("/values/fast/", PLAIN)
    page.get_by_role("button", name="1 new request").click()
    page.locator(row(page, "/values/fast/")).wait_for()


def test_profile_it_leads_to_a_report(history: Page) -> None:
    history.locator(row(history, "/orders/fast/")).get_by_role("link").click()
    history.wait_for_url("**/orders/fast/?profile=1")
    history.get_by_role("region", name="Findings").wait_for()
    history.wait_for_load_state("networkidle")


def test_routes_are_a_click_away_with_the_filters(history: Page) -> None:
    history.goto(f"{HISTORY}?path=orders")
    history.get_by_role("link", name="Routes", exact=True).click()
    history.wait_for_url("**/routes/?path=orders")
    assert history.locator(ROWS).count() == 2
    history.get_by_role("link", name="Worst, ms").click()
    history.wait_for_url("**sort=-worst**")
    history.locator(ROWS).first.get_by_role("link").first.click()
    history.wait_for_url("**route=**")
    assert history.locator(ROWS).count() == 1


def test_a_mark_in_the_picture_leads_to_its_capture(page: Page, server: Server) -> None:
    for _ in range(3):
        server.get("/orders/fast/", PLAIN)
    captured(server, "/orders/fast/", 1)
    page.goto(f"{HISTORY}routes/?path=orders/fast")
    mark = page.locator(".sparkline a:has(.capture)")
    mark.focus()
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Findings").wait_for()
    page.wait_for_load_state("networkidle")


def test_two_chosen_captures_are_compared_the_older_first(page: Page, server: Server) -> None:
    captured(server, "/orders/fast/", 2)
    page.goto(HISTORY)
    boxes = page.get_by_role("checkbox", name="Choose the capture of GET /orders/fast/")
    boxes.first.check()
    assert not page.get_by_role("link", name="Compare", exact=True).is_visible()
    boxes.last.check()
    link = page.get_by_role("link", name="Compare", exact=True)
    given = parse_qs(urlsplit(link.get_attribute("href") or "").query)
    assert given["a"][0] < given["b"][0]


def test_sets_are_chosen_across_pages(page: Page, server: Server) -> None:
    captured(server, "/orders/fast/", 2)
    captured(server, "/orders/slow/", 2)
    page.goto(f"{HISTORY}?path=orders/fast")
    for box in page.get_by_role("checkbox", name="Choose").all():
        box.check()
    page.get_by_role("button", name="Keep as “before”").click()
    page.goto(f"{HISTORY}?path=orders/slow")
    for box in page.get_by_role("checkbox", name="Choose").all():
        box.check()
    link = page.get_by_role("link", name="Compare with the 2 captures before")
    given = parse_qs(urlsplit(link.get_attribute("href") or "").query)
    assert [len(given[side][0].split(",")) for side in "ab"] == [2, 2]
    page.get_by_role("button", name="Start again").click()
    assert not page.get_by_role("group", name="Captures to compare").is_visible()


def test_deleting_a_capture_comes_back_to_the_list(page: Page, server: Server) -> None:
    captured(server, "/orders/fast/", 1)
    page.goto(f"{HISTORY}?captured=1")
    page.get_by_role("button", name="Delete the capture of GET /orders/fast/").click()
    page.get_by_text("Nothing matches").wait_for()
    assert "captured=1" in page.url


@pytest.mark.parametrize("path", [HISTORY, f"{HISTORY}routes/"])
def test_narrow_pages_do_not_scroll_sideways(page: Page, server: Server, path: str) -> None:
    captured(server, "/orders/fast/", 2)
    server.get(f"/{'a' * 300}/?{'b' * 300}", PLAIN)
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(path)
    page.locator("html.ready").wait_for()
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def test_hostile_paths_are_text_when_they_come_by_themselves(history: Page, server: Server) -> None:
    server.get("/%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E/?q=%3Cb%3E", PLAIN)
    cell = history.locator(ROWS).first.locator(".where")
    history.get_by_text("</script><img src=x onerror=alert(1)>/").first.wait_for()
    assert cell.inner_text() == "/</script><img src=x onerror=alert(1)>/"
    assert history.locator("table img").count() == 0
