"""What the recorded plans show, database by database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from django_hotpath.analysis.plans.findings import Found, Statement, findings
from django_hotpath.analysis.plans.node import Node
from django_hotpath.analysis.plans.problems import Asked
from django_hotpath.analysis.plans.reading import read
from django_hotpath.analysis.plans.tables import Table
from tests.analysis.plans.recorded import ANALYZED, PARSERS, STATEMENTS, plan
from tests.analysis.plans.tables import all_tables, orders
from tests.factories import query

RETURNED = {"full_scan_sort": 20, "full_scan": 193, "join": 20, "join_unindexed": 67, "pk": 1}
each_source = pytest.mark.parametrize("source", PARSERS)


def found(
    source: str,
    statement: str,
    *,
    sql: str = "",
    tables: dict[str, Table] | None = None,
    returned: int | None = None,
    made: Node | None = None,
    values: dict[int, Any] | None = None,
) -> list[Found]:
    text = sql or STATEMENTS[statement]
    vendor = source.removesuffix("_analyze").replace("mariadb", "mysql")
    statements = [query(3, text, duration_ms=30.0)]
    asked = Asked(
        blocks=read(text),
        tables=tables or all_tables(),
        returned=RETURNED.get(statement) if returned is None else returned,
    )
    told = Statement(
        query=statements[0],
        like=statements,
        values=values or {},
        vendor=vendor,
        version=(15, 18),
        wall_ms=100.0,
    )
    return findings(made or plan(source, statement), asked, told)


def kinds(*args: Any, **kwargs: Any) -> list[str]:
    return [one.finding.kind for one in found(*args, **kwargs)]


def columns(one: Found) -> tuple[str, ...]:
    return tuple(f"-{name}" if down else name for name, down in one.advice[0].columns)


class TestFullScan:
    @each_source
    def test_filter_and_sort_are_one_finding_with_one_index(self, source: str) -> None:
        (only,) = found(source, "full_scan_sort")
        assert only.finding.kind == "full_scan"
        assert columns(only) == ("status", "-created_at")
        assert only.finding.title.startswith(
            "Reads all of ord (20,000 rows) and sorts what it finds, at shop/views.py:12"
        )
        assert only.finding.severity == "high"
        assert only.finding.queries == (3,)

    @each_source
    def test_a_filter_alone(self, source: str) -> None:
        (only,) = found(source, "full_scan")
        assert columns(only) == ("status",)
        assert "193 rows" in only.finding.detail

    @each_source
    def test_a_small_table_is_silent(self, source: str) -> None:
        tables = {"ord": orders(rows=999)}
        assert kinds(source, "full_scan_sort", tables=tables) == []

    @pytest.mark.parametrize("source", ["sqlite", "mariadb"])
    def test_most_rows_returned_are_silent(self, source: str) -> None:
        assert kinds(source, "full_scan", returned=15_000) == []

    def test_most_rows_expected_are_silent(self) -> None:
        scan = plan("postgresql", "full_scan")
        assert kinds("postgresql", "full_scan", made=replace(scan, rows=12_000)) == []

    @each_source
    def test_all_rows_asked_for_are_silent(self, source: str) -> None:
        assert kinds(source, "full_scan", sql="SELECT id FROM ord") == []

    def test_an_unknown_number_of_rows_is_low(self) -> None:
        sql = "SELECT COUNT(*) FROM ord WHERE status = 'pending'"
        (only,) = found("sqlite", "full_scan", sql=sql, returned=1)
        assert only.finding.severity == "low"
        assert "not known without running" in only.finding.detail

    @pytest.mark.parametrize("source", ["sqlite", "mariadb", "postgresql"])
    def test_a_limit_that_may_have_ended_the_scan_is_silent(self, source: str) -> None:
        sql = f"{STATEMENTS['full_scan']} LIMIT 5"
        assert kinds(source, "full_scan", sql=sql, returned=5) == []

    def test_a_limit_that_found_nothing_read_it_all(self) -> None:
        sql = f"{STATEMENTS['full_scan']} LIMIT 5"
        assert kinds("sqlite", "full_scan", sql=sql, returned=0) == ["full_scan"]

    @pytest.mark.parametrize("source", ["sqlite", "mariadb"])
    def test_the_inner_side_of_a_join_is_searched_by_the_joined_column(self, source: str) -> None:
        (only,) = [one for one in found(source, "join_unindexed") if one.advice]
        assert only.advice[0].table == "item"
        assert columns(only) == ("order_id",)

    def test_a_table_without_a_model_gets_sql(self) -> None:
        (only,) = found("sqlite", "join_unindexed")
        fix = only.finding.fix
        assert fix is not None
        assert fix.code is not None
        assert fix.code.startswith('CREATE INDEX "item_order_id_')
        assert fix.code.endswith('ON "item" ("order_id");')
        assert fix.edits == ()

    @pytest.mark.parametrize("name", ["status", "status_and_more"])
    def test_an_index_that_is_there_is_not_advised_again(self, name: str) -> None:
        index = replace(orders().indexes[1], name=name, columns=(("status", False),))
        (only,) = found("sqlite", "full_scan", tables={"ord": orders(indexes=(index,))})
        assert only.advice == ()
        assert f"The index {name} has these columns" in only.finding.detail

    def test_a_partial_index_that_is_there_does_not_count(self) -> None:
        index = replace(orders().indexes[1], columns=(("status", False),), partial=True)
        (only,) = found("sqlite", "full_scan", tables={"ord": orders(indexes=(index,))})
        assert only.advice

    @pytest.mark.parametrize(
        "condition",
        ["UPPER(status) = 'X'", "status = 'a' OR number = 'b'", "number LIKE '%x%'", "note = 'x'"],
    )
    def test_what_an_index_does_not_serve_gets_no_advice(self, condition: str) -> None:
        sql = f"SELECT id FROM ord WHERE {condition}"
        (only,) = found("sqlite", "full_scan", sql=sql, returned=3)
        assert only.advice == ()
        assert only.finding.fix is None

    def test_a_name_given_by_with_is_no_table(self) -> None:
        sql = "WITH ord AS (SELECT 1 AS status) SELECT status FROM ord WHERE status = 2"
        assert kinds("sqlite", "full_scan", sql=sql, returned=1) == []

    def test_a_table_read_twice_gets_no_advice(self) -> None:
        sql = "SELECT a.id FROM ord a, ord b WHERE a.status = 'x' AND b.number = 'y'"
        assert kinds("sqlite", "full_scan", sql=sql, returned=1) == []


class TestSort:
    @each_source
    def test_all_rows_sorted(self, source: str) -> None:
        (only,) = found(source, "sort_only", returned=20_000)
        assert only.finding.kind == "unindexed_sort"
        assert columns(only) == ("created_at",)

    @each_source
    def test_few_rows_sorted_are_silent(self, source: str) -> None:
        sql = "SELECT id, number FROM ord WHERE customer_id = 7 ORDER BY created_at"
        sort = Node(operation="sort", kind="sort", children=(plan(source, "index_search"),))
        assert kinds(source, "index_search", sql=sql, made=sort, returned=49) == []

    def test_an_order_that_no_index_gives_is_silent(self) -> None:
        sql = "SELECT id FROM ord ORDER BY UPPER(number)"
        assert kinds("sqlite", "sort_only", sql=sql, returned=20_000) == []

    def test_an_order_by_an_outer_joined_table_is_no_advice(self) -> None:
        sql = (
            "SELECT cust.id FROM cust LEFT OUTER JOIN ord ON (ord.customer_id = cust.id) "
            "ORDER BY ord.created_at"
        )
        assert all(not one.advice for one in found("sqlite", "sort_only", sql=sql, returned=9_000))


class TestTemporaryTable:
    @pytest.mark.parametrize("source", ["sqlite", "mariadb", "mariadb_analyze"])
    def test_groups_get_an_index_along_which_they_come(self, source: str) -> None:
        (only,) = [one for one in found(source, "group") if one.finding.kind == "temporary_table"]
        assert columns(only) == ("status",)

    def test_a_column_too_long_for_an_index_gets_none(self) -> None:
        (only,) = found("sqlite", "distinct")
        assert only.finding.kind == "temporary_table"
        assert only.advice == ()
        assert only.finding.fix is not None
        assert only.finding.fix.kind == ""

    def test_a_small_one_is_silent(self) -> None:
        assert kinds("sqlite", "group", tables={"ord": orders(rows=500)}) == []

    def test_a_hash_that_went_to_disc(self) -> None:
        hashed = Node(
            operation="Hash",
            kind="temporary",
            on_disk=True,
            children=(plan("postgresql", "sort_only").children[0],),
        )
        sql = "SELECT ord.id FROM ord INNER JOIN cust ON (ord.customer_id = cust.id)"
        (only,) = found("postgresql", "sort_only", sql=sql, made=hashed, returned=20_000)
        assert "on disc" in only.finding.title


class TestDiscardedRows:
    @pytest.mark.parametrize("source", ["postgresql_analyze"])
    def test_an_index_that_finds_too_much_gets_a_partial_one(self, source: str) -> None:
        (only,) = found(source, "index_discards")
        assert only.finding.kind == "discarded_rows"
        assert "99%" in only.finding.title
        first = only.advice[0]
        assert first.kind == "partial"
        assert [(limit.column, limit.value) for limit in first.condition] == [("status", "pending")]
        assert first.columns == (("customer_id", False),)

    @pytest.mark.parametrize("source", ANALYZED)
    def test_few_rows_discarded_are_silent(self, source: str) -> None:
        assert kinds(source, "index_discards_eq", returned=0) == []

    def test_one_row_looked_up_many_times_is_not_the_index_s_fault(self) -> None:
        assert kinds("mariadb_analyze", "join_unindexed") == ["full_scan"]

    def test_without_partial_indexes_it_is_a_composite_one(self) -> None:
        search = replace(
            plan("mariadb", "index_search").children[0], rows=8_000.0, kept=0.05, filter="x"
        )
        (only,) = found("mariadb", "index_discards", made=search)
        assert [one.kind for one in only.advice] == ["composite"]
        assert columns(only) == ("status", "customer_id")


class TestOtherIndexes:
    def kinds_of(self, source: str, statement: str, **kwargs: Any) -> list[str]:
        (only,) = found(source, statement, **kwargs)
        return [one.kind for one in only.advice]

    def test_a_partial_one_where_few_rows_are_known_to_match(self) -> None:
        assert "partial" in self.kinds_of("postgresql", "full_scan_sort")
        assert "partial" not in self.kinds_of("sqlite", "full_scan_sort")
        counted = {"ord": orders(matching=193)}
        assert "partial" in self.kinds_of("sqlite", "full_scan_sort", tables=counted)

    def test_no_partial_one_on_mariadb(self) -> None:
        assert "partial" not in self.kinds_of("mariadb_analyze", "full_scan_sort")

    def test_no_partial_one_for_a_value_that_changes(self) -> None:
        sql = "SELECT id FROM ord WHERE number = %s"
        kinds = self.kinds_of("postgresql", "full_scan", sql=sql, values={0: "n7"}, returned=1)
        assert "partial" not in kinds

    @pytest.mark.parametrize(
        ("condition", "lookup", "value"),
        [
            ("paid", "exact", True),
            ("NOT paid", "exact", False),
            ("deleted_at IS NULL", "isnull", True),
        ],
    )
    def test_conditions_of_a_partial_one(self, condition: str, lookup: str, value: Any) -> None:
        sql = f"SELECT id FROM ord WHERE {condition} ORDER BY created_at LIMIT 20"
        counted = {"ord": orders(matching=50)}
        (only,) = found("sqlite", "full_scan_sort", sql=sql, tables=counted)
        (partial,) = [one for one in only.advice if one.kind == "partial"]
        (limit,) = partial.condition
        assert (limit.lookup, limit.value) == (lookup, value)
        assert partial.columns == (("created_at", False),)

    def test_a_covering_one_for_few_columns(self) -> None:
        (only,) = found("postgresql", "full_scan")
        (covering,) = [one for one in only.advice if one.kind == "covering"]
        assert covering.include == ("id", "number")

    def test_no_covering_one_for_long_texts(self) -> None:
        sql = "SELECT id, note FROM ord WHERE status = 'pending'"
        assert "covering" not in self.kinds_of("postgresql", "full_scan", sql=sql)

    @pytest.mark.parametrize(
        ("conditions", "expected"),
        [
            ("created_at > %s AND status = %s", ("status", "created_at")),
            ("status IN ('a', 'b') AND number = 'x'", ("number", "status")),
            ("created_at > %s", ("created_at",)),
            ("status = 'a' AND number > 'b' AND created_at > %s", ("status", "number")),
        ],
    )
    def test_the_order_of_the_columns(self, conditions: str, expected: tuple[str, ...]) -> None:
        sql = f"SELECT id FROM ord WHERE {conditions}"
        (only,) = found("sqlite", "full_scan", sql=sql, returned=9)
        assert columns(only) == expected

    def test_several_values_of_the_first_column_give_no_order(self) -> None:
        sql = "SELECT id FROM ord WHERE status IN ('a', 'b') ORDER BY created_at LIMIT 5"
        (only,) = found("sqlite", "full_scan_sort", sql=sql, returned=5)
        assert columns(only) == ("status",)
