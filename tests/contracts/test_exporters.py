"""What every export format does alike."""

from __future__ import annotations

import pytest

from django_hotpath import exporters
from django_hotpath.capture import Capture
from tests import factories
from tests.factories import function, query
from tests.recording import recording

HOSTILE = "</script><img onerror=alert(1)>\udcff\x00‮"


def hostile() -> Capture:
    calls = factories.with_functions(function(HOSTILE, file=HOSTILE)).instruments["calls"]
    queries = factories.with_queries(query(0, f"SELECT '{HOSTILE}'")).instruments["queries"]
    return factories.capture(label=HOSTILE, instruments={"calls": calls, "queries": queries})


@pytest.mark.parametrize("name", exporters.names())
def test_writes_a_real_capture(name: str) -> None:
    with recording("calls", "queries", "cache", "templates", "gc", "memory") as run:
        sorted(range(10))
    assert exporters.get(name).export(run.capture)


@pytest.mark.parametrize("name", exporters.names())
def test_survives_hostile_strings(name: str) -> None:
    assert exporters.get(name).export(hostile())


@pytest.mark.parametrize("name", exporters.names())
def test_names_its_type_and_suffix(name: str) -> None:
    found = exporters.get(name)
    assert "/" in found.content_type
    assert found.suffix.isalnum()


def test_an_unknown_format_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        exporters.get("../json")
