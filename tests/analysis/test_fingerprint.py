from __future__ import annotations

import time

import pytest

from django_hotpath.analysis.fingerprint import fingerprint, normalise


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SELECT 1", "select   2"),
        ("SELECT 'a''b'", "SELECT 'c'"),
        ("SELECT * FROM t WHERE a IN (%s, %s)", "SELECT * FROM t WHERE a IN (%s, %s, %s)"),
        ("SELECT * FROM t WHERE a IN (1,2)", "SELECT * FROM t WHERE a IN (1)"),
        ("INSERT INTO t VALUES (%s, %s), (%s, %s)", "INSERT INTO t VALUES (%s, %s)"),
        ("SELECT 1 -- a comment", "SELECT 1 /* another */"),
        ("SELECT a LIMIT 21", "SELECT a\nLIMIT\t5"),
        ('SAVEPOINT "s140_x1"', 'SAVEPOINT "s99_x12"'),
        ("SELECT 1.5e3", "SELECT %s"),
    ],
)
def test_literals_do_not_matter(first: str, second: str) -> None:
    assert fingerprint(first) == fingerprint(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SELECT a FROM t", "SELECT b FROM t"),
        ('SELECT "A" FROM t', 'SELECT "a" FROM t'),
        ("SELECT t1.a FROM t1", "SELECT t2.a FROM t2"),
        ("SELECT 1", "SELECT 1, 1"),
        ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"),
    ],
)
def test_everything_else_does(first: str, second: str) -> None:
    assert fingerprint(first) != fingerprint(second)


def test_is_sixteen_hexadecimal_digits() -> None:
    assert len(fingerprint("SELECT 1")) == 16
    int(fingerprint("SELECT 1"), 16)


def test_a_quoted_comment_is_a_string() -> None:
    assert normalise("SELECT '--x', a") == "select ?, a"


@pytest.mark.parametrize(
    "sql",
    [
        *("'" * 50_000, "/*" * 50_000, "(" * 50_000, "(%s, " * 50_000, "%s" * 50_000),
        *("/* " * 50_000, "[a" * 50_000, "[a " * 50_000, "\udcff\x00", ""),
    ],
)
def test_no_statement_takes_more_than_linear_time(sql: str) -> None:
    began = time.process_time()
    fingerprint(sql)
    # Quadratic time would be minutes for these; the bound leaves a loaded machine its room.
    assert time.process_time() - began < 5
