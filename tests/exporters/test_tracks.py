"""What has a start and a length, and whether there is any."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath import exporters
from django_hotpath.capture import Capture
from django_hotpath.exporters import _tracks
from tests import factories
from tests.exporters import captures
from tests.factories import query

TIMED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "statements": {"queries": {"queries": [query(0)]}},
    "no statement": {"queries": {"queries": []}},
    "a cache operation": {
        "cache": {"operations": [{"operation": "get", "start_ms": 1.0, "duration_ms": 1.0}]}
    },
    "a view": {"middleware": {"view": {"start_ms": 0.0, "duration_ms": 1.0}}},
    "middleware": {"middleware": {"middleware": [{"name": "a", "start_ms": 0.0, "total_ms": 1.0}]}},
    "middleware without a time": {"middleware": {"middleware": [{"name": "a", "start_ms": None}]}},
}


@pytest.mark.parametrize("what", TIMED)
def test_whether_there_are_marks_is_what_the_tracks_say(what: str) -> None:
    capture = factories.capture(instruments=TIMED[what])
    assert _tracks.has_marks(capture) == any(track.marks for track in _tracks.tracks(capture))


@pytest.mark.parametrize("name", ["firefox", "chrome"])
def test_no_mark_is_made_to_offer_a_format(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Capture] = []
    monkeypatch.setattr(_tracks, "_mark", made.append)
    capture = factories.with_queries(query(0))
    assert exporters.get(name).refusal(capture) is None
    assert exporters.get(name).refusal(captures.chain(["f"])) is None
    assert made == []
