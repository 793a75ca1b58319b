"""``duplicate_query``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.capture import Capture
from tests.analysis.found import AUTHOR, BOOKS, kinds, only
from tests.factories import SITE, query, with_queries


def between(sql: str, **values: Any) -> Capture:
    """The same read before and after a statement."""
    return with_queries(query(0, BOOKS), query(1, sql, **values), query(2, BOOKS, duplicate_of=0))


def test_found_with_all_its_places() -> None:
    finding = only(
        with_queries(
            query(0, BOOKS),
            query(1, BOOKS, duplicate_of=0, call_site={**SITE, "line": 30}, stack=[1]),
        )
    )
    assert (finding.kind, finding.count) == ("duplicate_query", 2)
    assert "shop/views.py:12" in finding.detail
    assert "shop/views.py:30" in finding.detail


def test_gone_after_the_fix() -> None:
    assert kinds(with_queries(query(0, BOOKS))) == []


def test_silent_when_something_was_written_in_between() -> None:
    capture = with_queries(
        query(0, BOOKS), query(1, "UPDATE book SET a = 1"), query(2, BOOKS, duplicate_of=0)
    )
    assert kinds(capture) == []


def test_repeats_after_a_write_count_anew() -> None:
    finding = only(
        with_queries(
            query(0, BOOKS),
            query(1, "DELETE FROM book"),
            query(2, BOOKS, duplicate_of=0),
            query(3, BOOKS, duplicate_of=0),
        )
    )
    assert finding.queries == (2, 3)


def test_a_write_to_an_alias_that_may_be_the_same_database_counts() -> None:
    assert kinds(between("UPDATE book SET a = 1", alias="other")) == []


def test_a_write_to_a_database_of_another_vendor_does_not_excuse() -> None:
    capture = between("UPDATE book SET a = 1", alias="other", vendor="postgresql")
    assert kinds(capture) == ["duplicate_query"]


@pytest.mark.parametrize("sql", ["SAVEPOINT s1", "BEGIN", "PRAGMA foreign_keys"])
def test_silent_on_what_is_no_question(sql: str) -> None:
    assert kinds(with_queries(query(0, sql), query(1, sql, duplicate_of=0))) == []


def test_the_same_loop_with_one_parameter_is_a_duplicate_not_n_plus_one() -> None:
    queries = [query(0, AUTHOR)] + [query(n, AUTHOR, duplicate_of=0) for n in range(1, 20)]
    assert kinds(with_queries(*queries)) == ["duplicate_query"]


@pytest.mark.parametrize(
    "sql",
    [
        "ROLLBACK TO SAVEPOINT s1",
        "ROLLBACK",
        "COMMIT",
        "/* w */ UPDATE book SET a = 1",
        "-- c\nUPDATE book SET a = 1",
        "WITH x AS (SELECT 1) INSERT INTO book SELECT * FROM x",
        "WITH x AS (DELETE FROM book RETURNING id) SELECT * FROM x",
        "TRUNCATE book",
        "CALL refresh()",
        "SET search_path TO other",
        "SELECT refresh(%s)",
        "SELECT a INTO copy FROM book",
        "SELECT 1; DELETE FROM book",
        "SELECT a FROM book FOR UPDATE",
        "VACUUM",
        "GRUMBLE",
    ],
)
def test_silent_when_the_answer_may_have_changed(sql: str) -> None:
    assert kinds(between(sql)) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SAVEPOINT s1",
        "RELEASE SAVEPOINT s1",
        "BEGIN",
        "SELECT a FROM author",
        "WITH x AS (SELECT 'UPDATE' AS \"DELETE\") SELECT a FROM x",
        "EXPLAIN SELECT a FROM book",
    ],
)
def test_what_changes_nothing_does_not_excuse(sql: str) -> None:
    assert kinds(between(sql)) == ["duplicate_query"]


def test_silent_on_a_statement_cut_short_in_between() -> None:
    assert kinds(between("SELECT a FROM author", sql_truncated=99_999)) == []


def test_silent_when_a_transaction_ended_in_between() -> None:
    first = query(0, BOOKS, transaction=True)
    assert kinds(with_queries(first, query(1, BOOKS, duplicate_of=0))) == []


def test_silent_when_a_transaction_of_another_alias_ended_in_between() -> None:
    capture = with_queries(
        query(0, BOOKS),
        query(1, AUTHOR, alias="other", transaction=True),
        query(2, "SELECT 1", alias="other"),
        query(3, BOOKS, duplicate_of=0),
    )
    assert kinds(capture) == []


def test_found_within_a_transaction_and_when_one_begins() -> None:
    inside = [query(n, BOOKS, transaction=True, duplicate_of=0) for n in (1, 2)]
    assert only(with_queries(query(0, BOOKS), *inside)).queries == (0, 1, 2)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM book ORDER BY RANDOM() LIMIT 1",
        "SELECT a FROM book ORDER BY RAND()",
        "SELECT nextval('s') FROM book",
        "SELECT gen_random_uuid() FROM book",
        "SELECT a FROM book WHERE published < now()",
        "SELECT a FROM book WHERE published < CURRENT_TIMESTAMP",
        "SELECT a FROM book WHERE published < datetime('now')",
        "SELECT a FROM book FOR UPDATE",
        "SELECT a FROM book FOR NO KEY UPDATE",
        "SELECT a FROM book FOR SHARE",
        "SELECT pg_sleep(1)",
        "SELECT pg_try_advisory_lock(1)",
        "SELECT pg_relation_size(a) FROM book",
        "SELECT changes()",
        "SELECT last_insert_rowid()",
        "WITH x AS (SELECT 1) UPDATE book SET a = 1",
    ],
)
def test_silent_on_what_is_answered_anew_each_time(sql: str) -> None:
    assert kinds(with_queries(query(0, sql), query(1, sql, duplicate_of=0))) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'random()' FROM book",
        'SELECT "now" FROM book',
        "SELECT COUNT(*) AS c FROM book WHERE a IN (SELECT b FROM author)",
        "/* now() */ SELECT UPPER(a) FROM book",
        "WITH x AS (SELECT a FROM book) SELECT a FROM x",
        "\n  SELECT a FROM book",
        r"SELECT a FROM book WHERE b LIKE %s ESCAPE '\'",
        "SELECT a, CURRENT_DATE FROM book",
    ],
)
def test_found_where_only_the_look_is_of_a_change(sql: str) -> None:
    capture = with_queries(query(0, sql), query(1, sql, duplicate_of=0))
    assert kinds(capture) == ["duplicate_query"]


def test_an_unknown_line_is_called_so() -> None:
    queries = [query(0, BOOKS, call_site=None), query(1, BOOKS, call_site=None, duplicate_of=0)]
    finding = only(with_queries(*queries))
    assert finding.title == "The same query 2 times, line unknown"
    assert "unknown" in finding.detail
