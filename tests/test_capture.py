from __future__ import annotations

import json
import os
import time

import pytest

from django_hotpath import Capture
from django_hotpath.capture import (
    CallSite,
    CaptureError,
    Finding,
    Fix,
    Predicted,
    Verified,
    id_time,
    new_id,
)
from tests import factories

FINDING = Finding(
    kind="n_plus_one",
    severity="high",
    title="t",
    detail="d",
    count=100,
    cost_ms=12.5,
    call_site=CallSite(file="a.py", line=3, function="f", template="b.html", template_line=7),
    origin=CallSite(file="a.py", line=2, function="f"),
    relation="Book.author",
    fix=Fix(summary="s", code="c", predicted=Predicted(queries=(101, 2), saved_ms=12.0)),
    verified=Verified(queries=(101, 2), wall_ms=(20.0, 2.0)),
    queries=(1, 2, 3),
)


def test_json_round_trip_keeps_everything() -> None:
    capture = factories.with_queries(factories.query(0)).with_findings((FINDING,))
    assert Capture.from_json(capture.to_json()) == capture


def test_json_spells_the_keys_of_the_contract() -> None:
    data = json.loads(factories.capture(findings=(FINDING,)).to_json())
    assert list(data) == [
        "schema",
        "id",
        "started_at",
        "label",
        "timing",
        "environment",
        "request",
        "overlap",
        "overhead",
        "instruments",
        "findings",
    ]
    assert json.loads(factories.capture(automatic=True).to_json())["automatic"] is True
    assert data["request"]["async"] is False
    assert data["findings"][0]["fix"]["predicted"]["queries"] == [101, 2]


def test_lone_surrogates_survive_the_round_trip() -> None:
    capture = factories.capture(label="GET /\udcff/\x00")
    assert Capture.from_json(capture.to_json()).label == "GET /\udcff/\x00"
    assert capture.to_json().isascii()


def test_another_schema_is_refused_by_name() -> None:
    with pytest.raises(CaptureError, match="schema 2 is unknown: this version reads 1"):
        Capture.from_json('{"schema": 2}')


@pytest.mark.parametrize("text", ["", "[]", "null", '{"schema": 1}', '{"schema": 1, "id": 3}'])
def test_what_is_no_capture_is_refused(text: str) -> None:
    with pytest.raises(CaptureError):
        Capture.from_json(text)


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="severity must be one of"):
        Finding(kind="k", severity="bad", title="", detail="", count=0, cost_ms=0)


def test_ids_sort_by_time() -> None:
    assert new_id(1_000.0) < new_id(1_000.001) < new_id(2_000.0)
    assert len(new_id()) == 26


def test_ids_of_one_process_only_grow() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(set(made))


def test_an_id_tells_when_it_was_made() -> None:
    assert id_time(new_id(1_800_000_000.123)) == 1_800_000_000.123


def test_ids_of_parent_and_child_differ_while_the_clock_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = time.time()
    monkeypatch.setattr(time, "time", lambda: before)
    # Nothing but the last id tells two of them apart.
    monkeypatch.setattr(os, "urandom", bytes)
    new_id(), new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 26).decode() != new_id()
    os.close(reading)
    os.close(writing)
