"""Captures of real statements, and the database's schema as data to compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from django_hotpath.capture import Capture, Finding
from shop.models import Delivery
from tests.recording import recording


def captured(work: Callable[[], Any]) -> Capture:
    with recording("queries") as run:
        work()
    return run.capture


def newest_pending() -> list[Delivery]:
    return list(Delivery.objects.filter(status="pending").order_by("-created_at")[:20])


def found(capture: Capture, kind: str) -> Finding:
    (finding,) = [one for one in capture.findings if one.kind == kind]
    return finding


def plan_kinds(plan: dict[str, Any]) -> set[str]:
    below = [plan_kinds(child) for child in plan.get("children", ())]
    return {plan["kind"]}.union(*below)


def schema() -> dict[str, Any]:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return {table: connection.introspection.get_constraints(cursor, table) for table in tables}
