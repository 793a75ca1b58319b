"""The matrix of engines that cannot live together, pair by pair against reality."""

from __future__ import annotations

import itertools
import sys
from typing import Any, ClassVar

import pytest
from django.test import Client

from django_hotpath import checks, conflicts
from django_hotpath.conflicts import Conflict
from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument, Session
from tests import known_answers
from tests.known_answers import ANSWER, captured, known_classes, name_of
from tests.require import require

Pair = tuple[type[Instrument], type[Instrument]]

CLASSES = known_classes()
PAIRS = list(itertools.combinations(CLASSES, 2))


@pytest.fixture(autouse=True)
def _async_may_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def pair_id(pair: Pair) -> str:
    return "+".join(map(name_of, pair))


def engine(name: str, engine: str) -> type[Instrument]:
    return next(cls for cls in registry.engines(name) if cls.engine == engine)


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
@pytest.mark.django_db
def test_each_engine_alone_gives_the_known_answer(cls: type[Instrument]) -> None:
    outcome = captured([cls])
    assert outcome.answer == ANSWER
    outcome.check([cls])


@pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
@pytest.mark.django_db
def test_every_pair_is_refused_or_gives_both_answers(pair: Pair) -> None:
    outcome = captured(pair)
    assert outcome.answer == ANSWER
    reason = conflicts.between(*pair)
    if reason is not None:
        assert outcome.capture is None
        assert reason in outcome.refused
    elif outcome.capture is None:
        # Alone it would be refused in an event loop too.
        assert {cls.name for cls in pair} >= {"eventloop", "samples"}
        assert "cannot follow async work" in outcome.refused
    else:
        outcome.check(pair)


@pytest.mark.parametrize(
    "conflict", conflicts.here(), ids=lambda c: "+".join(map("-".join, c.engines))
)
@pytest.mark.django_db
def test_what_is_refused_would_be_wrong(
    conflict: Conflict, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = [engine(*found) for found in conflict.engines]
    for cls in pair:
        reason = cls.available()
        require(reason is None, f"{cls.name} ({cls.engine}) {reason}")
    monkeypatch.setattr(conflicts, "MATRIX", ())
    outcome = captured(pair)
    assert outcome.answer == ANSWER
    assert outcome.capture is not None
    if conflict.engines[1] == ("samples", "thread"):
        assert _tools_called_by_a_nap(outcome.capture.instruments["calls"])
    else:
        with pytest.raises(AssertionError):
            outcome.check(pair)


def _tools_called_by_a_nap(calls: dict[str, Any]) -> int:
    """How often, says the table, a sleeping function called a profiler."""
    names = [function["function"] for function in calls["functions"]]
    nap, tools = names.index("nap"), names.index("profiling tools")
    return sum(edge[2] for edge in calls["edges"] if edge[:2] == [nap, tools])


class TestTheMatrix:
    def test_names_engines_that_exist(self) -> None:
        every = [cls for name in registry.names() for cls in registry.engines(name)]
        named = {found for conflict in conflicts.MATRIX for found in conflict.engines}
        assert named <= {(cls.name, cls.engine) for cls in every}

    def test_names_no_pair_twice_for_a_version(self) -> None:
        for version in ((3, 11), (3, 12), (3, 13)):
            pairs = [frozenset(found.engines) for found in conflicts.here(version)]
            assert len(pairs) == len(set(pairs))

    def test_is_of_a_version(self) -> None:
        cprofile, thread = engine("calls", "cprofile"), engine("samples", "thread")
        assert conflicts.between(cprofile, thread, (3, 11)) is None
        assert "sees every thread" in str(conflicts.between(cprofile, thread, (3, 12)))
        assert "sees every thread" in str(conflicts.between(cprofile, thread, (3, 14)))
        lines = engine("lines", "line_profiler")
        memory = engine("line_memory", "memory_profiler")
        assert "trace function" in str(conflicts.between(lines, memory, (3, 11)))
        assert conflicts.between(lines, memory, (3, 12)) is None

    def test_says_the_same_in_either_order(self) -> None:
        for one, other in PAIRS:
            assert conflicts.between(one, other) == conflicts.between(other, one)

    def test_one_engine_measures_an_instrument(self) -> None:
        (sentence,) = conflicts.refusals([engine("calls", "native"), engine("calls", "cprofile")])
        assert "one engine at a time" in sentence

    def test_a_registered_engine_may_have_conflicts_of_its_own(self) -> None:
        class Theirs(Instrument):
            name = "theirs"
            engine = "own"
            measures = cost = disturbed_by = ""
            conflicts = frozenset({"gc"})

            def start(self) -> None: ...
            def stop(self) -> None: ...
            def result(self) -> dict[str, Any]:
                return {}

        (sentence,) = conflicts.refusals([engine("gc", "hotpath"), Theirs])
        assert sentence == "gc cannot run beside theirs (own): theirs (own) says so"
        assert conflicts.refusals([Theirs, engine("memory", "hotpath")]) == []
        assert Theirs(Session()).result() == {}


CONFLICTING = (
    ["cprofile", "thread"] if sys.version_info >= (3, 12) else ["line_profiler", "memory_profiler"]
)


def needs_conflicting() -> None:
    names = registry.engine_names()
    for name in CONFLICTING:
        reason = engine(names[name], name).available()
        require(reason is None, f"{name} {reason}")


class TestARequestForBoth:
    pytestmark = pytest.mark.urls("tests.test_middleware")
    PAGE: ClassVar[Any] = {"HTTP_ACCEPT": "text/html"}

    @pytest.fixture(autouse=True)
    def _development(self, settings: Any) -> None:
        settings.DEBUG = True

    def test_is_answered_normally_and_told_why(self, client: Client) -> None:
        needs_conflicting()
        response = client.get(f"/hello/?profile={','.join(CONFLICTING)}", **self.PAGE)
        assert (response.status_code, response.content) == (200, b"hello")
        assert "cannot run beside" in response["Hotpath-Refused"]

    def test_runs_no_instrument_before_it_is_refused(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        needs_conflicting()
        started = []
        for name in CONFLICTING:
            cls = engine(registry.engine_names()[name], name)
            monkeypatch.setattr(cls, "start", lambda self: started.append(self.name))
        client.get(f"/hello/?profile={','.join(CONFLICTING)}", **self.PAGE)
        assert started == []

    def test_the_help_page_says_which_cannot_run_together(self, client: Client) -> None:
        for accept in ("text/html", "text/plain"):
            text = client.get("/hello/?profile=help", HTTP_ACCEPT=accept).content.decode()
            for conflict in conflicts.here():
                assert conflict.reason.split(":")[0].split(",")[0] in text


class TestTheSystemCheck:
    def test_names_instruments_that_every_request_would_be_refused_for(self, settings: Any) -> None:
        needs_conflicting()
        settings.HOTPATH = {"INSTRUMENTS": [*CONFLICTING, "queries"]}
        (message,) = checks.check_settings(None)
        assert message.id == "hotpath.E007"
        assert all(name in message.msg for name in CONFLICTING)

    def test_names_presets_of_which_a_part_is_always_left_out(self, settings: Any) -> None:
        needs_conflicting()
        settings.HOTPATH = {"PRESETS": {"mine": CONFLICTING}}
        (message,) = checks.check_settings(None)
        assert message.id == "hotpath.W005"
        assert '"mine"' in message.msg

    def test_is_silent_for_what_can_live_together(self, settings: Any) -> None:
        settings.HOTPATH = {
            "INSTRUMENTS": ["calls", "queries", "memory"],
            "PRESETS": {"mine": [CONFLICTING[0], "gc"]},
        }
        assert checks.check_settings(None) == []

    def test_goes_over_names_that_are_unknown(self, settings: Any) -> None:
        settings.HOTPATH = {"INSTRUMENTS": ["calls", "nonsense", ["gc"]]}
        assert {message.id for message in checks.check_settings(None)} == {"hotpath.E005"}


def test_known_answers_can_be_wrong() -> None:
    """A check that passes whatever it is shown would make every pair look right."""
    for check in known_answers.CHECKS.values():
        with pytest.raises((AssertionError, KeyError)):
            check({})
