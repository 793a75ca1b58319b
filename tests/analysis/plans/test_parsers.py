from __future__ import annotations

import json
from typing import Any

import pytest

from django_hotpath.analysis.plans import mysql, postgresql, sqlite
from django_hotpath.analysis.plans.node import Node, PlanError
from tests.analysis.plans.recorded import ANALYZED, PARSERS, STATEMENTS, answers, kinds, plan, step

each_source = pytest.mark.parametrize("source", PARSERS)


@each_source
@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_recorded_plan_is_read_and_kept_as_json(source: str, statement: str) -> None:
    found = plan(source, statement)
    assert Node.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@each_source
def test_a_scan_of_a_table_with_a_sort(source: str) -> None:
    assert step(source, "full_scan_sort", "ord").kind == "full_scan"
    assert "sort" in kinds(source, "full_scan_sort")


@each_source
@pytest.mark.parametrize("statement", ["pk", "index_search", "or"])
def test_a_search_by_an_index(source: str, statement: str) -> None:
    assert "index_search" in kinds(source, statement)
    assert "full_scan" not in kinds(source, statement)


@each_source
def test_the_index_has_its_name(source: str) -> None:
    assert step(source, "index_search", "ord").index == "ord_customer"


@each_source
def test_an_index_that_holds_all_that_is_read(source: str) -> None:
    assert step(source, "covering", "ord").covering
    assert not step(source, "index_search", "ord").covering


@pytest.mark.parametrize("source", ["sqlite", "mariadb", "mariadb_analyze"])
@pytest.mark.parametrize("statement", ["group", "distinct"])
def test_groups_collected_aside(source: str, statement: str) -> None:
    assert "temporary" in kinds(source, statement)


@pytest.mark.parametrize("source", ANALYZED)
def test_rows_kept_and_thrown_away_are_counted(source: str) -> None:
    found = step(source, "full_scan", "ord")
    assert found.rows_actual == pytest.approx(193)
    assert found.discarded == pytest.approx(19_807)
    assert found.ms is not None


@pytest.mark.parametrize("source", ["sqlite", "postgresql", "mariadb"])
def test_nothing_is_counted_without_running(source: str) -> None:
    assert all(one.rows_actual is None for one in plan(source, "full_scan").walk())


@pytest.mark.parametrize("source", ["postgresql", "mariadb"])
def test_rows_are_estimated(source: str) -> None:
    assert step(source, "sort_only", "ord").rows == pytest.approx(20_000, rel=0.05)


@pytest.mark.parametrize("source", ["postgresql", "mariadb", "mariadb_analyze"])
def test_the_filter_is_told(source: str) -> None:
    assert "pending" in (step(source, "full_scan", "ord").filter or "")


def test_a_loop_runs_its_inner_side_many_times() -> None:
    assert step("mariadb_analyze", "join", "ord").loops == 500


def test_a_derived_table_is_no_table_of_the_database() -> None:
    tables = {one.table for one in plan("mariadb", "derived").walk()}
    assert tables == {None, "ord"}


def test_bitmaps_name_all_their_indexes() -> None:
    assert step("postgresql", "or", "ord").index == "ord_customer, ord_pkey"


class TestSQLite:
    @pytest.mark.parametrize(
        ("detail", "kind", "table", "alias", "index"),
        [
            ("SCAN shop_order", "full_scan", "shop_order", None, None),
            ("SCAN TABLE shop_order", "full_scan", "shop_order", None, None),
            ("SCAN TABLE shop_order AS T3", "full_scan", "shop_order", "T3", None),
            ("SCAN o LEFT-JOIN", "full_scan", "o", None, None),
            ("SEARCH o USING INDEX a (x=? AND y>?)", "index_search", "o", None, "a"),
            ("SEARCH o USING INDEX a (x=?) LEFT-JOIN", "index_search", "o", None, "a"),
            (
                "SEARCH TABLE o USING INTEGER PRIMARY KEY (rowid=?)",
                "index_search",
                "o",
                None,
                "INTEGER PRIMARY KEY",
            ),
            ("SCAN o USING COVERING INDEX a", "index_scan", "o", None, "a"),
            ("SEARCH o USING AUTOMATIC COVERING INDEX (x=?)", "temporary", "o", None, None),
            ("SEARCH o USING AUTOMATIC PARTIAL COVERING INDEX (x=?)", "temporary", "o", None, None),
            ("SCAN doc VIRTUAL TABLE INDEX 0:M1", "index_search", "doc", None, None),
            ("USE TEMP B-TREE FOR RIGHT PART OF ORDER BY", "sort", None, None, None),
            ("USE TEMP B-TREE FOR LAST TERM OF ORDER BY", "sort", None, None, None),
            ("USE TEMP B-TREE FOR GROUP BY", "temporary", None, None, None),
            ("UNION USING TEMP B-TREE", "temporary", None, None, None),
            ("MATERIALIZE sub", "temporary", None, None, None),
            ("SCAN CONSTANT ROW", "other", None, None, None),
            ("something of a later version", "other", None, None, None),
        ],
    )
    def test_one_line(
        self, detail: str, kind: str, table: str | None, alias: str | None, index: str | None
    ) -> None:
        (found,) = sqlite.parse([(1, 0, 0, detail)]).children
        assert (found.kind, found.table, found.alias, found.index) == (kind, table, alias, index)

    @pytest.mark.parametrize("rows", [[], [(1, 2)], [(1, 0, 0, None)]])
    def test_no_plan(self, rows: Any) -> None:
        with pytest.raises(PlanError):
            sqlite.parse(rows)


class TestPostgreSQL:
    def test_a_sort_that_went_to_disc(self) -> None:
        sort = {"Node Type": "Sort", "Sort Space Type": "Disk", "Sort Key": ["a"]}
        found = postgresql.parse([{"Plan": sort}])
        assert (found.kind, found.on_disk) == ("sort", True)

    def test_a_hash_that_did_not_fit(self) -> None:
        found = postgresql.parse([{"Plan": {"Node Type": "Hash", "Hash Batches": 8}}])
        assert found.kind == "temporary"

    def test_an_index_read_from_end_to_end_is_no_search(self) -> None:
        found = postgresql.parse([{"Plan": {"Node Type": "Index Scan", "Index Name": "i"}}])
        assert found.kind == "index_scan"

    def test_text_is_read_as_well(self) -> None:
        answer = answers("postgresql")["pk"]
        assert postgresql.parse(json.dumps(answer)) == postgresql.parse(answer)

    @pytest.mark.parametrize("answer", ["no", "[]", "{}", [], [{}], None, 7])
    def test_no_plan(self, answer: Any) -> None:
        with pytest.raises(PlanError):
            postgresql.parse(answer)


# As the MySQL manual describes the format: there is no such server to record one from.
MYSQL = {
    "query_block": {
        "select_id": 1,
        "cost_info": {"query_cost": "2054.10"},
        "ordering_operation": {
            "using_filesort": True,
            "grouping_operation": {
                "using_temporary_table": True,
                "using_filesort": False,
                "nested_loop": [
                    {
                        "table": {
                            "table_name": "ord",
                            "access_type": "ALL",
                            "rows_examined_per_scan": 19_864,
                            "rows_produced_per_join": 1_986,
                            "filtered": "10.00",
                            "cost_info": {"read_cost": "1855.0", "prefix_cost": "2054.10"},
                            "used_columns": ["id", "status"],
                            "attached_condition": "(`shop`.`ord`.`status` = 'pending')",
                        }
                    },
                    {
                        "table": {
                            "table_name": "cust",
                            "access_type": "eq_ref",
                            "possible_keys": ["PRIMARY"],
                            "key": "PRIMARY",
                            "rows_examined_per_scan": 1,
                            "filtered": "100.00",
                            "using_index": True,
                        }
                    },
                ],
            },
        },
    }
}


class TestMySQL:
    def test_the_table_that_is_scanned(self) -> None:
        (found,) = [one for one in mysql.parse(MYSQL).walk() if one.table == "ord"]
        assert (found.kind, found.rows, found.kept, found.cost) == (
            "full_scan",
            19_864,
            0.1,
            2054.1,
        )

    def test_a_sort_and_a_temporary_table(self) -> None:
        found = [one.kind for one in mysql.parse(json.dumps(MYSQL)).walk()]
        assert found == ["other", "sort", "temporary", "full_scan", "index_search"]

    @pytest.mark.parametrize("answer", ["no", "[]", "{}", None, 7])
    def test_no_plan(self, answer: Any) -> None:
        with pytest.raises(PlanError):
            mysql.parse(answer)
