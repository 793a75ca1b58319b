"""The demo as a visitor walks through it: index, every example, the tour, one Measure now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from examples.families import EXAMPLES
from examples.tour import STEPS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WIDE, NARROW = (1280, 900), (400, 800)
each_width = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def look(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def nothing_beside_it(page: Page) -> None:
    """No page has to be scrolled sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels too wide"


@each_width
def test_index_leads_to_every_example(page: Page, size: tuple[int, int]) -> None:
    look(page, size)
    page.goto("/")
    nothing_beside_it(page)
    for example in EXAMPLES:
        place = page.locator(f"article#{example.slug}")
        assert place.get_by_role("heading").inner_text() == example.title
        assert place.get_by_role("link", name=re.compile("^Profile ")).count() == len(
            example.variants
        )
        assert place.locator(".verdict").inner_text() == example.verdict.capitalize()


@each_width
def test_every_example_has_its_page(page: Page, size: tuple[int, int]) -> None:
    look(page, size)
    for example in EXAMPLES:
        page.goto(f"/{example.slug}/", wait_until="domcontentloaded")
        assert page.get_by_role("heading", level=1).inner_text() == example.title
        assert page.locator(".side").count() == len(example.variants)
        assert page.locator(".side .code .line").count() > 0
        nothing_beside_it(page)


@each_width
def test_tour_goes_from_the_first_step_to_the_last(page: Page, size: tuple[int, int]) -> None:
    look(page, size)
    page.goto("/")
    page.get_by_role("link", name="Take the tour").click()
    for number, step in enumerate(STEPS, start=1):
        page.wait_for_url(f"**/tour/{number}/" if number > 1 else "**/tour/")
        assert page.get_by_role("heading", level=1).inner_text() == step.title
        assert page.locator("[aria-current=step]").inner_text().endswith(step.title)
        nothing_beside_it(page)
        page.locator("a[rel=next]").click()
    page.wait_for_url("**/#examples")


def test_first_step_of_the_tour_opens_the_report(page: Page) -> None:
    page.goto("/tour/")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Profile the slow orders").click()
    report = opened.value
    report.get_by_role("region", name="Findings").get_by_text(
        "100 queries in a loop"
    ).first.wait_for()


@each_width
def test_measure_now_ends_at_the_comparison_and_is_remembered(
    page: Page, size: tuple[int, int]
) -> None:
    look(page, size)
    page.goto("/orders/")
    page.get_by_role("button", name="Measure now").click()
    page.wait_for_url("**/__hotpath__/compare/?a=*", timeout=60_000)
    verdict = page.locator("main").inner_text()
    assert "101 → 1" in verdict
    page.goto("/orders/")
    result = page.locator("#measure .result")
    result.get_by_text("5 runs of each").wait_for()
    assert "queries 101 → 1" in result.inner_text()
    nothing_beside_it(page)
    page.goto("/")
    page.locator("article#orders .ratio").get_by_role("link", name="Comparison").wait_for()


def test_measuring_on_the_index_shows_the_times_there(page: Page) -> None:
    page.goto("/")
    place = page.locator("article#dict-lookup")
    place.get_by_role("button", name="Measure").click()
    place.get_by_role("link", name="Comparison").wait_for(timeout=60_000)
    assert all(
        re.fullmatch(r"[\d.]+ ms", time) for time in place.locator(".timed").all_inner_texts()
    )


def test_a_size_is_handed_on_to_the_variants(page: Page) -> None:
    page.goto("/orders/")
    page.get_by_label("Size n").fill("7")
    page.get_by_role("button", name="Set").click()
    page.wait_for_url("**/orders/?n=7")
    page.get_by_role("link", name="Open slow").click()
    assert page.locator("tbody tr").count() == 7
