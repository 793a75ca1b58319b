"""Finding and replacing expressions in the text of a source file."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from django_hotpath.analysis.edits import apply_edits
from django_hotpath.analysis.sourcecode import (
    Place,
    Source,
    bound,
    called_name,
    project_source,
    receiver,
    used,
)


def parsed(text: str) -> Source:
    return Source(dedent(text))


def call(source: Source, name: str) -> ast.Call:
    (found,) = (
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and called_name(node) == name
    )
    return found


def test_columns_count_characters() -> None:
    source = parsed("ä = 'ö'; b = get(1)\n")
    found = call(source, "get")
    assert source.place(found) == Place(1, 13, 1, 19)
    assert source.text_of(found) == "get(1)"
    assert source.expression_at(Place(1, 13, 1, 19)) is found
    assert source.expression_at(Place(1, 13, 1, 18)) is None


def test_a_replacement_is_an_edit_that_fits() -> None:
    text = "é = first(\n    1,\n)\nb = 2\n"
    source = Source(text)
    edit = source.replace("a.py", call(source, "first"), "second()")
    assert apply_edits(text, [edit]) == "é = second()\nb = 2\n"


def test_a_form_feed_ends_no_line() -> None:
    text = "a = 1\n\x0c\nb = '\u2028'; c = first()\n"
    source = Source(text)
    edit = source.replace("a.py", call(source, "first"), "second()")
    assert edit.line == 3
    expected = "import os\n" + text.replace("first", "second")
    assert apply_edits(text, [edit], ["import os"]) == expected


def test_calls_on_a_line_are_those_that_the_interpreter_puts_there() -> None:
    source = parsed(
        """
        (
            Book.objects
            .filter(a=1)
            .count()
        )
        """
    )
    assert [called_name(found) for found in source.calls(5, "count")] == ["count"]
    assert source.calls(4, "count") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for a in b:\n    x()", ast.For),
        ("for a in x():\n    pass", None),
        ("for a in b:\n    pass\nelse:\n    x()", None),
        ("while x():\n    pass", ast.While),
        ("[x() for a in b]", ast.ListComp),
        ("[a for a in x()]", None),
        ("[a for a in b if x()]", ast.ListComp),
        ("{a for c in b for a in x()}", ast.SetComp),
        ("for a in b:\n    if c:\n        x()", ast.For),
        ("for a in b:\n    def f():\n        x()", None),
        ("for a in b:\n    f(lambda: x())", None),
    ],
)
def test_the_loop_that_runs_a_call_again(text: str, expected: type | None) -> None:
    source = Source(text)
    loop = source.loop_of(call(source, "x"))
    assert (None if loop is None else type(loop)) is expected


def test_the_innermost_loop_around_a_line() -> None:
    source = parsed(
        """
        for a in b:
            for c in a:
                pass
            pass
        pass
        """
    )
    found = [source.loop_at(line) for line in (2, 3, 4, 5, 6)]
    assert [None if loop is None else loop.lineno for loop in found] == [None, 2, 3, 2, None]


def test_statement_scope_and_block() -> None:
    source = parsed(
        """
        def view():
            if a:
                b = 1
                c = x(b)
        """
    )
    statement = source.statement_of(call(source, "x"))
    assert source.line_of(statement) == "c = x(b)"
    assert source.indent_of(statement) == " " * 8
    assert [source.text_of(found) for found in source.block_of(statement)] == ["b = 1", "c = x(b)"]
    function = source.function_of(statement)
    assert function is not None
    assert function.name == "view"


def test_names() -> None:
    tree = ast.parse("import os.path as p\nfor a, (b, *c) in d.e:\n    with f(g) as h: del i")
    assert bound(tree) == {"p", "a", "b", "c", "h", "i"}
    assert used(tree) == {"d", "f", "g"}


def test_receiver() -> None:
    source = Source("Book.objects.get()\nrun()")
    found = receiver(call(source, "get"))
    assert isinstance(found, ast.expr)
    assert source.text_of(found) == "Book.objects"
    assert receiver(call(source, "run")) is None


class TestFiles:
    def test_read_by_the_name_that_captures_give(self, tmp_path: Path, settings: Any) -> None:
        settings.BASE_DIR = tmp_path
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "views.py").write_text("a = 1\n")
        source = project_source("shop/views.py")
        assert source is not None
        assert source.text == "a = 1\n"

    def test_read_again_when_it_has_changed(self, tmp_path: Path, settings: Any) -> None:
        settings.BASE_DIR = tmp_path
        (tmp_path / "views.py").write_text("a = 1\n")
        assert project_source("views.py") is not None
        (tmp_path / "views.py").write_text("a = 1; b = 2\n")
        source = project_source("views.py")
        assert source is not None
        assert source.text == "a = 1; b = 2\n"

    @pytest.mark.parametrize("text", ["a = \n", "\0", "# coding: klingon\n"])
    def test_what_is_no_python_is_no_source(self, text: str, tmp_path: Path, settings: Any) -> None:
        settings.BASE_DIR = tmp_path
        (tmp_path / "views.py").write_text(text)
        assert project_source("views.py") is None

    @pytest.mark.parametrize("file", ["<string>", "missing.py", "\0", "."])
    def test_what_is_not_there_is_no_source(self, file: str) -> None:
        assert project_source(file) is None
