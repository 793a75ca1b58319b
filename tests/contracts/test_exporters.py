"""What every export format does alike."""

from __future__ import annotations

import json
import marshal
import re

import pytest

from django_hotpath import exporters
from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from tests import factories
from tests.exporters import captures
from tests.exporters.test_chrome import everything
from tests.factories import function, query
from tests.recording import recording

HOSTILE = "</script><img onerror=alert(1)>\udcff\x00‮"


def hostile_cprofile() -> Capture:
    calls = factories.with_functions(function(HOSTILE, file=HOSTILE)).instruments["calls"]
    queries = factories.with_queries(query(0, f"SELECT '{HOSTILE}'")).instruments["queries"]
    return factories.capture(label=HOSTILE, instruments={"calls": calls, "queries": queries})


CAPTURES = {
    "empty": factories.capture(),
    "no request": factories.capture(request=None, label="import prices"),
    "calls only": captures.at_random(5),
    "calls in order": captures.in_order(),
    "calls by cprofile": factories.with_functions(function()),
    "nothing called": factories.with_functions(),
    "samples": captures.sampled(),
    "memory": captures.allocated(),
    "queries only": factories.with_queries(query(0)),
    "no queries": factories.with_queries(),
    "hostile": captures.hostile(),
    "hostile, by cprofile": hostile_cprofile(),
    "asynchronous": everything(),
}


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=list(CAPTURES))
@pytest.mark.parametrize("name", exporters.names())
def test_every_capture_is_written_or_refused_with_a_sentence(name: str, capture: Capture) -> None:
    found = exporters.get(name)
    reason = found.refusal(capture)
    if reason is None:
        assert isinstance(found.export(capture), bytes)
        return
    assert len(reason.split()) > 4
    with pytest.raises(ExportError) as refused:
        found.export(capture)
    assert str(refused.value) == reason


@pytest.mark.parametrize("name", exporters.names())
def test_writes_a_real_capture(name: str) -> None:
    with recording("native", "queries", "cache", "templates", "gc", "memory") as run:
        sorted(range(10))
    assert run.capture.export(name)


@pytest.mark.parametrize("name", exporters.names())
def test_a_capture_that_was_stored_is_written_alike(name: str) -> None:
    capture = everything()
    stored = Capture.from_json(capture.to_json())
    if exporters.get(name).refusal(capture) is None:
        # Equal dicts are marshalled differently by how often their texts are referred to.
        read = marshal.loads if name == "pstats" else bytes
        assert read(stored.export(name)) == read(capture.export(name))


@pytest.mark.parametrize("name", exporters.names())
def test_names_its_type_and_what_reads_it(name: str) -> None:
    found = exporters.get(name)
    assert "/" in found.content_type
    assert re.fullmatch(r"[a-z0-9]+(\.[a-z0-9]+)*", found.suffix)
    assert found.label
    assert found.hint


@pytest.mark.parametrize("name", exporters.names())
@pytest.mark.parametrize(
    "label", ['GET /"\r\nX-Evil: 1', "../../etc/passwd", HOSTILE, "", "GET /é/"]
)
def test_a_file_name_is_letters_digits_dots_and_dashes(name: str, label: str) -> None:
    found = exporters.get(name).file_name(factories.capture(label=label))
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*-[0-9A-Z]{26}\.[a-z0-9.]+", found)


@pytest.mark.parametrize("name", ["json", "speedscope", "chrome", "firefox"])
def test_json_is_strict_ascii(name: str) -> None:
    data = captures.hostile().export(name)
    json.loads(data.decode("ascii"), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", ["markdown", "text", "collapsed", "callgrind", "csv", "report"])
def test_texts_are_valid_unicode(name: str) -> None:
    assert captures.hostile().export(name).decode("utf-8")


def test_an_unknown_format_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        exporters.get("../json")
    with pytest.raises(KeyError):
        factories.capture().export("_trees")
