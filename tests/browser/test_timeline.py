from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture
def timeline(page: Page) -> Page:
    page.goto("/orders/slow/?profile=1#timeline")
    page.locator("html.ready").wait_for()
    return page


def track(page: Page, name: str) -> Locator:
    return page.locator(".timeline-track", has=page.get_by_text(name, exact=True))


def drawn(page: Page, name: str) -> int:
    return int(track(page, name).locator("canvas").get_attribute("data-drawn") or 0)


def test_every_statement_is_a_bar(timeline: Page) -> None:
    assert drawn(timeline, "Database") > 20
    assert "101" in track(timeline, "Database").inner_text()


def test_the_arrow_keys_go_from_bar_to_bar(timeline: Page) -> None:
    canvas = track(timeline, "Database").locator("canvas")
    canvas.focus()
    timeline.keyboard.press("ArrowRight")
    timeline.locator("[data-detail]").get_by_text("2 of 101").wait_for()
    timeline.keyboard.press("End")
    timeline.locator("[data-detail]").get_by_text("101 of 101").wait_for()


def test_a_bar_leads_to_its_statement(timeline: Page) -> None:
    track(timeline, "Database").locator("canvas").focus()
    timeline.get_by_role("link", name="Open in Queries").click()
    timeline.locator("#queries.current").wait_for()


def test_plus_zooms_in_and_zero_shows_everything_again(timeline: Page) -> None:
    shown = timeline.locator("[data-range]")
    track(timeline, "Database").locator("canvas").focus()
    timeline.keyboard.press("+")
    shown.get_by_text("Shown:").wait_for()
    timeline.keyboard.press("0")
    shown.get_by_text("Shown:").wait_for(state="detached")


def test_dragging_over_a_track_zooms_to_that_time(timeline: Page) -> None:
    canvas = track(timeline, "Database").locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    timeline.mouse.move(box["x"] + 100, box["y"] + 5)
    timeline.mouse.down()
    timeline.mouse.move(box["x"] + 300, box["y"] + 5, steps=4)
    timeline.mouse.up()
    timeline.locator("[data-range]").get_by_text("Shown:").wait_for()
    timeline.get_by_role("button", name="Whole request").click()
    assert timeline.get_by_role("button", name="Whole request").is_disabled()


def test_everything_is_there_as_a_table_too(timeline: Page) -> None:
    timeline.get_by_text("Everything in order, as a table").click()
    timeline.locator('[data-more="timeline"]').get_by_text("entries").wait_for()
    assert timeline.locator("#timeline-table tbody tr[data-key]").count() > 5


def test_a_layer_that_is_chosen_dims_the_tracks_of_others(timeline: Page) -> None:
    timeline.evaluate(
        "document.dispatchEvent(new CustomEvent('hotpath:layer', {detail: 'database'}))"
    )
    assert "dim" not in (track(timeline, "Database").get_attribute("class") or "")
    assert "dim" in (track(timeline, "Templates").get_attribute("class") or "")


def test_at_400_pixels_nothing_is_wider_than_the_page(timeline: Page) -> None:
    timeline.set_viewport_size({"width": 400, "height": 900})
    width = timeline.evaluate("document.documentElement.scrollWidth")
    assert width <= 400
