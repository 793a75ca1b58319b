from __future__ import annotations

import pytest

from django_hotpath.analysis.plans.permitted import refusal
from tests.factories import query


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT COUNT(*) FROM "t" WHERE UPPER("t"."a"::text) = UPPER(%s)',
        'SELECT "t"."a", ROW_NUMBER() OVER (PARTITION BY "t"."b") FROM "t"',
        'SELECT django_date_extract(%s, "t"."a") FROM "t"',
        "SELECT a FROM t WHERE x IN (1, 2) AND EXISTS(SELECT 1 FROM u) ORDER BY RANDOM()",
        "WITH p AS (SELECT a FROM t) SELECT a FROM p",
        "SELECT CAST(a AS varchar(20)), COALESCE(b, 0) FROM t",
        "(SELECT a FROM t) UNION (SELECT a FROM u)",
    ],
)
def test_reads_may_be_run(sql: str) -> None:
    assert refusal(query(0, sql), run=True) is None


def test_an_unknown_function_is_explained_and_not_run() -> None:
    found = query(0, "SELECT app.refresh(a) FROM t")
    assert refusal(found) is None
    assert "refresh()" in (refusal(found, run=True) or "")


def test_a_statement_that_still_ran() -> None:
    assert refusal(query(0, "SELECT a FROM t", running=True))
