"""The report's sections of lines and of memory by line."""

from __future__ import annotations

from typing import Any

from django_hotpath.exporters.text import export
from django_hotpath.report.pages import report_page
from django_hotpath.report.viewmodels.lines import line_memory_view, lines_view
from tests.report.reading import Page
from tests.report.samples import allocations, capture, line_memory, lines, timed_function
from tests.report.test_pages import ALL, BARE


def shown(**instruments: Any) -> str:
    return report_page(capture(instruments=instruments), ALL)


class TestTheViewModel:
    def test_opens_the_dearest_function_of_the_project(self) -> None:
        found = lines_view(
            lines(
                timed_function(function="dispatch", kind="django", total_ms=50.0),
                timed_function(function="get_queryset", total_ms=40.0),
                timed_function(function="helper", total_ms=45.0),
            ),
            wall_ms=100,
        )
        assert [row.function for row in found.functions if row.open] == ["helper"]

    def test_opens_the_dearest_of_all_where_none_is_the_projects(self) -> None:
        found = lines_view(lines(timed_function(kind="library")), wall_ms=100)
        assert [row.open for row in found.functions] == [True]

    def test_gives_the_share_of_the_wall_time(self) -> None:
        (found,) = lines_view(lines(), wall_ms=80).functions
        assert found.share == 0.25

    def test_marks_the_lines_that_cost_a_tenth_or_more(self) -> None:
        function = timed_function(total_ms=100.0)
        function["lines"] = [
            {"line": 1, "source": "a", "hits": 1, "ms": 91.0},
            {"line": 2, "source": "b", "hits": 1, "ms": 9.0},
        ]
        (found,) = lines_view(lines(function), wall_ms=100).functions
        assert [row.hot for row in found.rows] == [True, False]

    def test_shows_where_lines_were_left_out(self) -> None:
        function = timed_function(left_out=7)
        function["lines"] = [{"line": n, "source": "", "hits": None} for n in (3, 4, 12)]
        (found,) = lines_view(lines(function), wall_ms=100).functions
        assert [row.gap for row in found.rows] == [False, False, True]

    def test_of_memory_that_was_freed_has_no_share_of_growth(self) -> None:
        data = line_memory()
        data["functions"][0]["lines"].append(
            {"line": 15, "source": "del books", "hits": 1, "increment": -1024, "peak": 0}
        )
        (found,) = line_memory_view(data).functions
        assert [row.share for row in found.rows if row.hits] == [1.0, 0.0]

    def test_takes_the_indentation_off_that_all_lines_have(self) -> None:
        function = timed_function()
        function["lines"] = [
            {"line": 1, "source": "    def get(self):", "hits": None},
            {"line": 2, "source": "", "hits": None},
            {"line": 3, "source": "        return 1", "hits": 1, "ms": 1.0},
        ]
        (found,) = lines_view(lines(function), wall_ms=100).functions
        assert [row.source for row in found.rows] == ["def get(self):", "", "    return 1"]

    def test_of_nothing_is_empty(self) -> None:
        assert lines_view({**lines(), "functions": []}, wall_ms=0).count == 0


class TestTheSection:
    def test_shows_source_hits_and_time(self) -> None:
        page = Page(shown(lines=lines()))
        cells = [text for _attributes, text in page.all("td")]
        assert {"13", "4", "20.00", "5.0000", "books = list(books)"} <= set(cells)

    def test_shows_a_function_that_never_ran_as_such(self) -> None:
        function = timed_function(total_ms=0.0, calls=0)
        function["lines"] = [{"line": 13, "source": "pass", "hits": 0}]
        assert "never ran" in shown(lines=lines(function))

    def test_explains_waiting_where_there_was_some(self) -> None:
        waits = timed_function(waited_ms=250.0)
        waits["lines"][1]["waited_ms"] = 250.0
        assert "waited 250" in shown(lines=lines(waits))
        assert "waited" not in shown(lines=lines()).lower()

    def test_says_when_no_view_was_called(self) -> None:
        page = shown(lines={**lines(), "view": None, "functions": []})
        assert "no view was called" in page

    def test_of_memory_says_what_was_read(self) -> None:
        assert "bytes that Python has allocated" in shown(line_memory=line_memory())
        assert "moves in pages" in shown(line_memory=line_memory(unit="rss"))

    def test_of_memory_is_in_the_part_that_the_memory_lane_takes_over(self) -> None:
        page = shown(allocations=allocations(), line_memory=line_memory())
        begins, ends = page.index('id="allocations"'), page.index("By file")
        assert begins < page.index("While each line ran") < ends
        assert page.count("While each line ran") == 1

    def test_of_memory_alone_leaves_the_lane_in_place(self) -> None:
        page = report_page(capture(instruments={"line_memory": line_memory()}), BARE)
        assert "While each line ran" in page
        assert "Not traced in this capture" in page

    def test_that_cannot_be_shown_is_named(self) -> None:
        page = shown(lines={"functions": [{}]}, line_memory={"functions": [{}]})
        assert "This part of the capture cannot be shown (KeyError" in page
        assert "The memory by line of this capture cannot be shown (KeyError" in page


class TestTheText:
    def test_lists_the_dearest_lines(self) -> None:
        text = export(capture(instruments={"lines": lines()})).decode()
        assert "LINES by time (1 that ran, of 1 functions)" in text
        assert "20.00  shop/views.py:13  books = list(books)" in text

    def test_lists_the_lines_that_grew_most(self) -> None:
        text = export(capture(instruments={"line_memory": line_memory()})).decode()
        assert "LINES by memory (1 that ran, of 1 functions)" in text
        assert "2,048  shop/views.py:13  books = list(books)" in text
