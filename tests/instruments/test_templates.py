from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Origin, engines
from django.template.base import Template
from django.template.loader import render_to_string

import django_hotpath
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


def own_times(run: Run) -> float:
    return float(sum(found["own_ms"] for found in run["templates"]["templates"]))


class Calls:
    """Calls a function while its template is being rendered."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function

    def __str__(self) -> str:
        return str(self.function())


def rendering(function: Callable[[], Any]) -> Any:
    return engines["django"].from_string("{{ x }}").render({"x": Calls(function)})


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_is_the_same_object(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with recording("templates") as run, pytest.raises(type(error)) as caught:
        rendering(fail)
    assert caught.value is error
    assert run["templates"]["count"] == 1


def test_a_template_that_cannot_be_described_is_rendered() -> None:
    class Name:
        def __str__(self) -> str:
            raise ValueError("no name")

    template = Template("text")
    template.name = Name()  # type: ignore[assignment]
    with recording("templates") as run:
        assert [template.render(Context()) for _ in range(2)] == ["text", "text"]
    assert run["templates"]["count"] == 0
    (warning,) = [found for found in run.capture.environment.warnings if "templates" in found]
    assert warning == "templates: a rendering was not recorded: ValueError: no name"


def test_a_relative_origin_needs_no_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = Template("text", origin=Origin("mail/body.txt", template_name="body.txt"))
    monkeypatch.setattr("os.getcwd", lambda: (_ for _ in ()).throw(FileNotFoundError()))
    with recording("templates") as run:
        assert template.render(Context()) == "text"
    assert [found["file"] for found in run["templates"]["templates"]] == ["body.txt"]


def test_threads_with_a_copied_context_leave_own_times_positive() -> None:
    inner = Template("{{ x }}", name="inner")
    both = threading.Barrier(2)

    def parallel() -> str:
        def render() -> None:
            inner.render(Context({"x": Calls(lambda: both.wait(timeout=10))}))

        contexts = [copy_context() for _ in range(2)]
        threads = [threading.Thread(target=context.run, args=(render,)) for context in contexts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return "done"

    with recording("templates") as run:
        assert rendering(parallel) == "done"
    assert run["templates"]["count"] == 3
    assert [found["parent"] for found in run["templates"]["renders"]] == [None, None, None]
    assert all(found["own_ms"] >= 0 for found in run["templates"]["renders"])
    (found,) = [found for found in run["templates"]["templates"] if found["name"] == "inner"]
    durations = [
        render["duration_ms"] for render in run["templates"]["renders"] if render["name"] == "inner"
    ]
    assert abs(found["cumulative_ms"] - sum(durations)) < 0.001
    assert abs(own_times(run) - run["templates"]["total_ms"]) < 0.001


def test_a_context_that_outlives_its_rendering_has_no_parent() -> None:
    contexts: list[Any] = []
    with recording("templates") as run:
        rendering(lambda: contexts.append(copy_context()))
        contexts[0].run(Template("late").render, Context())
    assert [found["parent"] for found in run["templates"]["renders"]] == [None, None]
    assert abs(own_times(run) - run["templates"]["total_ms"]) < 0.001


def test_a_rendering_that_outlives_the_capture_is_left_out() -> None:
    started, ended = threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        ended.wait(timeout=10)

    with recording("templates") as run:
        thread = threading.Thread(target=copy_context().run, args=(rendering, lambda: wait()))
        thread.start()
        started.wait(timeout=10)
        render_to_string("tests_child.html", {"text": "x"})
    ended.set()
    thread.join()
    assert counts(run) == {"tests_child.html": 1, "tests_base.html": 1}
    assert [found["parent"] for found in run["templates"]["renders"]] == [None, 0]


def test_a_method_that_somebody_patched_meanwhile_is_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Put back after the test.
    monkeypatch.setattr(Template, "_render", Template.__dict__["_render"])
    template = Template("text")
    with recording("templates") as first:
        ours = Template.__dict__["_render"]

        def apm(self: Template, context: Context) -> Any:
            return ours(self, context)

        Template._render = apm  # type: ignore[attr-defined]
        template.render(Context())
    with recording("templates") as second:
        assert template.render(Context()) == "text"
    assert Template.__dict__["_render"] is apm
    assert (first["templates"]["count"], second["templates"]["count"]) == (1, 1)


def test_a_capture_within_a_rendering_has_its_own_times() -> None:
    inner: list[Run] = []

    def capture() -> None:
        with recording("templates") as run:
            Template("inner").render(Context())
        inner.append(run)

    with recording("templates") as run:
        rendering(capture)
    (found,) = inner
    assert found["templates"]["count"] == 1
    assert abs(own_times(found) - found["templates"]["total_ms"]) < 0.001
    assert abs(own_times(run) - run["templates"]["total_ms"]) < 0.001
    assert run["templates"]["count"] == 2


def test_own_pages_are_not_counted() -> None:
    path = Path(django_hotpath.__file__).parent / "templates" / "page.html"
    with recording("templates") as run:
        assert Template("ours", origin=Origin(str(path))).render(Context()) == "ours"
    assert run["templates"]["count"] == 0
