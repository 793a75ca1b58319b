from __future__ import annotations

import threading
from contextlib import suppress
from contextvars import copy_context
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.db.backends.signals import connection_created
from django.db.models import Value
from django.db.models.functions import Concat
from django.db.utils import DatabaseError, OperationalError
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from django_hotpath import api
from django_hotpath.instruments import queries, query_record
from shop.models import Author, Book
from tests.recording import recording

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def make_books(count: int) -> None:
    for number in range(count):
        author = Author.objects.create(name=f"A{number}", email="", born=1900, bio="")
        Book.objects.create(
            title=f"B{number}", author=author, pages=1, price="1.00", summary="", published=True
        )


def test_every_statement_is_recorded_in_order() -> None:
    with recording("queries") as run:
        Group.objects.create(name="a")
        list(Group.objects.all())
    verbs = [query["sql"].split()[0] for query in run["queries"]["queries"]]
    assert verbs == ["INSERT", "SELECT"]
    assert [query["index"] for query in run["queries"]["queries"]] == [0, 1]
    assert run["queries"]["count"] == 2


def test_nothing_is_recorded_outside_a_capture() -> None:
    with recording("queries") as run:
        pass
    list(Group.objects.all())
    assert run["queries"]["count"] == 0


def test_the_call_site_is_the_innermost_line_of_the_project() -> None:
    with recording("queries") as run:
        list(Group.objects.all())
    (query,) = run["queries"]["queries"]
    assert query["call_site"]["file"] == "tests/instruments/test_queries.py"
    assert query["call_site"]["function"].endswith("project")
    frames = [run["queries"]["frames"][index] for index in query["stack"]]
    assert frames[-1]["line"] == query["call_site"]["line"]


def test_a_template_names_its_line() -> None:
    make_books(1)
    with recording("queries") as run:
        render_to_string("tests_books.html", {"books": Book.objects.all()})
    first, second = run["queries"]["queries"]
    assert first["call_site"]["template"].endswith("tests_books.html")
    assert first["call_site"]["template_line"] == 1
    assert second["call_site"]["template"] == "tests/templates/tests_book.html"
    assert second["call_site"]["template_line"] == 2


def test_all_aliases_are_recorded() -> None:
    with recording("queries") as run:
        list(Group.objects.using("other"))
        list(Group.objects.using("default"))
    assert [query["alias"] for query in run["queries"]["queries"]] == ["other", "default"]


def test_rows_fetched_are_counted() -> None:
    Group.objects.bulk_create(Group(name=str(number)) for number in range(250))
    with recording("queries") as run:
        list(Group.objects.all())
        Group.objects.first()
        list(Group.objects.iterator(chunk_size=10))
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM auth_group")
            cursor.fetchone()
            cursor.fetchmany(5)
            cursor.fetchall()
    assert [query["rows"] for query in run["queries"]["queries"]] == [250, 1, 250, 250]


def test_rows_affected_are_counted() -> None:
    Group.objects.bulk_create(Group(name=str(number)) for number in range(3))
    with recording("queries") as run:
        Group.objects.filter(pk__gt=0).update(name=Concat("name", Value("!")))
    assert run["queries"]["queries"][0]["rows"] == 3


def test_an_error_is_recorded_and_reaches_the_caller_unchanged() -> None:
    with recording("queries") as run, transaction.atomic():  # noqa: SIM117
        with pytest.raises(DatabaseError, match="nowhere") as caught:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM nowhere")
    (failed,) = [query for query in run["queries"]["queries"] if query.get("error")]
    assert failed["error"].startswith(f"{type(caught.value).__name__}: ")
    assert "nowhere" in failed["error"]


def test_an_error_while_fetching_is_still_a_django_error() -> None:
    with recording("queries"), connection.cursor() as cursor:
        gone = connection.Database.OperationalError("gone")
        cursor.cursor = Mock(wraps=cursor.cursor, fetchone=Mock(side_effect=gone))
        cursor.execute("SELECT 1")
        with pytest.raises(OperationalError, match="gone"):
            cursor.fetchone()


def test_executemany_is_one_statement() -> None:
    rows = [[f"group {number}"] for number in range(4)]
    with recording("queries") as run, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO auth_group (name) VALUES (%s)", rows)
    (query,) = run["queries"]["queries"]
    assert (query["many"], query["rows"], query["params"]) == (True, 4, ["'group 0'"])


def test_an_iterator_of_parameters_is_left_to_the_driver() -> None:
    rows = ([f"group {number}"] for number in range(4))
    with recording("queries") as run, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO auth_group (name) VALUES (%s)", rows)
    assert Group.objects.count() == 4
    assert run["queries"]["queries"][0]["params"] is None


def test_duplicates_point_to_the_first() -> None:
    with recording("queries") as run:
        for name in ("a", "b", "a"):
            Group.objects.filter(name=name).first()
    found = [query.get("duplicate_of") for query in run["queries"]["queries"]]
    assert found == [None, None, 0]


def test_true_and_one_are_not_the_same_parameter() -> None:
    with recording("queries") as run, connection.cursor() as cursor:
        for value in (1, True, 1.0):
            cursor.execute("SELECT %s", [value])
    assert [query.get("duplicate_of") for query in run["queries"]["queries"]] == [None] * 3


def test_parameters_of_secret_columns_are_masked() -> None:
    with recording("queries") as run:
        list(Group.objects.extra(where=["name = %s"], params=["x"]))
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 WHERE 'password' = %s AND 1 = %s", ["hunter2", 1])
            cursor.execute("SELECT id FROM auth_user WHERE password = %s", ["hunter2"])
    assert "hunter2" not in str(run["queries"]["queries"][2]["params"])
    assert run["queries"]["queries"][0]["params"] == ["'x'"]


class Explosive:
    def __repr__(self) -> str:
        raise RuntimeError("never called")

    __str__ = __repr__


def test_a_parameter_that_is_no_plain_value_is_shown_as_its_type() -> None:
    with recording("queries") as run, connection.cursor() as cursor:
        # MySQLdb calls it itself.
        with pytest.raises((DatabaseError, RuntimeError)):
            cursor.execute("SELECT %s", [Explosive()])
        cursor.execute("SELECT %s, %s, %s", [b"abc", None, "x" * 1000])
    failed, good = run["queries"]["queries"]
    assert failed["params"] == [f"<{__name__}.Explosive>"]
    assert good["params"][:2] == ["<bytes, 3 bytes>", "NULL"]
    assert len(good["params"][2]) <= 200


def test_a_list_that_is_used_again_keeps_its_old_values() -> None:
    with recording("queries") as run, connection.cursor() as cursor:
        values = [0]
        for number in range(3):
            values[0] = number
            cursor.execute("SELECT %s", values)
    found = run["queries"]["queries"]
    assert [query["params"] for query in found] == [["0"], ["1"], ["2"]]
    assert [query.get("duplicate_of") for query in found] == [None] * 3


def test_a_parameter_that_cannot_be_hashed_loses_nothing() -> None:
    with recording("queries") as run, connection.cursor() as cursor:
        # MariaDB has no such number.
        with suppress(DatabaseError):
            cursor.execute("SELECT %s", [Decimal("sNaN")])
        cursor.execute("SELECT 1")
    assert run["queries"]["count"] == 2


def test_safe_strings_are_equal_to_plain_ones() -> None:
    with recording("queries") as run, connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["a"])
        cursor.execute("SELECT %s", [mark_safe("a")])
    assert run["queries"]["queries"][1]["duplicate_of"] == 0
    assert run["queries"]["queries"][1]["params"] == ["'a'"]


def test_a_cursor_whose_fetching_the_application_replaced_is_left_alone() -> None:
    with recording("queries"), connection.cursor() as cursor:
        cursor.fetchone = lambda: "mine"
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == "mine"


def test_a_statement_within_a_wrapper_of_the_application_is_not_timed_twice() -> None:
    def theirs(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "outer" in sql:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 'inner'")
        return execute(sql, params, many, context)

    with (
        recording("queries") as run,
        connection.execute_wrapper(theirs),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 'outer'")
    assert run["queries"]["count"] == 2
    total = sum(query["duration_ms"] for query in run["queries"]["queries"])
    assert total <= run.capture.timing.wall_ms + 0.01


def test_a_statement_that_still_runs_says_so() -> None:
    entered, leave = threading.Event(), threading.Event()

    def theirs(execute: Any, *args: Any) -> Any:
        entered.set()
        leave.wait(10)
        return execute(*args)

    def work() -> None:
        # A new connection may ask something first.
        connection.ensure_connection()
        with connection.execute_wrapper(theirs):
            Group.objects.count()
        connections.close_all()

    with recording("queries") as run:
        thread = threading.Thread(target=copy_context().run, args=[work])
        thread.start()
        entered.wait(10)
    leave.set()
    thread.join()
    (query,) = run["queries"]["queries"]
    assert query["running"] is True
    assert query["start_ms"] >= 0
    assert query["duration_ms"] == 0


def test_calls_on_one_line_have_their_own_positions() -> None:
    with recording("queries") as run:
        _ = Group.objects.count(), Group.objects.count()
    first, second = run["queries"]["queries"]
    assert first["stack"] == second["stack"]
    assert first["positions"] != second["positions"]


def test_long_sql_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_record, "MAX_SQL", 50)
    with recording("queries") as run:
        list(Group.objects.filter(name__in=[str(number) for number in range(50)]))
    (query,) = run["queries"]["queries"]
    assert len(query["sql"]) == 50
    assert query["sql_truncated"] > 50


def test_statements_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_QUERIES", 3)
    with recording("queries") as run:
        for _ in range(5):
            Group.objects.count()
    assert (run["queries"]["count"], run["queries"]["truncated"]) == (5, 2)
    assert len(run["queries"]["queries"]) == 3


def test_an_open_transaction_is_noted() -> None:
    with recording("queries") as run, transaction.atomic():
        Group.objects.count()
    assert run["queries"]["queries"][-1]["transaction"] is True


def test_a_wrapper_of_the_application_is_not_disturbed() -> None:
    seen: list[str] = []

    def theirs(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with recording("queries") as run, connection.execute_wrapper(theirs):
        Group.objects.count()
    Group.objects.count()
    assert len(seen) == 1
    assert run["queries"]["count"] == 1


def test_a_connection_made_inside_their_wrapper_keeps_ours_and_drops_theirs() -> None:
    # with connection.execute_wrapper(...) ends with a pop() of the last wrapper.
    def theirs(execute: Any, *args: Any) -> Any:
        return execute(*args)

    wrappers = connection.execute_wrappers
    kept = list(wrappers)
    wrappers.clear()
    try:
        with connection.execute_wrapper(theirs):
            connection_created.send(sender=type(connection), connection=connection)
        assert wrappers == [queries.execute_wrapper]
    finally:
        wrappers[:] = kept


def test_a_connection_has_the_wrapper_once() -> None:
    for _ in range(3):
        connection_created.send(sender=type(connection), connection=connection)
    assert connection.execute_wrappers.count(queries.execute_wrapper) == 1


def test_the_cursor_is_freed_when_the_application_lets_go() -> None:
    import gc
    import weakref

    gc.disable()
    try:
        with recording("queries"):
            cursor = connection.cursor()
            cursor.execute("SELECT 1")
            cursor.fetchall()
            cursor.close()
            alive = weakref.ref(cursor)
            del cursor
            assert alive() is None
    finally:
        gc.enable()


def test_our_own_failure_never_reaches_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(queries, "walk", broken)
    with recording("queries") as run:
        assert Group.objects.count() == 0
    assert any("ZeroDivisionError" in warning for warning in run.capture.environment.warnings)
    assert run["queries"]["count"] == 1


@pytest.mark.django_db(transaction=True)
async def test_async_queries_are_seen() -> None:
    run = api.profile("async", instruments=["queries"], save=False)

    @run
    async def work() -> int:
        return await Group.objects.acount()

    await work()
    await sync_to_async(connections.close_all)()
    assert run.capture is not None
    assert run.capture.instruments["queries"]["count"] == 1


@pytest.mark.django_db(transaction=True)
async def test_concurrent_tasks_are_kept_apart() -> None:
    import asyncio

    async def work(name: str, times: int) -> api.profile:
        run = api.profile(name, instruments=["queries"], save=False)

        @run
        async def inner() -> None:
            for _ in range(times):
                await Group.objects.filter(name=name).acount()
                await asyncio.sleep(0)

        await inner()
        return run

    runs = await asyncio.gather(*(work(str(times), times) for times in range(1, 6)))
    await sync_to_async(connections.close_all)()
    captured = [run.capture.instruments["queries"] for run in runs if run.capture]
    # A new connection may ask something first.
    counts = [sum("auth_group" in query["sql"] for query in found["queries"]) for found in captured]
    assert counts == [1, 2, 3, 4, 5]


@pytest.mark.django_db(transaction=True)
def test_another_thread_without_the_context_is_not_recorded() -> None:
    def work() -> None:
        Group.objects.using("default").count()
        connections.close_all()

    with recording("queries") as run:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert run["queries"]["count"] == 0


@pytest.mark.django_db(transaction=True)
class TestAsyncCallSites:
    async def run(self, work: Any) -> dict[str, Any]:
        run = api.profile("async", instruments=["queries"], save=False)
        await run(work)()
        await sync_to_async(connections.close_all)()
        assert run.capture is not None
        site: dict[str, Any] = run.capture.instruments["queries"]["queries"][0]["call_site"]
        assert site["file"] == "tests/instruments/test_queries.py"
        return site

    async def test_an_awaited_query_is_at_the_line_of_the_coroutine(self) -> None:
        async def work() -> None:
            await Group.objects.acount()

        assert (await self.run(work))["function"].endswith("work")

    async def test_a_query_in_a_task_is_at_the_line_of_the_task(self) -> None:
        import asyncio

        async def inner() -> None:
            await Group.objects.acount()

        async def work() -> None:
            await asyncio.gather(asyncio.sleep(0), inner(), asyncio.sleep(0.01))

        assert (await self.run(work))["function"].endswith("inner")

    async def test_a_query_of_an_async_for_is_at_its_line(self) -> None:
        async def work() -> None:
            async for _group in Group.objects.all():
                pass

        assert (await self.run(work))["function"].endswith("work")

    async def test_a_sync_function_in_a_thread_is_at_its_own_line(self) -> None:
        def inner() -> None:
            Group.objects.count()

        async def work() -> None:
            await sync_to_async(inner)()

        assert (await self.run(work))["function"].endswith("inner")
