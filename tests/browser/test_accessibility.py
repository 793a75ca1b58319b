"""axe-core on every page, light and dark, narrow and wide, in each tab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from examples.families import EXAMPLES
from examples.tour import STEPS
from tests.browser.axe import violations
from tests.browser.driving import PATIENCE, wait_for_memory
from tests.integration.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.server]

WIDTHS = [1280, 400]


@pytest.fixture(params=WIDTHS)
def any_page(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Page]:
    """A page of each width; axe is no script of ours, so the policy is left out here."""
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": request.param, "height": 900},
        color_scheme="light",
        reduced_motion="reduce",
        bypass_csp=True,
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def problems(page: Page) -> list[str]:
    """In both themes. In the dark one only the colours are others."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in violations(page, "color-contrast", "link-in-text-block")]
    page.emulate_media(color_scheme="light")
    return found


def test_the_report_in_every_tab(any_page: Page) -> None:
    any_page.goto("/orders/slow/?profile=1")
    wait_for_memory(any_page)
    names = any_page.locator("section.panel").evaluate_all("(all) => all.map(({id}) => id)")
    assert len(names) > 5
    found = {}
    for name in names:
        any_page.locator(f"#tab-{name}").click()
        any_page.wait_for_timeout(50)
        if told := problems(any_page):
            found[name] = told
    assert found == {}


def test_the_report_with_everything_unfolded(any_page: Page) -> None:
    any_page.goto("/orders/slow/?profile=1")
    wait_for_memory(any_page)
    any_page.locator("#tab-queries").click()
    any_page.evaluate(
        "document.querySelectorAll('#main details:not(.menu)').forEach((one) => (one.open = true))"
    )
    any_page.locator(".legend button").first.click()
    any_page.locator(".menu summary").first.click()
    assert problems(any_page) == []


def test_a_report_of_all_that_can_be_measured(any_page: Page) -> None:
    any_page.goto("/orders/slow/?profile=cprofile,queries,cache,templates,usage,objects,gc")
    names = any_page.locator("section.panel").evaluate_all("(all) => all.map(({id}) => id)")
    found = {}
    for name in names:
        any_page.locator(f"#tab-{name}").click()
        if told := problems(any_page):
            found[name] = told
    assert found == {}


def test_the_list_of_keys(any_page: Page) -> None:
    any_page.goto("/orders/fast/?profile=queries")
    any_page.locator("html.ready").wait_for()
    any_page.keyboard.press("?")
    any_page.get_by_role("dialog").wait_for()
    assert problems(any_page) == []


def test_the_pages_around_the_report(any_page: Page) -> None:
    any_page.goto("/orders/slow/?profile=1")
    wait_for_memory(any_page)
    permalink = any_page.get_by_role("link", name="Permalink").get_attribute("href")
    assert permalink is not None
    found = {}
    for path in (
        "/__hotpath__/",
        "/__hotpath__/00000000000000000000000000/",
        "/orders/slow/?profile=help",
        "/orders/slow/?profile=nonsense",
        f"{permalink}findings/0/verify/",
        f"{permalink}explain/0/",
    ):
        any_page.goto(path)
        if told := problems(any_page):
            found[path] = told
    assert found == {}


@pytest.mark.parametrize("any_page", WIDTHS[:1], ids=["every width"], indirect=True)
def test_the_demo(any_page: Page) -> None:
    """Index, tour, a page of data, what is not there, and of each family the example with the
    most variants. Each is loaded once: only its width and its colours change."""
    most = sorted(EXAMPLES, key=lambda example: len(example.variants))
    of_families = {example.family: f"/{example.slug}/" for example in most}.values()
    steps = (f"/tour/{number}/" for number in range(1, len(STEPS) + 1))
    found = {}
    for path in ("/", *steps, "/books/slow/", "/serialisers/fast/", "/tour/6/", *of_families):
        any_page.goto(path, wait_until="domcontentloaded")
        for width in (1280, 400):
            any_page.set_viewport_size({"width": width, "height": 900})
            if told := problems(any_page):
                found[path, width] = told
    assert found == {}
