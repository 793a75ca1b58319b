from __future__ import annotations

import pytest
from django.template import engines
from django.template.base import Template
from django.template.loader import render_to_string

from shop.models import Author, Book
from tests.recording import Run, recording

BOOKS = [Book(title=str(number), author=Author(name="A")) for number in range(3)]


def counts(run: Run) -> dict[str, int]:
    return {found["name"]: found["count"] for found in run["templates"]["templates"]}


def test_includes_are_counted() -> None:
    with recording("templates") as run:
        render_to_string("tests_books.html", {"books": BOOKS})
    assert counts(run) == {"tests_books.html": 1, "tests_book.html": 3}
    assert run["templates"]["count"] == 4


def test_a_parent_is_counted() -> None:
    with recording("templates") as run:
        render_to_string("tests_child.html", {"text": "x"})
    assert counts(run) == {"tests_child.html": 1, "tests_base.html": 1}


def test_own_times_sum_to_the_total() -> None:
    with recording("templates") as run:
        render_to_string("tests_books.html", {"books": BOOKS})
        render_to_string("tests_child.html", {"text": "x"})
    own = sum(found["own_ms"] for found in run["templates"]["templates"])
    assert abs(own - run["templates"]["total_ms"]) < 0.001


def test_renders_know_their_parent() -> None:
    with recording("templates") as run:
        render_to_string("tests_books.html", {"books": BOOKS})
    assert [found["parent"] for found in run["templates"]["renders"]] == [None, 0, 0, 0]


def test_the_file_is_relative_to_the_project() -> None:
    with recording("templates") as run:
        render_to_string("tests_child.html", {"text": "x"})
    files = {found["file"] for found in run["templates"]["templates"]}
    assert "tests/templates/tests_child.html" in files


def test_a_template_made_from_a_string_is_counted() -> None:
    with recording("templates") as run:
        assert engines["django"].from_string("{{ x }}").render({"x": 1}) == "1"
    assert run["templates"]["count"] == 1


def test_a_template_that_raises_is_counted() -> None:
    broken = engines["django"].from_string("{{ x.fail }}")

    class Broken:
        @property
        def fail(self) -> str:
            raise RuntimeError("boom")

    with recording("templates") as run, pytest.raises(RuntimeError):
        broken.render({"x": Broken()})
    assert run["templates"]["count"] == 1


def test_a_template_that_includes_itself_counts_its_time_once() -> None:
    template = engines["django"].from_string(
        "{% if depth %}{% with depth=depth|slice:'1:' %}{% include self %}{% endwith %}{% endif %}"
    )
    with recording("templates") as run:
        template.render({"depth": "xxxx", "self": template.template})
    (found,) = run["templates"]["templates"]
    assert found["count"] == 5
    assert found["cumulative_ms"] <= run["templates"]["total_ms"] + 0.001


def test_the_class_is_as_before_afterwards() -> None:
    before = Template.__dict__["_render"]
    with recording("templates"):
        pass
    assert Template.__dict__["_render"] is before
