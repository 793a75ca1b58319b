"""The report as one page: the first screen, the layers, the keys, the tabs, the policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from django_hotpath.report.editor import Editor
from tests.browser.driving import first_finding, wait_for_memory

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture
def report(page: Page) -> Page:
    page.goto("/orders/slow/?profile=calls,queries,templates")
    page.locator("html.ready").wait_for()
    return page


def current(page: Page) -> str | None:
    return page.locator("section.panel.current").get_attribute("id")


def bottom(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


class TestFirstScreen:
    def test_the_fix_is_in_sight_without_scrolling(self, page: Page) -> None:
        page.goto("/orders/slow/?profile=1")
        wait_for_memory(page)
        for found in (
            page.locator(".head > .verdict"),
            page.locator(".stats"),
            first_finding(page).locator("pre.code").first,
            page.locator(".sharebar"),
        ):
            assert bottom(found) < 900

    def test_nothing_moves_while_it_loads(self, page: Page) -> None:
        page.add_init_script(
            "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach("
            "(entry) => { if (!entry.hadRecentInput) window.moved += entry.value; }))"
            ".observe({type: 'layout-shift', buffered: true})"
        )
        page.goto("/orders/slow/?profile=1")
        wait_for_memory(page)
        page.wait_for_timeout(200)
        assert page.evaluate("window.moved") < 0.02

    @pytest.mark.parametrize("width", [400, 3840])
    def test_no_tab_scrolls_the_page_sideways(self, report: Page, width: int) -> None:
        report.set_viewport_size({"width": width, "height": 900})
        names = report.locator("section.panel").evaluate_all("(all) => all.map(({id}) => id)")
        wide = []
        for name in names:
            report.locator(f"#tab-{name}").click()
            scroll, inner = report.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            if scroll > inner:
                wide.append(name)
        assert wide == []


class TestLayers:
    def test_a_part_of_the_bar_is_chosen_by_keyboard(self, report: Page) -> None:
        report.locator(".sharebar rect").first.focus()
        report.keyboard.press("ArrowRight")
        key = report.evaluate("document.activeElement.dataset.chooseLayer")
        report.keyboard.press("Enter")
        pressed = report.locator('[aria-pressed="true"][data-choose-layer]')
        assert (
            pressed.evaluate_all("(all) => all.map((one) => one.dataset.chooseLayer)") == [key] * 2
        )
        assert f"layer={key}" in report.url

    def test_the_choice_is_named_beside_the_tabs_and_taken_back_there(self, report: Page) -> None:
        report.get_by_role("button", name=re.compile("^Django ORM")).last.click()
        chip = report.locator(".layer-chip")
        assert "Only Django ORM" in (chip.text_content() or "")
        chip.get_by_role("button", name="Show all").click()
        assert chip.is_hidden()
        assert "layer" not in report.url

    def test_every_section_hears_of_it_once(self, report: Page) -> None:
        report.evaluate(
            "window.heard = []; document.addEventListener('hotpath:layer', "
            "({detail}) => window.heard.push(detail))"
        )
        button = report.get_by_role("button", name=re.compile("^Database")).last
        button.click()
        button.click()
        assert report.evaluate("window.heard") == ["database", None]

    def test_the_choice_and_the_tab_survive_a_reload(self, report: Page) -> None:
        report.get_by_role("link", name="Permalink").click()
        report.locator("html.ready").wait_for()
        report.locator("#tab-queries").click()
        report.get_by_role("button", name=re.compile("^Database")).last.click()
        report.reload()
        report.locator("html.ready").wait_for()
        assert current(report) == "queries"
        assert "Only Database" in (report.locator(".layer-chip").text_content() or "")


class TestKeys:
    def test_the_list_opens_and_closes_and_gives_the_focus_back(self, report: Page) -> None:
        report.locator("#tab-calls").focus()
        report.keyboard.press("?")
        dialog = report.get_by_role("dialog", name="Keys")
        dialog.wait_for()
        assert "the first finding" in dialog.inner_text()
        report.keyboard.press("Escape")
        assert dialog.count() == 0
        assert report.evaluate("document.activeElement.id") == "tab-calls"

    @pytest.mark.parametrize("keys", [["2"], ["g", "q"], ["]"]])
    def test_keys_go_to_tabs(self, report: Page, keys: list[str]) -> None:
        before = current(report)
        for key in keys:
            report.keyboard.press(key)
        assert current(report) != before

    def test_previous_goes_around(self, report: Page) -> None:
        report.keyboard.press("[")
        assert current(report) == "raw"

    def test_the_first_finding_has_the_focus(self, report: Page) -> None:
        report.keyboard.press("f")
        assert report.evaluate("document.activeElement.closest('details').id") == "finding-0"

    @pytest.mark.parametrize("key", ["Control+2", "Alt+2", "Meta+2"])
    def test_with_modifiers_no_key_acts(self, report: Page, key: str) -> None:
        before = current(report)
        report.keyboard.press(key)
        assert current(report) == before

    def test_in_a_field_keys_are_text(self, report: Page) -> None:
        report.locator("#tab-calls").click()
        report.keyboard.press("/")
        report.keyboard.type("2gq?")
        assert report.evaluate("document.activeElement.value") == "2gq?"
        assert current(report) == "calls"
        assert report.get_by_role("dialog").count() == 0


class TestTabs:
    def test_they_stay_in_sight_and_the_focus_is_not_below_them(self, report: Page) -> None:
        report.locator("#tab-request").click()
        report.locator(".foot").scroll_into_view_if_needed()
        report.mouse.wheel(0, 4000)
        report.get_by_role("link", name="Profile it again").focus()
        bar = bottom(report.locator(".tabbar"))
        box = report.get_by_role("link", name="Profile it again").bounding_box()
        assert box is not None
        assert box["y"] >= bar or box["y"] > 100

    def test_where_they_do_not_fit_the_edge_fades(self, report: Page) -> None:
        report.set_viewport_size({"width": 400, "height": 800})
        tabs = report.locator(".tabs")
        report.wait_for_function("document.querySelector('.tabs').dataset.more === 'right'")
        report.keyboard.press("[")
        report.wait_for_function("document.querySelector('.tabs').dataset.more === 'left'")
        assert tabs.get_by_role("tab", name="Raw").is_visible()


class TestPolicy:
    @pytest.fixture
    def strict(self, page: Page) -> Iterator[Page]:
        """The documents with the policy that a project may have set for all of its pages."""

        def serve(route: Route) -> None:
            if route.request.resource_type != "document":
                return route.continue_()
            response = route.fetch()
            headers = {**response.headers, "content-security-policy": "default-src 'self'"}
            return route.fulfill(response=response, headers=headers)

        page.route("**/*", serve)
        yield page
        page.unroute_all(behavior="wait")

    def test_nothing_of_the_report_needs_more_than_itself(self, strict: Page) -> None:
        strict.goto("/orders/slow/?profile=1")
        wait_for_memory(strict)
        names = strict.locator("section.panel").evaluate_all("(all) => all.map(({id}) => id)")
        for name in names:
            strict.locator(f"#tab-{name}").click()
        strict.locator(".legend button").first.click()
        strict.locator(".menu summary").click()
        strict.keyboard.press("Escape")
        strict.keyboard.press("?")
        strict.get_by_role("dialog").wait_for()

    def test_nothing_of_the_other_pages_does(self, strict: Page) -> None:
        for path in ("/__hotpath__/", "/__hotpath__/routes/", "/orders/slow/?profile=help"):
            strict.goto(path)
            strict.locator("html.ready").wait_for()


@pytest.mark.parametrize(
    "template", ["x://file/{file}:{line}", "x://open?url=file://{file}&line={line}"]
)
def test_the_browser_makes_the_same_links_to_an_editor(report: Page, template: str) -> None:
    files = [
        *("/a/b.py", "shop/views.py", "C:\\a\\b.py", "<string>", "", "a\nb.py"),
        *("/a b/c&d#e?f%g'\"+=.py", "shop/ü.py", "/a/[b].py"),
    ]
    ours = [Editor(template, "/srv/shop").url(file, 3) for file in files]
    theirs = report.evaluate(
        """async ([template, files]) => {
            Object.assign(document.documentElement.dataset, {editor: template, base: "/srv/shop"});
            const {editorUrl} = await import("/__hotpath__/assets/editor.js");
            return files.map((file) => editorUrl(file, 3));
        }""",
        [template, files],
    )
    assert theirs == ours
