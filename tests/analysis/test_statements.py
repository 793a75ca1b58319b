from __future__ import annotations

import time

import pytest

from django_hotpath.analysis.batches import is_batch, is_page
from django_hotpath.analysis.statements import (
    bare,
    is_read,
    is_repeatable,
    is_write,
    resets_answers,
    verb,
)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select 1", "SELECT"),
        ("\n\t SELECT 1", "SELECT"),
        ("((SELECT a FROM t) UNION (SELECT b FROM t))", "SELECT"),
        ("-- c\n/* d */ # e\nUPDATE t SET a = 1", "UPDATE"),
        ("SELECT/**/1", "SELECT"),
        ("ROLLBACK TO SAVEPOINT s1", "ROLLBACK"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT"),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "INSERT"),
        ("with x as (select 1)\n-- c\nupdate t set a = 1", "UPDATE"),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "DELETE"),
        ("WITH x AS MATERIALIZED (SELECT 1) MERGE INTO t USING x ON a = b", "MERGE"),
        ("WITH x AS (SELECT 1) REPLACE INTO t SELECT * FROM x", "REPLACE"),
        (
            "WITH x AS (SELECT 'a) UPDATE', \") DELETE\", `) INSERT` /* ) MERGE */) TABLE x",
            "SELECT",
        ),
        ("WITH x AS (SELECT a FROM t FOR UPDATE) SELECT * FROM x", "SELECT"),
        ("WITH x AS (SELECT (REPLACE(a, 'b', 'c')), (INSERT(a, 1, 2, 'b'))) SELECT 1", "SELECT"),
        ("", ""),
        ("-- nothing", ""),
        ("/* open SELECT", ""),
        ("'SELECT'", ""),
    ],
)
def test_the_verb_is_the_keyword_that_counts(sql: str, word: str) -> None:
    assert verb(sql) == word


@pytest.mark.parametrize(
    "sql",
    [
        r"WITH x AS (SELECT 'it\'s') UPDATE t SET a = 'b'",
        "WITH x AS (SELECT $$it's$$) DELETE FROM t WHERE a = 'b'",
        "WITH x AS (SELECT 1 # it's\n) DELETE FROM t",
    ],
)
def test_a_doubtful_string_does_not_hide_a_write(sql: str) -> None:
    assert verb(sql) in {"UPDATE", "DELETE"}
    assert not is_read(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "VALUES (1)", "TABLE t", "SELECT a FROM t;", "(SELECT 1)"]
)
def test_reads(sql: str) -> None:
    assert (is_read(sql), is_write(sql), resets_answers(sql)) == (True, False, False)
    assert is_repeatable(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "TRUNCATE t",
        "CALL f()",
        "SET a = 1",
        "PRAGMA foreign_keys = ON",
        "SELECT f(1)",
        "SELECT * FROM shop.f(1)",
        "SELECT a INTO b FROM t",
        "SELECT @a := 1",
        "SELECT 1; DROP TABLE t",
        "EXPLAIN ANALYZE DELETE FROM t",
        "/*! DELETE FROM t */",
        "{call f()}",
    ],
)
def test_all_that_is_not_known_to_be_harmless_writes(sql: str) -> None:
    assert (is_read(sql), is_write(sql), resets_answers(sql)) == (False, True, True)


@pytest.mark.parametrize("sql", ["SAVEPOINT a", "RELEASE SAVEPOINT a", "BEGIN", "SHOW TABLES", ""])
def test_neither_reads_nor_writes(sql: str) -> None:
    assert (is_read(sql), is_write(sql), resets_answers(sql)) == (False, False, False)


@pytest.mark.parametrize("sql", ["COMMIT", "END", "ROLLBACK", "ROLLBACK TO SAVEPOINT a"])
def test_the_end_of_a_transaction_resets_and_does_not_write(sql: str) -> None:
    assert (is_write(sql), resets_answers(sql)) == (False, True)


def test_bare_keeps_what_is_code() -> None:
    assert bare("select 'a',\n \"c\" -- d\nfrom t /* e */") == 'SELECT "", "" FROM T'


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t WHERE b IN (%s, %s)",
        "SELECT a FROM t WHERE b IN (?,?,?)",
        "SELECT a FROM t WHERE b IN (%(x)s, %(y)s)",
        "SELECT a FROM t WHERE b IN (:arg0, :arg1)",
        "SELECT a FROM t WHERE b IN (%s::uuid, %s::uuid)",
        "SELECT a FROM t WHERE b = ANY (%s)",
        "SELECT a FROM t WHERE b IN %s",
    ],
)
def test_batches(sql: str) -> None:
    assert is_batch(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t WHERE b IN (%s)",
        "SELECT a FROM t WHERE b = %s AND c = %s",
        "SELECT a FROM t WHERE b = '(%s, %s)'",
        "SELECT f(%s), g(a, %s) FROM t",
    ],
)
def test_no_batches(sql: str) -> None:
    assert not is_batch(sql)


def test_pages() -> None:
    assert is_page("SELECT a FROM t LIMIT 3 OFFSET 3")
    assert is_page("SELECT a FROM t limit 3, 3")
    assert not is_page("SELECT a FROM t LIMIT 3")
    assert not is_page('SELECT "offset" FROM t')


@pytest.mark.parametrize(
    "part",
    [
        *("'", '"', "`", "/*", "/* ", "/*a", "--", "-- \n", "#", "#\n", "(", ") ", "; ", " ", "\n"),
        *("WITH ", "WITH (", "(UPDATE ", "(UPDATE(", "FROM ", "FROM a", "FROM a.", "FOR ", "a"),
        *("uuid", "rand", "(%s, ", "%s, ", "(%(a", "%(", ":a", "IN ", "ANY (", "LIMIT ", "LIMIT a"),
        *("$a", "$$", "\\'", "INTO ", "SELECT ", "[a", "\udcff\x00", "ß", "a ("),
    ],
)
def test_no_statement_takes_more_than_linear_time(part: str) -> None:
    began = time.process_time()
    for start in ("", "WITH ", "SELECT ", "SELECT a FROM ", "SELECT (%s"):
        sql = start + part * (200_000 // len(part))
        verb(sql)
        is_batch(sql)
        is_page(sql)
    # Quadratic time would be minutes for these; the bound leaves a loaded machine its room.
    assert time.process_time() - began < 5
