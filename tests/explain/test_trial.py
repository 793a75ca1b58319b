"""The advised index tried on a real database, and nothing left of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from django_hotpath.capture import Capture
from django_hotpath.explain import ExplainError, explain_query, trial, try_index
from shop.models import Delivery
from tests.explain.capturing import captured, found, newest_pending, plan_kinds, schema

pytestmark = pytest.mark.usefixtures("deliveries")


def explained() -> Capture:
    return explain_query(captured(newest_pending), 0, analyze=True)


def needs_rollback_of_ddl() -> bool:
    return connection.features.can_rollback_ddl


def test_the_plan_goes_from_a_scan_to_a_search() -> None:
    if not needs_rollback_of_ddl():
        with pytest.raises(ExplainError, match="could not be taken back"):
            try_index(explained(), 0)
        return
    capture = explained()
    tried = try_index(capture, 0)
    verdict = tried.instruments["plans"]["0"]["advice"][0]["verified"]
    assert verdict["used"]
    assert "full_scan" in plan_kinds(verdict["before"])
    assert "full_scan" not in plan_kinds(verdict["after"])
    assert "index_search" in plan_kinds(verdict["after"])
    assert "sort" not in plan_kinds(verdict["after"])
    verified = found(tried, "full_scan").verified
    assert verified is not None
    assert verified.queries == (1, 1)
    assert verified.rounds >= 2
    assert found(capture, "full_scan").verified is None


def test_every_advice_can_be_tried() -> None:
    capture = explained()
    for number, advice in enumerate(capture.instruments["plans"]["0"]["advice"]):
        if not needs_rollback_of_ddl():
            with pytest.raises(ExplainError, match="could not be taken back"):
                try_index(capture, 0, number)
            continue
        tried = try_index(capture, 0, number)
        verdict = tried.instruments["plans"]["0"]["advice"][number]["verified"]
        assert verdict["used"], advice["kind"]


def test_the_schema_is_the_same_afterwards() -> None:
    before = schema()
    capture = explained()
    try:
        try_index(capture, 0)
    except ExplainError:
        assert not needs_rollback_of_ddl()
    assert schema() == before


@pytest.mark.parametrize("failing", ["run_explain", "run", "_runs"])
def test_the_schema_is_the_same_when_it_fails_in_between(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, capture = schema(), explained()
    original = getattr(trial, failing)
    calls: list[Any] = []

    def second_time_fails(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("in between")
        return original(*args, **kwargs)

    monkeypatch.setattr(trial, failing, second_time_fails)
    with pytest.raises((RuntimeError, ExplainError)):
        try_index(capture, 0)
    assert schema() == before


def test_the_schema_is_the_same_when_the_connection_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    before, capture = schema(), explained()

    def broken(opened: Any, sql: str, params: Any) -> Any:
        opened.connection.close()
        with opened.cursor() as cursor:
            cursor.execute(sql, params)

    monkeypatch.setattr(trial, "_runs", broken)
    with pytest.raises(ExplainError):
        try_index(capture, 0)
    assert schema() == before


def test_a_name_that_is_taken_is_not_in_the_way() -> None:
    capture = explained()
    name = capture.instruments["plans"]["0"]["advice"][0]["name"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {name} ON shop_delivery (city)")
    try:
        before = schema()
        if needs_rollback_of_ddl():
            plans = try_index(capture, 0).instruments["plans"]
            assert plans["0"]["advice"][0]["verified"]["used"]
        else:
            with pytest.raises(ExplainError, match="could not be taken back"):
                try_index(capture, 0)
        assert schema() == before
    finally:
        with connection.cursor() as cursor:
            where = " ON shop_delivery" if connection.vendor == "mysql" else ""
            cursor.execute(f"DROP INDEX {name}{where}")


def test_what_was_not_explained_has_nothing_to_try() -> None:
    with pytest.raises(ExplainError, match="explain the statement first"):
        try_index(captured(newest_pending), 0)


def test_there_is_no_such_advice() -> None:
    with pytest.raises(ExplainError, match="no such advice"):
        try_index(explained(), 0, 9)


def test_a_table_that_others_are_writing_to_is_not_waited_for_long() -> None:
    """The application's own transaction is open: its lock, and its rows, stay."""
    before, capture = schema(), explained()
    with transaction.atomic():
        Delivery.objects.filter(status="pending").update(city="Oslo")
        with pytest.raises(ExplainError):
            try_index(capture, 0)
        assert Delivery.objects.filter(city="Oslo").count() == 100
    assert schema() == before
    assert Delivery.objects.filter(city="Oslo").count() == 100
