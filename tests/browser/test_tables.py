"""The tables of a report: sorted, filtered, scrolled, copied from, as somebody does by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from django_hotpath.stores.sqlite import SQLiteStore
from tests.integration.servers import Server
from tests.report.samples import calls, capture, finding, function, large_capture, queries, query

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from django_hotpath.capture import Capture

pytestmark = [pytest.mark.browser, pytest.mark.server]

LARGE = 20_000


def stored(server: Server, found: Capture) -> str:
    """Puts the capture into the store of the server; gives the path of its report."""
    SQLiteStore(path=server.environment["HOTPATH_TEST_STORE"]).save(found)
    return f"/__hotpath__/{found.id}/"


@pytest.fixture
def large(page: Page, server: Server) -> Page:
    """The report of 20,000 statements, at its statements in order."""
    found = replace(large_capture(LARGE), findings=(finding(queries=tuple(range(0, 2000, 100))),))
    page.goto(f"{stored(server, found)}#queries&view=order")
    page.locator("html.ready").wait_for()
    return page


@pytest.fixture
def small(page: Page, server: Server) -> Page:
    """A report of a few statements of several kinds and a few functions."""
    statements = (
        query(0, "SELECT a FROM t WHERE b = %s AND c = %s", params=["7", "'it\\'s'"]),
        query(1, "SELECT a FROM t WHERE b = %s AND c = %s", params=["7", "'x'"], duplicate_of=0),
        query(2, "INSERT INTO t VALUES (%s)", params=["'</script>'"], fingerprint="2" * 16),
        query(3, "SELECT slow", params=[], fingerprint="3" * 16, duration_ms=150.0),
    )
    functions = (
        function("view", own_ms=5.0, cumulative_ms=50.0),
        function("helper", own_ms=9.0, line=40, cumulative_ms=9.0),
        function("recv", own_ms=2.0, kind="stdlib", package="socket", file="socket.py"),
        function("SELECT slow", own_ms=30.0, kind="sql", package="", file="", line=0),
    )
    found = capture(
        instruments={"queries": queries(*statements), "calls": calls(*functions)},
        findings=(finding(queries=(0, 1)),),
    )
    page.goto(f"{stored(server, found)}#queries")
    page.locator("html.ready").wait_for()
    return page


def rows(page: Page, table: str) -> Locator:
    return page.locator(f"#{table} > tbody > tr[data-key]")


def names(page: Page) -> list[str]:
    return rows(page, "calls-table").locator("button.name").all_inner_texts()


class TestManyRows:
    def test_only_those_in_view_are_in_the_page(self, large: Page) -> None:
        assert 10 < rows(large, "order-table").count() < 100
        assert large.locator("#order-table").get_attribute("aria-rowcount") == str(LARGE + 1)

    def test_the_end_key_reaches_the_last_row(self, large: Page) -> None:
        rows(large, "order-table").first.focus()
        large.keyboard.press("End")
        focused = large.locator("#order-table > tbody > tr:focus")
        focused.wait_for()
        assert focused.get_attribute("data-key") == str(LARGE - 1)
        assert focused.get_attribute("aria-rowindex") == str(LARGE + 1)
        assert focused.evaluate(
            "(row) => { const box = row.closest('.scroll').getBoundingClientRect();"
            " const own = row.getBoundingClientRect();"
            " return own.top >= box.top && own.bottom <= box.bottom + 1 }"
        )

    def test_arrows_and_pages_move_from_row_to_row(self, large: Page) -> None:
        rows(large, "order-table").first.focus()
        large.keyboard.press("ArrowDown")
        large.keyboard.press("ArrowDown")
        focused = large.locator("#order-table > tbody > tr:focus")
        assert focused.get_attribute("data-key") == "2"
        large.keyboard.press("PageDown")
        after = int(focused.get_attribute("data-key") or "")
        assert 5 < after < 60
        large.keyboard.press("PageUp")
        large.keyboard.press("Home")
        assert focused.get_attribute("data-key") == "0"

    def test_enter_opens_the_row_and_it_stays_open(self, large: Page) -> None:
        rows(large, "order-table").first.focus()
        large.keyboard.press("Enter")
        opened = large.locator('#order-table details[data-query="0"][open]')
        opened.locator("pre.sql").wait_for()
        box = large.locator('[aria-label="Statements in order"]')
        box.evaluate("(box) => { box.scrollTop = box.scrollHeight }")
        opened.wait_for(state="detached")
        box.evaluate("(box) => { box.scrollTop = 0 }")
        opened.locator("pre.sql").wait_for()

    def test_scrolling_shows_the_rows_of_the_place(self, large: Page) -> None:
        box = large.locator('[aria-label="Statements in order"]')
        box.evaluate("(box) => { box.scrollTop = box.scrollHeight / 2 }")
        large.wait_for_function(
            "(half) => [...document.querySelectorAll('#order-table tr[data-key]')]"
            ".some((row) => Math.abs(+row.dataset.key - half) < 500)",
            arg=LARGE // 2,
        )

    def test_the_filter_finds_one_of_them(self, large: Page) -> None:
        large.locator('[data-filter="q"]').fill("19999")
        large.get_by_text("1 statement, of 20\u202f000 in all").wait_for()
        assert rows(large, "order-table").count() == 1

    def test_the_finding_leads_to_its_statements(self, large: Page) -> None:
        large.get_by_role("link", name="show the 20 queries").click()
        large.get_by_role("button", name="In order").click()
        large.get_by_text("20 statements, of 20\u202f000 in all").wait_for()


class TestStatements:
    def test_headers_sort(self, small: Page) -> None:
        small.get_by_role("button", name="In order").click()
        table = small.locator("#order-table")
        table.get_by_role("button", name="Took").click()
        assert rows(small, "order-table").first.get_attribute("data-key") == "3"
        assert table.locator('[aria-sort="descending"]').get_attribute("data-col") == "ms"
        table.get_by_role("button", name="Took").click()
        assert rows(small, "order-table").last.get_attribute("data-key") == "3"

    @pytest.mark.parametrize(
        ("choose", "left"),
        [
            (lambda page: page.locator('[data-filter="kind"]').select_option("w"), "1 statement"),
            (lambda page: page.get_by_role("checkbox", name="slow").check(), "1 statement"),
            (lambda page: page.get_by_role("checkbox", name="duplicates").check(), "1 statement"),
            (
                lambda page: page.get_by_role("checkbox", name="in a finding").check(),
                "2 statements",
            ),
        ],
    )
    def test_filters(self, small: Page, choose: Any, left: str) -> None:
        small.get_by_role("button", name="In order").click()
        choose(small)
        small.get_by_text(f"{left}, of 4 in all").wait_for()

    def test_a_link_keeps_the_filter_and_the_order(self, small: Page) -> None:
        small.get_by_role("button", name="In order").click()
        small.locator('[data-filter="q"]').fill("SELECT a")
        small.locator("#order-table").get_by_role("button", name="Took").click()
        url = small.url
        assert "#queries&" in url
        small.goto("about:blank")
        small.goto(url)
        small.get_by_text("2 statements, of 4 in all").wait_for()
        assert small.locator('[data-filter="q"]').input_value() == "SELECT a"
        assert small.locator('#order-table [aria-sort="descending"]').count() == 1

    def test_nothing_found_offers_to_show_all(self, small: Page) -> None:
        small.locator('[data-filter="q"]').fill("no such text")
        small.get_by_role("button", name="Show all statements").click()
        assert rows(small, "groups-table").count() == 3

    def test_the_mark_of_a_group_leads_to_the_finding(self, small: Page) -> None:
        small.locator("#groups-table").get_by_role("link", name="N+1").click()
        focused = small.evaluate("document.activeElement.closest('details')?.id")
        assert focused == "finding-0"

    def test_a_statement_is_copied_bare_and_filled(self, small: Page) -> None:
        small.context.grant_permissions(["clipboard-read", "clipboard-write"])
        small.get_by_role("button", name="In order").click()
        small.locator('#order-table details[data-query="0"] > summary').click()
        small.get_by_role("button", name="Copy SQL").click()
        read = "navigator.clipboard.readText()"
        assert small.evaluate(read) == "SELECT a FROM t WHERE b = %s AND c = %s"
        small.get_by_role("button", name="Copy with parameters").click()
        small.get_by_text("Copied").nth(1).wait_for()
        assert small.evaluate(read) == "SELECT a FROM t WHERE b = 7 AND c = 'it''s'"

    def test_parameters_become_literals_and_what_is_not_known_stays(self, small: Page) -> None:
        literals = {
            "7": "7",
            "-1.5": "-1.5",
            "NULL": "NULL",
            "True": "TRUE",
            "'it\\'s'": "'it''s'",
            '"it\'s"': "'it''s'",
            "'a\\nb'": "'a\nb'",
            "2026-11-20": "'2026-11-20'",
            "'***'": None,
            "'cut her…": None,
            "<bytes, 9 bytes>": None,
            "[1, 2]": None,
            "nan": None,
        }
        found = small.evaluate(
            "async (texts) => {"
            "const { literal } = await import('/__hotpath__/assets/sqltext.js');"
            "return texts.map(literal) }",
            list(literals),
        )
        assert dict(zip(literals, found, strict=True)) == literals

    def test_percent_signs_and_wrong_numbers_of_parameters(self, small: Page) -> None:
        found = small.evaluate(
            "async () => {"
            "const { filled } = await import('/__hotpath__/assets/sqltext.js');"
            "return [filled('a %% %s', ['1']), filled('%s', ['1', '2']),"
            " filled('%(name)s', ['1']), filled('%s %s', ['<x>', '1'])] }"
        )
        assert found == ["a % 1", None, None, "%s 1"]


class TestCalls:
    @pytest.fixture
    def table(self, small: Page) -> Page:
        small.locator("#tab-calls").click()
        return small

    def test_headers_sort(self, table: Page) -> None:
        assert names(table) == ["SELECT slow", "helper", "view", "recv"]
        table.locator("#calls-table").get_by_role("button", name="With callees").click()
        assert names(table)[0] == "view"

    def test_the_filter_looks_at_function_file_and_package(self, table: Page) -> None:
        table.locator("#calls-filter").fill("socket")
        assert names(table) == ["recv"]

    def test_named_frames_have_the_tone_of_their_layer(self, table: Page) -> None:
        row = rows(table, "calls-table").first
        assert "SQL statement" in row.inner_text()
        assert row.locator(".dot.tone-database").count() == 1

    def test_the_layer_filters(self, table: Page) -> None:
        table.evaluate(
            "document.querySelector('[data-choose-layer=\"project\"]')"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        table.wait_for_function(
            "document.querySelectorAll('#calls-table > tbody > tr[data-key]').length === 2"
        )
        assert names(table) == ["helper", "view"]

    def test_callers_and_callees_are_shown_and_left_by_escape(self, table: Page) -> None:
        table.get_by_role("button", name="view", exact=True).click()
        inspector = table.get_by_role("complementary", name="Callers and callees")
        assert "helper" in inspector.inner_text()
        table.keyboard.press("Escape")
        inspector.wait_for(state="hidden")
        assert table.evaluate("document.activeElement.textContent") == "view"


class TestNarrow:
    @pytest.mark.parametrize("tab", ["queries", "calls"])
    def test_tables_fit_into_400_pixels(self, small: Page, tab: str) -> None:
        small.set_viewport_size({"width": 400, "height": 800})
        small.locator(f"#tab-{tab}").click()
        box = small.locator(f"#{tab} .virtual:visible")
        widths = box.evaluate("(box) => [box.scrollWidth, box.clientWidth]")
        assert widths[0] <= widths[1]
        assert small.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def test_the_last_of_many_rows_is_reached(self, large: Page) -> None:
        large.set_viewport_size({"width": 400, "height": 800})
        rows(large, "order-table").first.focus()
        large.keyboard.press("End")
        focused = large.locator("#order-table > tbody > tr:focus")
        focused.wait_for()
        assert re.match(str(LARGE - 1), focused.get_attribute("data-key") or "")
