from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.template import engines
from django.views.debug import ExceptionReporter

from django_hotpath import callsite
from django_hotpath.instruments import named_frames
from django_hotpath.instruments.calls import TOOLS, describe, key_of
from django_hotpath.instruments.engines.native import NativeCalls
from django_hotpath.instruments.named_frames import Names, anamed, named
from tests.recording import Run, recording

CALLS = [
    pytest.param(
        "calls:builtins",
        marks=pytest.mark.skipif(NativeCalls.available() is not None, reason="no native tracer"),
        id="native",
    ),
    pytest.param("cprofile", id="cprofile"),
]


def code_of(runner: Any) -> Any:
    return runner.__code__


def described(kind: str, text: str) -> dict[str, Any]:
    code = code_of(named(kind, text))
    return describe(code, key_of(code))


def rows(run: Run, kind: str, instrument: str = "calls") -> list[dict[str, Any]]:
    return [row for row in run[instrument]["functions"] if row["kind"] == kind]


def below(run: Run, kind: str) -> set[str]:
    """Names of the functions called by those of this kind."""
    functions = run["calls"]["functions"]
    return {
        functions[callee]["function"]
        for caller, callee, *_figures in run["calls"]["edges"]
        if functions[caller]["kind"] == kind
    }


def fails(*args: Any, **kwargs: Any) -> None:
    raise KeyError("theirs")


def raised(call: Callable[[], object]) -> KeyError:
    with pytest.raises(KeyError) as caught:
        call()
    return caught.value


class TestRunner:
    def test_gives_what_the_function_gives(self) -> None:
        assert named("sql", "SELECT 1")(dict, [("a", 1)], b=2) == {"a": 1, "b": 2}

    async def test_awaits_a_coroutine_function(self) -> None:
        async def double(number: int) -> int:
            return number * 2

        assert await anamed("cache", "GET x")(double, 2) == 4

    def test_is_the_same_for_the_same_name(self) -> None:
        assert named("sql", "SELECT 1") is named("sql", "SELECT 1")
        assert named("sql", "GET x") is not named("cache", "GET x")

    def test_the_name_is_cut(self) -> None:
        assert described("sql", "x" * 10_000)["function"] == "x" * named_frames.MAX_TEXT

    @pytest.mark.parametrize("text", ["\ud800", "a\0b", "\u202e\u200b", "</script>", ""])
    def test_any_text_can_be_a_name_and_be_encoded(self, text: str) -> None:
        assert described("template", text)["function"].encode()

    def test_a_sync_and_an_async_one_of_a_name_are_one_function(self) -> None:
        keys = {key_of(code_of(make("cache", "GET x"))) for make in (named, anamed)}
        assert len(keys) == 1

    def test_is_described_without_a_file(self) -> None:
        assert described("http", "GET https://example.org/") == {
            "file": "",
            "line": 0,
            "function": "GET https://example.org/",
            "kind": "http",
            "package": "",
        }

    def test_is_nobodys_call_site(self) -> None:
        assert callsite.kind_of(code_of(named("sql", "SELECT 2"))) == callsite.SKIP

    def test_a_file_of_such_a_name_that_is_not_ours_is_a_library(self) -> None:
        assert callsite.locate("<hotpath:other>").kind == "library"


class TestNames:
    def test_beyond_the_limit_there_is_one_for_all_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(named_frames, "MAX_NAMES", 2)
        names = Names("sql", "(others)")
        found = [code_of(names.get(key, str)).co_qualname for key in "abcda"]
        assert found == ["a", "b", "(others)", "(others)", "a"]


class TestErrors:
    def test_the_traceback_names_the_frame_shortly(self) -> None:
        error = raised(lambda: named("sql", "x" * 250)(fails))
        shown = "".join(traceback.format_exception(error))
        assert 'File "<hotpath:sql>", line 4, in hotpath_sql' in shown
        assert "x" * 250 not in shown

    def test_djangos_error_page_leaves_the_frame_out(self, rf: Any) -> None:
        error = raised(lambda: named("sql", "SELECT 'x'")(fails))
        reporter = ExceptionReporter(rf.get("/"), KeyError, error, error.__traceback__)
        assert "KeyError" in reporter.get_traceback_html()
        functions = [frame["function"] for frame in reporter.get_traceback_frames()]
        assert functions == ["raised", "<lambda>", "fails"]


@pytest.mark.parametrize("calls", CALLS)
class TestInTheTable:
    @pytest.mark.django_db
    def test_a_statement_is_a_frame(self, calls: str) -> None:
        with recording(calls, "queries") as run, connection.cursor() as cursor:
            cursor.execute("SELECT %s", ["secret"])
            cursor.fetchall()
        assert [row["function"] for row in rows(run, "sql")] == ["SELECT %s"]
        assert rows(run, "sql")[0]["calls"] == 2

    @pytest.mark.django_db
    def test_literals_of_a_statement_that_names_a_secret_are_masked(self, calls: str) -> None:
        with recording(calls, "queries") as run, connection.cursor() as cursor:
            cursor.execute("SELECT 'hunter2' AS password")
        (query,) = run["queries"]["queries"]
        assert [row["function"] for row in rows(run, "sql")] == [query["sql"]]
        assert "hunter2" not in query["sql"]

    def test_an_operation_of_a_cache_is_a_frame(self, calls: str) -> None:
        with recording(calls, "cache") as run:
            cache.set("known", 1)
            cache.get("known")
            cache.get_many(["known", "unknown"])
            cache.clear()
        found = {row["function"] for row in rows(run, "cache")}
        assert found == {"SET known", "GET known", "GET_MANY known", "CLEAR"}

    def test_a_key_is_redacted(self, calls: str) -> None:
        with recording(calls, "cache") as run:
            cache.get("token-of-ada")
        assert [row["function"] for row in rows(run, "cache")] == ["GET token***"]

    def test_a_template_is_a_frame_with_what_it_renders_below(self, calls: str) -> None:
        def answer() -> int:
            return 42

        template = engines["django"].from_string("{{ answer }}")
        with recording(calls, "templates") as run:
            template.render({"answer": answer})
        assert [row["function"] for row in rows(run, "template")] == ["<string>"]
        # Django's test runner puts a method of its own in the place of Template._render.
        assert below(run, "template") == {"instrumented_test_render"}

    def test_tools_around_it_are_folded(self, calls: str) -> None:
        with recording(calls, "cache") as run:
            cache.get("known")
        assert TOOLS not in below(run, "cache")
        assert any(name.endswith("LocMemCache.get") for name in below(run, "cache"))


class TestWithoutCalls:
    @pytest.mark.django_db
    def test_nothing_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Names, "get", fails)
        with recording("queries", "cache", "templates") as run:
            cache.get("known")
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            engines["django"].from_string("x").render({})
        counts = [run[name]["count"] for name in ("queries", "cache", "templates")]
        assert counts == [1, 1, 1]
        assert run.capture.environment.warnings == ()

    @pytest.mark.django_db
    def test_a_capture_around_it_that_sees_frames_gets_one_of_each(self) -> None:
        with (
            recording("cprofile", "queries") as outer,
            recording("queries") as inner,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1")
        assert inner["queries"]["count"] == 1
        assert [row["calls"] for row in rows(outer, "sql")] == [1]


async def test_asynchronous_operations_of_a_cache_are_frames() -> None:
    with recording("calls", "cache") as run:
        await cache.aset("known", 1)
    assert [row["function"] for row in rows(run, "cache")] == ["SET known"]


@pytest.mark.django_db
def test_samples_see_the_frames() -> None:
    with recording("samples", "queries") as run, connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) "
            "SELECT max(x) FROM n"
        )
        cursor.fetchall()
    (row,) = rows(run, "sql", "samples")
    assert row["function"].startswith("WITH RECURSIVE")
