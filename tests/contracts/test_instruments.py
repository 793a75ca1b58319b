"""What every instrument does alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument, Session, clock

CLASSES = [
    cls for name in registry.names() for cls in registry.engines(name) if cls.available() is None
]


@pytest.fixture(params=CLASSES, ids=lambda cls: f"{cls.name}-{cls.engine}")
def instrument(request: pytest.FixtureRequest) -> Instrument:
    return request.param(Session(started_ns=clock()))  # type: ignore[no-any-return]


def work() -> list[str]:
    return [str(number) for number in range(100)]


def test_gives_plain_json(instrument: Instrument) -> None:
    with instrument:
        work()
    result = instrument.result()
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_gives_a_result_when_nothing_happened(instrument: Instrument) -> None:
    with instrument:
        pass
    assert isinstance(instrument.result(), dict)


def test_gives_a_result_after_an_exception(instrument: Instrument) -> None:
    with pytest.raises(KeyError), instrument:
        raise KeyError("theirs")
    assert isinstance(instrument.result(), dict)


def test_can_be_paused_and_resumed(instrument: Instrument) -> None:
    with instrument:
        for _ in range(3):
            instrument.pause()
            instrument.resume()
        instrument.pause()
    assert isinstance(instrument.result(), dict)


def test_times_are_milliseconds_of_known_kinds(instrument: Instrument) -> None:
    with instrument:
        work()
    known = {"db_ms", "cache_ms", "template_ms", "http_ms", "gc_ms"}
    timing: dict[str, Any] = instrument.timing()
    assert set(timing) <= known
    assert all(isinstance(value, float) and value >= 0 for value in timing.values())


def test_can_run_again_afterwards(instrument: Instrument) -> None:
    with instrument:
        work()
    again = type(instrument)(Session(started_ns=clock()))
    with again:
        work()
    assert isinstance(again.result(), dict)


def test_documents_every_key_of_its_result(instrument: Instrument, settings: Any) -> None:
    with instrument:
        work()
    docs = (settings.BASE_DIR / "docs" / "reference" / "capture.md").read_text()
    missing = [key for key in instrument.result() if f"`{key}`" not in docs]
    assert missing == []
