"""The advice of every labelled case that a replay can follow is confirmed by it."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import path

import django_hotpath as hotpath
from django_hotpath.capture import Finding, Verified
from django_hotpath.verification.target import refusal
from tests.findings.case import Case
from tests.findings.running import ALIASES, know_content_types
from tests.findings.table import CASES
from tests.library.rows import fill
from tests.verify.findings import captured

pytestmark = pytest.mark.database

BY_ID = {case.id: case for case in CASES}


def view(request: HttpRequest, case: str) -> HttpResponse:
    function = BY_ID[case].function("slow")
    answer = async_to_sync(function)() if iscoroutinefunction(function) else function()
    return HttpResponse(repr(answer))


urlpatterns = [path("case/<case>/", view)]


def _marked(case: Case) -> Any:
    mark = pytest.mark.django_db(databases=ALIASES, transaction=case.committed)
    return pytest.param(case, marks=mark, id=case.id)


@pytest.mark.parametrize("case", [_marked(case) for case in CASES if case.expected])
def test_advice_that_can_be_replayed_is_confirmed(case: Case, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    for alias in ALIASES if case.two_databases else ALIASES[:1]:
        fill(alias)
    know_content_types()
    capture = captured(f"/case/{case.id}/", findings=True)
    for number, finding in enumerate(capture.findings):
        if finding.kind == "n_plus_one" and refusal(capture, finding) is None:
            verified = hotpath.verify(capture, number, rounds=1).findings[number].verified
            assert verified is not None
            assert verified.confirmed, (finding.fix, verified)
            assert _as_predicted(finding, verified), (finding.fix, verified)


def _as_predicted(finding: Finding, verified: Verified) -> bool:
    """A join takes a query fewer for each step than a replay, which fetches them apart.

    What atomic() sends within the transaction of a test is counted in its capture only.
    """
    assert finding.fix is not None
    assert finding.fix.predicted is not None
    before, after = finding.fix.predicted.queries
    joins = "select_related" in finding.fix.kind
    apart = sum(1 + path.count("__") for path in finding.fix.paths) if joins else 0
    saved = verified.queries[0] - verified.queries[1]
    return before - after - apart <= saved <= before - after
