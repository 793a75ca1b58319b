from __future__ import annotations

from dataclasses import replace
from typing import Any

import django
import pytest

from django_hotpath.capture import CallSite, Capture, Edit, Finding, Fix, Predicted, RequestInfo
from django_hotpath.verification.target import Place, refusal, target_of
from tests.factories import capture, query
from tests.verify.findings import finding

MADE = {
    "file": "shop/views.py",
    "line": 12,
    "column": 13,
    "end_line": 12,
    "end_column": 40,
    "function": "order_list",
    "text": "Order.objects.all()",
}
ORIGIN = CallSite(file="shop/views.py", line=12, function="order_list")
FIX = Fix(summary="Join them.", kind="select_related", paths=("customer",))


def recorded(*queries: dict[str, Any], orm: list[dict[str, Any]], **values: Any) -> Capture:
    return capture(instruments={"queries": {"queries": list(queries), "orm": orm}}, **values)


def looped(**values: Any) -> Capture:
    orm = [
        {"method": "iterate", "model": "shop.Order", "made": MADE},
        {"method": "get", "model": "shop.Customer", "relation": "Order.customer"},
    ]
    queries = [query(0, orm=0), *(query(number, orm=1, of=0) for number in (1, 2, 3))]
    return recorded(*queries, orm=orm, **values)


def found(**values: Any) -> Finding:
    return finding(**{"fix": FIX, "origin": ORIGIN, "queries": (1, 2, 3), **values})


def test_the_target_is_the_expression_that_made_the_queryset() -> None:
    target = target_of(looped(), found())
    assert target is not None
    place = Place(
        file="shop/views.py",
        line=12,
        function="order_list",
        column=13,
        end_line=12,
        end_column=40,
    )
    assert (target.kind, target.paths, target.leaves_out) == (
        "select_related",
        ("customer",),
        False,
    )
    assert (target.places, target.models) == (frozenset({place}), frozenset())


def test_without_the_origin_it_is_the_one_of_the_queries() -> None:
    assert target_of(looped(), found(origin=None)) == target_of(looped(), found())


def test_without_the_table_of_querysets_it_is_the_line() -> None:
    target = target_of(capture(), found())
    assert target is not None
    assert target.places == {Place(file="shop/views.py", line=12, function="order_list")}


def test_an_expression_over_several_lines_is_told_by_any_of_them() -> None:
    orm = [{"method": "iterate", "made": {**MADE, "line": 9, "end_line": 12, "step_line": 12}}]
    several = recorded(query(0, orm=0), orm=orm)
    target = target_of(several, found(queries=(0,)))
    assert target is not None
    assert [(place.line, place.end_line) for place in target.places] == [(9, 12)]


def test_the_class_that_library_code_made_it_for_is_a_place() -> None:
    made_for = {"file": "shop/admin.py", "name": "OrderAdmin", "line": 5}
    orm = [{"method": "iterate", "model": "shop.Order", "class": made_for}]
    admin = recorded(query(0, orm=0), orm=orm)
    target = target_of(admin, found(origin=None, queries=(0,)))
    assert target is not None
    assert target.places == {Place(file="shop/admin.py", line=5, function="OrderAdmin")}
    assert target.models == frozenset()


def narrowed() -> Capture:
    read = {"method": "iterate", "relation": "Person.essays", "narrowed": True}
    orm = [{"method": "iterate", "made": MADE}, read]
    return recorded(query(0, orm=0), query(1, orm=1, of=0), orm=orm)


def test_what_must_be_read_otherwise_too_is_refused() -> None:
    beside = Edit(
        file="shop/views.py", line=20, column=0, end_line=20, end_column=3, old="abc", new="b"
    )
    code = "Order.objects.all().prefetch_related('customer')"
    fix = replace(FIX, kind="prefetch_related", at=ORIGIN, code=code)
    both = found(fix=replace(fix, edits=(replace(beside, line=12), beside)), queries=(1,))
    alone = found(fix=replace(fix, edits=(replace(beside, line=12),)), queries=(1,))
    unsaid = found(fix=replace(fix, code=None), queries=(1,))
    assert "changes other code" in (refusal(narrowed(), both) or "")
    assert "changes other code" in (refusal(narrowed(), unsaid) or "")
    assert refusal(narrowed(), alone) is None


def test_a_queryset_that_library_code_made_is_told_by_its_model() -> None:
    orm = [{"method": "iterate", "model": "shop.Order"}, {"method": "get", "relation": "x"}]
    admin = recorded(query(0, orm=0), query(1, orm=1, of=0), orm=orm)
    target = target_of(admin, found(origin=None, queries=(1,)))
    assert target is not None
    assert (target.places, target.models) == (frozenset(), {"shop.Order"})


def test_a_read_from_an_instance_of_unknown_origin_has_no_target() -> None:
    orm = [{"method": "get", "model": "shop.Customer", "made": MADE, "relation": "Order.customer"}]
    lost = recorded(query(0, orm=0), orm=orm)
    assert target_of(lost, found(origin=None, queries=(0,))) is None


def test_numbers_that_lead_nowhere_are_left_out() -> None:
    odd = recorded(query(0, orm=7), query(1, of=9), query(2), orm=[])
    assert target_of(odd, found(origin=None, queries=(0, 1, 2, 8))) is None


def test_unused_columns_are_left_out_where_other_fixes_add() -> None:
    fix = Fix(summary="x", kind="only", paths=("name",))
    target = target_of(looped(), found(kind="unused_columns", fix=fix, queries=(0,)))
    assert target is not None
    assert target.leaves_out


@pytest.mark.parametrize(
    "kind", ["select_related", "prefetch_related", "list_select_related", "only", "defer"]
)
def test_these_can_be_replayed(kind: str) -> None:
    assert refusal(looped(), found(fix=replace(FIX, kind=kind))) is None


def test_fetch_modes_can_be_replayed_where_there_are_any() -> None:
    reason = refusal(looped(), found(fix=replace(FIX, kind="fetch_peers", paths=())))
    assert (reason is None) == (django.VERSION >= (6, 1))


@pytest.mark.parametrize("kind", ["annotate", "bulk_create", "prefetch_to_attr", "exists"])
def test_changes_of_other_code_cannot_and_it_says_what_to_do_instead(kind: str) -> None:
    reason = refusal(looped(), found(fix=replace(FIX, kind=kind)))
    assert reason is not None
    assert "changes other code" in reason
    assert "compare the two captures" in reason


def request(**values: Any) -> RequestInfo:
    return RequestInfo(**{"method": "GET", "path": "/orders/", **values})


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (None, "no request"),
        (request(method="POST"), "Only a GET"),
        (request(path="/reset/***/"), "holds a secret"),
        (request(query_string="token=***&page=2"), "holds a secret"),
        (request(stream={"chunks": 3}), "streamed"),
    ],
)
def test_requests_that_cannot_be_made_again(info: RequestInfo | None, reason: str) -> None:
    told = refusal(looped(request=info), found())
    assert told is not None
    assert reason in told


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"fix": None}, "names no change"),
        ({"fix": Fix(summary="x", predicted=Predicted(queries=(9, 1), saved_ms=1))}, "no change"),
        ({"fix": replace(FIX, paths=())}, "no relation or field"),
        ({"origin": None, "queries": ()}, "not known which queryset"),
    ],
)
def test_findings_that_cannot_be_tried(values: dict[str, Any], reason: str) -> None:
    told = refusal(looped(), found(**values))
    assert told is not None
    assert reason in told
