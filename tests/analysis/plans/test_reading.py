"""What is read of a statement, and above all what is not."""

from __future__ import annotations

import random

import pytest

from django_hotpath.analysis.plans.reading import Block, read
from django_hotpath.analysis.sqltokens import words
from tests.analysis.plans.recorded import STATEMENTS


def block(sql: str) -> Block:
    return read(sql)[0]


def where(condition: str) -> list[tuple[str, str]]:
    found = block(f"SELECT a FROM t WHERE {condition}")
    return [(one.column.column, one.kind) for one in found.conditions]


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("a = %s", [("a", "equal")]),
            ("%s = a", [("a", "equal")]),
            ('"t"."a" = %s', [("a", "equal")]),
            ("`t`.`a` = 'x'", [("a", "equal")]),
            ("a = -5", [("a", "equal")]),
            ("a IN (%s)", [("a", "equal")]),
            ("a IN (%s, %s)", [("a", "in")]),
            ("a >= %s AND a < %s", [("a", "range"), ("a", "range")]),
            ("a BETWEEN %s AND %s AND b = 1", [("a", "range"), ("b", "equal")]),
            ("a IS NULL", [("a", "null")]),
            ("a IS NOT NULL", [("a", "not null")]),
            ("(a = 1 AND (b = 2 AND c > 3))", [("a", "equal"), ("b", "equal"), ("c", "range")]),
            ("a", [("a", "equal")]),
            ("NOT a", [("a", "equal")]),
            ('NOT "t"."a" AND b = 1', [("a", "equal"), ("b", "equal")]),
        ],
    )
    def test_plain_ones_are_read(self, condition: str, expected: list[tuple[str, str]]) -> None:
        assert where(condition) == expected
        assert block(f"SELECT a FROM t WHERE {condition}").unread == 0

    @pytest.mark.parametrize(
        "condition",
        [
            "a = 1 OR b = 2",
            "(a = 1 OR b = 2)",
            "a <> 1",
            "NOT (a = 1)",
            "NOT (a = 1 AND b = 2)",
            "UPPER(a) = %s",
            "a::text = %s",
            "a = %s::integer + 1",
            "(a)::date = %s",
            "a + 1 = %s",
            "a = %s + 1",
            "a = b + 1",
            "a LIKE 'x%%'",
            "a NOT IN (1, 2)",
            "a IN (SELECT id FROM u)",
            "a = (SELECT 1)",
            "EXISTS (SELECT 1 FROM u WHERE u.x = 1)",
            "CASE WHEN a = 1 THEN 2 END = 2",
            "a = 1 XOR b = 2",
            "a = 1 || b = 2",
            "a COLLATE NOCASE = %s",
            "a = %s COLLATE NOCASE",
            "(a, b) = (1, 2)",
            "a IS TRUE",
            "a = CURRENT_DATE",
            "a NOT BETWEEN 1 AND 2",
            "a = b = c",
            "a @> %s",
        ],
    )
    def test_others_are_counted_and_not_guessed(self, condition: str) -> None:
        found = block(f"SELECT a FROM t WHERE {condition}")
        assert found.conditions == ()
        assert found.unread >= 1

    def test_a_boolean_column_has_its_value(self) -> None:
        found = block("SELECT a FROM t WHERE x AND NOT y").conditions
        assert [one.value.literal for one in found if one.value] == [True, False]

    def test_placeholders_are_numbered_through_the_statement(self) -> None:
        found = block("SELECT %s AS one FROM t WHERE a = 'x' AND b = %s").conditions
        assert found[1].value is not None
        assert found[1].value.slot == 1

    def test_a_column_of_two_tables_without_a_name_belongs_to_none(self) -> None:
        assert block("SELECT 1 FROM t, u WHERE a = 1").conditions == ()


class TestTables:
    def test_joins_and_aliases(self) -> None:
        found = block(
            'SELECT 1 FROM "a" INNER JOIN "b" ON ("a"."b_id" = "b"."id") '
            'LEFT OUTER JOIN "c" T3 ON ("b"."c_id" = T3."id" AND T3."x" = 1) WHERE "a"."n" = 1'
        )
        assert found.tables == {"a": "a", "b": "b", "T3": "c"}
        assert found.outer == ("T3",)
        # An outer join leaves out no row of its left side: nothing is searched there.
        assert [(one.column.table, one.kind) for one in found.conditions] == [
            ("a", "equal"),
            ("a", "join"),
            ("b", "join"),
            ("T3", "join"),
            ("T3", "equal"),
        ]

    def test_a_schema_in_front(self) -> None:
        found = block('SELECT 1 FROM "public"."t" AS x WHERE x.a = 1')
        assert found.tables == {"x": "t"}

    @pytest.mark.parametrize(
        "source",
        ["a RIGHT JOIN b ON (a.x = b.x)", "a NATURAL JOIN b", "generate_series(1, 2)", "t, t"],
    )
    def test_what_is_not_understood_is_no_block(self, source: str) -> None:
        assert read(f"SELECT 1 FROM {source} WHERE a.x = 1") == ()

    def test_a_subquery_is_a_block_of_its_own(self) -> None:
        outer, inner = read(
            "SELECT a.id FROM a WHERE EXISTS(SELECT 1 FROM z U0 WHERE U0.aid = a.id AND U0.k = 2)"
        )
        assert outer.unread == 1
        assert [one.kind for one in inner.of("U0")] == ["join", "equal"]


class TestOrder:
    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ("a", [("a", False)]),
            ("t.a DESC, b ASC", [("a", True), ("b", False)]),
            ("2", [("b", False)]),
            ("n DESC", [("b", True)]),
        ],
    )
    def test_plain_orders(self, order: str, expected: list[tuple[str, bool]]) -> None:
        found = block(f"SELECT a, b AS n FROM t ORDER BY {order} LIMIT 3")
        assert found.order is not None
        assert [(ref.column, down) for ref, down in found.order] == expected
        assert found.limited

    @pytest.mark.parametrize(
        "order",
        ["UPPER(a)", "a + 1", "a DESC NULLS LAST", "a COLLATE x", "3", "c::text", "RANDOM()"],
    )
    def test_any_other_order_is_unknown(self, order: str) -> None:
        assert block(f"SELECT a, b, COUNT(c) FROM t ORDER BY {order}").order is None

    def test_the_order_of_a_union_is_that_of_the_whole(self) -> None:
        found = read("SELECT a FROM t UNION SELECT a FROM u ORDER BY a")
        assert [one.order for one in found] == [(), None]
        assert all(one.compound for one in found)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT",
        "SELECT (",
        "SELECT 1 FROM",
        "SELECT ) FROM t",
        "SELECT 'it",
        "UPDATE t SET a = 1",
    ],
)
def test_rubbish_is_survived(sql: str) -> None:
    for found in read(sql):
        assert found.conditions == ()


_PARTS = words(
    """( ) , . = < a b t %s 'x' 1 * - SELECT FROM WHERE AND OR NOT DISTINCT IN BETWEEN IS NULL GROUP
    ORDER BY LIMIT JOIN ON LEFT AS UNION DESC"""
)


def test_any_mixture_of_tokens_is_survived() -> None:
    rng = random.Random(7)
    for _ in range(3_000):
        read("SELECT " + " ".join(rng.choices(sorted(_PARTS), k=rng.randint(1, 25))))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_recorded_statements_are_read(statement: str) -> None:
    assert read(STATEMENTS[statement])
