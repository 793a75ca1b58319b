"""A statement of a capture explained on a real database; which one is for the run to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, Func, IntegerField, QuerySet

from django_hotpath.capture import Capture
from django_hotpath.explain import ExplainError, explain_query
from django_hotpath.explain import connection as opening
from django_hotpath.explain import service as explaining
from shop.models import Delivery
from tests.explain.capturing import captured, found, newest_pending, plan_kinds
from tests.factories import query, with_queries

pytestmark = pytest.mark.usefixtures("deliveries")


def pending() -> QuerySet[Delivery]:
    return Delivery.objects.filter(status="pending")


def entry(capture: Capture, index: int = 0) -> dict[str, Any]:
    plan: dict[str, Any] = capture.instruments["plans"][str(index)]
    return plan


class TestTheUnindexedQuery:
    @pytest.mark.parametrize("analyze", [False, True])
    def test_is_a_full_scan_with_the_size_of_the_table(self, analyze: bool) -> None:
        capture = explain_query(captured(newest_pending), 0, analyze=analyze)
        finding = found(capture, "full_scan")
        assert "shop_delivery" in finding.title
        assert "4,000 rows" in finding.title
        assert finding.queries == (0,)
        assert "full_scan" in plan_kinds(entry(capture)["plan"])

    def test_gets_equality_first_then_the_order_downwards(self) -> None:
        fix = found(explain_query(captured(newest_pending), 0), "full_scan").fix
        assert fix is not None
        assert fix.kind == "index"
        assert fix.code is not None
        assert 'fields=["status", "-created_at"]' in fix.code
        assert "class Delivery" in fix.code

    def test_names_the_model_s_file(self) -> None:
        fix = found(explain_query(captured(newest_pending), 0), "full_scan").fix
        assert fix is not None
        assert fix.at is not None
        assert fix.at.file == "demo_project/shop/models/deliveries.py"
        assert fix.edits[0].file == fix.at.file

    def test_gets_a_partial_index_where_the_database_has_them(self) -> None:
        kinds = [one["kind"] for one in entry(explained_run())["advice"]]
        assert ("partial" in kinds) == (connection.vendor != "mysql")

    def test_survives_json(self) -> None:
        capture = explain_query(captured(newest_pending), 0, analyze=True)
        assert Capture.from_json(capture.to_json()) == Capture.from_json(capture.to_json())
        assert entry(Capture.from_json(capture.to_json()))["plan"] == entry(capture)["plan"]

    def test_explained_twice_has_one_finding(self) -> None:
        capture = explain_query(explain_query(captured(newest_pending), 0), 0, analyze=True)
        assert found(capture, "full_scan")
        assert list(capture.instruments["plans"]) == ["0"]


def explained_run() -> Capture:
    return explain_query(captured(newest_pending), 0, analyze=True)


class TestSilence:
    def test_most_rows_are_wanted(self) -> None:
        capture = captured(lambda: list(Delivery.objects.filter(status="delivered")))
        assert explain_query(capture, 0, analyze=True).findings == capture.findings

    def test_all_rows_are_wanted(self) -> None:
        capture = captured(lambda: list(Delivery.objects.all()))
        assert explain_query(capture, 0, analyze=True).findings == capture.findings

    def test_the_table_is_small(self) -> None:
        Delivery.objects.filter(pk__gt=Delivery.objects.order_by("pk")[500].pk).delete()
        capture = captured(newest_pending)
        assert explain_query(capture, 0, analyze=True).findings == capture.findings

    def test_the_primary_key_is_looked_up(self) -> None:
        key = Delivery.objects.order_by("pk")[7].pk
        capture = captured(lambda: Delivery.objects.get(pk=key))
        after = explain_query(capture, 0, analyze=True)
        assert after.findings == capture.findings
        assert "full_scan" not in plan_kinds(entry(after)["plan"])

    def test_a_limit_ends_the_scan(self) -> None:
        capture = captured(lambda: list(Delivery.objects.filter(city="Porto")[:5]))
        assert explain_query(capture, 0, analyze=True).findings == capture.findings


class TestOtherAdvice:
    def test_one_column(self) -> None:
        fix = found(explain_query(captured(lambda: list(pending())), 0), "full_scan").fix
        assert fix is not None
        assert fix.paths == ("status",)

    def test_equality_before_a_range(self) -> None:
        after = Delivery.objects.order_by("-created_at")[50].created_at
        work = pending().filter(created_at__gt=after)
        fix = found(explain_query(captured(lambda: list(work)), 0), "full_scan").fix
        assert fix is not None
        assert fix.paths == ("status", "created_at")

    def test_a_sort_of_all_rows(self) -> None:
        capture = captured(lambda: list(Delivery.objects.order_by("created_at")))
        fix = found(explain_query(capture, 0), "unindexed_sort").fix
        assert fix is not None
        assert fix.paths == ("created_at",)

    def test_what_no_index_serves_gets_none(self) -> None:
        capture = captured(lambda: list(Delivery.objects.filter(number__contains="39")[:500]))
        for finding in explain_query(capture, 0, analyze=True).findings:
            assert finding.fix is None or finding.fix.kind != "index"

    def test_a_covering_index_is_postgresql_s(self) -> None:
        capture = captured(lambda: list(pending().values_list("number")))
        kinds = [one["kind"] for one in entry(explain_query(capture, 0))["advice"]]
        assert ("covering" in kinds) == (connection.vendor == "postgresql")


def refused(sql: str, analyze: bool = False, **values: Any) -> str:
    capture = with_queries(query(0, sql, **{"params": None, **values}))
    with pytest.raises(ExplainError) as error:
        explain_query(capture, 0, analyze=analyze)
    assert "plans" not in capture.instruments
    return str(error.value)


class TestRefused:
    @pytest.fixture(autouse=True)
    def nothing_is_connected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is refused is refused before the database is asked."""

        def separate(alias: str, **kwargs: Any) -> None:
            raise AssertionError("connected")

        monkeypatch.setattr(explaining, "separate", separate)

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE shop_delivery SET city = 'x'",
            "DELETE FROM shop_delivery",
            "INSERT INTO shop_delivery (city) VALUES ('x')",
            "WITH gone AS (DELETE FROM shop_delivery RETURNING id) SELECT id FROM gone",
            "DROP TABLE shop_delivery",
            "SELECT 1; DELETE FROM shop_delivery",
            "EXPLAIN ANALYZE DELETE FROM shop_delivery",
            "SELECT * INTO copy FROM shop_delivery",
            "SELECT refresh_everything()",
        ],
    )
    def test_what_may_write(self, sql: str) -> None:
        assert refused(sql)

    def test_a_lock(self) -> None:
        assert "locks" in refused("SELECT id FROM shop_delivery FOR UPDATE")

    def test_a_statement_that_failed(self) -> None:
        assert "failed" in refused("SELECT id FROM shop_delivery", error="IntegrityError: no")

    def test_executemany(self) -> None:
        assert "executemany" in refused("SELECT id FROM shop_delivery", many=True)

    def test_a_cut_text(self) -> None:
        assert "too long" in refused("SELECT id FROM shop_delivery", sql_truncated=70_000)

    @pytest.mark.parametrize(
        "call", ["audit(id)", "app.audit(id)", '"audit"(id)', "nextval('s')", "pg_sleep(9)"]
    )
    def test_a_function_that_may_do_something_is_not_run(self, call: str) -> None:
        assert "no effect" in refused(f"SELECT {call} FROM shop_delivery", analyze=True)

    def test_a_statement_that_is_not_there(self) -> None:
        with pytest.raises(ExplainError, match="no statement #7"):
            explain_query(with_queries(query(0)), 7)


class TestMissingValues:
    def masked(self) -> Capture:
        return with_queries(
            query(
                0,
                "SELECT id FROM shop_delivery WHERE number = %s AND status = %s",
                params=["***", "'pending'"],
                values=[{"type": "redacted"}, "pending"],
                vendor=connection.vendor,
            )
        )

    def test_sqlite_takes_null_and_says_so(self) -> None:
        if connection.vendor != "sqlite":
            with pytest.raises(ExplainError, match=r"1 of its parameters is not held .*redacted"):
                explain_query(self.masked(), 0)
            return
        capture = explain_query(self.masked(), 0)
        assert "explained with NULL" in entry(capture)["remarks"][0]

    def test_nothing_is_run_with_a_value_missing(self) -> None:
        with pytest.raises(ExplainError, match="ANALYZE needs every value"):
            explain_query(self.masked(), 0, analyze=True)

    def test_an_older_capture_holds_none(self) -> None:
        capture = with_queries(
            query(0, "SELECT id FROM shop_delivery WHERE status = %s", params=["'pending'"])
        )
        with pytest.raises(ExplainError, match="not in the capture"):
            explain_query(capture, 0, analyze=True)

    def test_more_than_are_kept(self) -> None:
        marks = ", ".join(["%s"] * 1_100)
        capture = with_queries(
            query(
                0,
                f"SELECT id FROM shop_delivery WHERE id IN ({marks})",
                params=["1"] * 100,
                values=[1] * 1_000,
            )
        )
        with pytest.raises(ExplainError, match="holds 1,000 of its 1,100 parameters"):
            explain_query(capture, 0)


class TestHarmless:
    def test_nothing_can_be_written_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The database itself refuses, should anything get past us."""
        monkeypatch.setattr(explaining, "refusal", lambda *args, **kwargs: None)
        original = explaining.run_explain

        def run_explain(opened: Any, sql: str, params: Any, **kwargs: Any) -> Any:
            with opened.cursor() as cursor:
                cursor.execute("UPDATE shop_delivery SET city = 'Oslo'")
            return original(opened, sql, params, **kwargs)

        monkeypatch.setattr(explaining, "run_explain", run_explain)
        with pytest.raises(ExplainError, match="Nothing was changed"):
            explain_query(captured(newest_pending), 0)
        assert not Delivery.objects.filter(city="Oslo").exists()

    def test_the_application_s_connection_and_transaction_are_left_alone(self) -> None:
        capture = captured(newest_pending)
        with transaction.atomic():
            before = connection.connection
            counted = len(connection.queries_log)
            explain_query(capture, 0, analyze=True)
            assert connection.connection is before
            assert connection.in_atomic_block
            assert len(connection.queries_log) == counted
            assert Delivery.objects.count() == 4_000

    def test_a_broken_transaction_of_the_application_does_not_matter(self) -> None:
        capture = captured(newest_pending)
        with transaction.atomic():
            transaction.set_rollback(True)
            assert found(explain_query(capture, 0), "full_scan")

    def test_a_database_that_is_gone_loses_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        capture = captured(newest_pending)
        name = "/nowhere/at/all" if connection.vendor == "sqlite" else "hotpath_is_not_there"
        monkeypatch.setitem(connection.settings_dict, "NAME", name)
        with pytest.raises(ExplainError, match="“default” failed"):
            explain_query(capture, 0)
        assert "plans" not in capture.instruments

    def test_a_statement_that_takes_too_long_is_stopped(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(opening, "TIME_LIMIT_S", 1)
        sql = (
            "SELECT COUNT(*) FROM shop_delivery a, shop_delivery b, shop_delivery c "
            "WHERE a.number < b.number AND b.number < c.number"
        )
        with pytest.raises(ExplainError, match=r"interrupt|timeout|max_statement_time|exceeded"):
            explain_query(with_queries(query(0, sql, params=None)), 0, analyze=True)

    def test_a_table_that_is_gone(self) -> None:
        capture = with_queries(query(0, "SELECT id FROM shop_vanished", params=None))
        with pytest.raises(ExplainError, match="shop_vanished"):
            explain_query(capture, 0)

    def test_an_alias_that_is_gone(self) -> None:
        capture = with_queries(query(0, "SELECT 1 FROM shop_delivery", alias="archive"))
        with pytest.raises(ExplainError, match="no database “archive”"):
            explain_query(capture, 0)

    def test_a_percent_sign_in_raw_sql_is_one(self) -> None:
        def work() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT number FROM shop_delivery WHERE city LIKE 'Por%' AND id = 1")
                cursor.fetchall()

        assert entry(explain_query(captured(work), 0))["plan"]


class TestKinds:
    @pytest.mark.parametrize(
        "work",
        [
            lambda: list(pending().annotate(twice=F("id") * 2).values("twice")),
            lambda: pending().count(),
            lambda: pending().exists(),
            lambda: list(pending().values("city").distinct()),
            lambda: list(Delivery.objects.filter(pk__in=pending().values("pk"))),
            lambda: list(pending().union(Delivery.objects.filter(city="Porto"))),
            lambda: list(
                pending().annotate(n=Func("number", function="LENGTH", output_field=IntegerField()))
            ),
        ],
    )
    def test_every_statement_of_the_orm_has_a_plan(self, work: Callable[[], Any]) -> None:
        capture = explain_query(captured(work), 0, analyze=True)
        assert plan_kinds(entry(capture)["plan"]) & {"full_scan", "index_scan", "index_search"}
