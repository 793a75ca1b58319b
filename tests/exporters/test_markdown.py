from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from django_hotpath.analysis.findings import find
from django_hotpath.capture import Capture
from django_hotpath.exporters._markdown import block, code, row, text
from tests import factories
from tests.exporters import captures
from tests.factories import function, query, with_functions, with_queries


def written(capture: Capture) -> str:
    return capture.export("markdown").decode()


def test_the_verdict_comes_first_then_findings_functions_and_queries() -> None:
    capture = with_queries(*(query(n, "SELECT %s", params=[str(n)]) for n in range(5)))
    found = written(capture.with_findings(find(capture)))
    assert found.startswith("## GET /books/\n\n**100.0 ms: 5 queries in a loop at shop/views.py:12")
    assert found.index("### Findings (1)") < found.index("### Queries by time (5 in 1 groups)")
    assert "```sql\n  SELECT %s\n  ```" in found


def test_functions_are_a_table_by_own_time() -> None:
    found = written(with_functions(function("cheap"), function("dear", own_ms=99.0)))
    assert found.index("| `dear` |") < found.index("| `cheap` |")


def test_no_finding_is_said() -> None:
    assert "**100.0 ms, none of the known problems**" in written(factories.capture())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<img src=x>", "&lt;img src=x>"),
        ("*a* `b` [c](d) ~e~ |f| $g$", r"\*a\* \`b\` \[c\](d) \~e\~ \|f\| \$g\$"),
        ("__init__ of select_related", r"\_\_init\_\_ of select_related"),
        ("# x", r"\# x"),
        ("1. x", r"1\. x"),
        ("34.8 ms", "34.8 ms"),
        ("- x", r"\- x"),
        ("@user #12 http://x www.x", "&#64;user &#35;12 http&#58;//x www&#46;x"),
        ("a\n\n# b", r"a  # b"),
        ("&amp;", "&amp;amp;"),
        ("\u202ea\u200b\udcff", "\\\\u202ea\\\\u200b\\\\udcff"),
    ],
)
def test_prose_is_text(given: str, expected: str) -> None:
    assert text(given) == expected


def test_code_may_hold_any_number_of_backticks() -> None:
    assert code("a `b` ``c") == "```a `b` ``c```"
    assert code("`x") == "`` `x ``"
    assert list(block("```\nx", "sql")) == ["````sql", "```", "x", "````"]


def test_a_bar_does_not_end_a_cell() -> None:
    assert row([code("a|b"), text("c|d")]) == r"| `a\|b` | c\|d |"


def test_hostile_texts_are_text_to_a_reader_of_markdown() -> None:
    found = written(captures.hostile())
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(found)
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert tags <= {
        *("h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td"),
        *("ul", "li", "code", "pre", "sub"),
    }
    assert "&lt;/script&gt;&lt;img onerror=alert(1)&gt;" in html
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", found)
    assert len(found) < 20_000
