"""Steps on the stack: what is done in C has the answers of what is done in Python."""

from __future__ import annotations

import gc
import inspect
import random
import sys
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from django_hotpath.stacks import ANY_DEPTH, init_in_python, pass_over_in_python
from tests.looking import native

PassOver = Callable[[FrameType | None, dict[int, int], int, int], FrameType | None]


@pytest.fixture(params=["in C", "in Python"])
def pass_over(request: pytest.FixtureRequest) -> PassOver:
    return native().pass_over if request.param == "in C" else pass_over_in_python


def _stack(depth: int) -> list[FrameType]:
    """Frames of as many functions, innermost first."""
    namespace: dict[str, Any] = {"sys": sys, "f0": lambda: sys._getframe(1)}
    for number in range(1, depth + 1):
        exec(f"def f{number}(): return f{number - 1}()", namespace)
    found, frame = [], namespace[f"f{depth}"]()
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def test_both_give_the_same_frame() -> None:
    in_c = native().pass_over
    chance = random.Random(1)
    frames = _stack(30)
    for _ in range(300):
        kinds = {id(frame.f_code): chance.randrange(-1, 34) for frame in frames}
        for frame in chance.sample(frames, 3):
            kinds.pop(id(frame.f_code), None)
        kinds = {code: kind for code, kind in kinds.items() if kind >= 0}
        passed, limit = chance.getrandbits(32), chance.choice([0, 1, 5, 20, ANY_DEPTH])
        first = chance.choice([*frames, None])
        assert in_c(first, kinds, passed, limit) is pass_over_in_python(first, kinds, passed, limit)


def test_code_that_is_not_known_is_not_passed_over(pass_over: PassOver) -> None:
    frame = sys._getframe()
    assert pass_over(frame, {}, 2**32 - 1, ANY_DEPTH) is frame


def test_no_frame_is_left_at_the_end_of_the_stack(pass_over: PassOver) -> None:
    kinds: dict[int, int] = {}
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        kinds[id(frame.f_code)] = 0
        frame = frame.f_back
    assert pass_over(sys._getframe(), kinds, 1, ANY_DEPTH) is None


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (1, {}, 1, 1),
        (None, [], 1, 1),
        (None, {}, "1", 1),
        (None, {}, 1, "1"),
        (None, {}, -1, 1),
    ],
)
def test_in_c_what_makes_no_sense_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, OverflowError)):
        native().pass_over(*arguments)


def test_in_c_a_kind_that_is_no_number_is_an_error() -> None:
    frame = sys._getframe()
    with pytest.raises(TypeError):
        native().pass_over(frame, {id(frame.f_code): "project"}, 1, 1)


class Made(dict[int, Any]):
    hinted: Any = None


class Making:
    """A class like ``QuerySet`` whose constructor is replaced."""

    def __init__(self, how: str, on_note: Callable[[Any], None] = lambda queryset: None) -> None:
        self.current: ContextVar[Any] = ContextVar("making", default=None)
        self.made = Made()
        self.noted: list[tuple[Any, str]] = []
        self.steps: dict[int, bool] = {}
        self.kinds: dict[int, int] = {}

        def original(
            queryset: Any,
            model: Any = None,
            query: Any = None,
            using: Any = None,
            hints: Any = None,
        ) -> None:
            queryset._query, queryset._hints = query, hints or {}
            if model == "fails":
                raise LookupError(model)

        def note(orm: Any, queryset: Any, frame: FrameType) -> None:
            assert orm.made is self.made
            self.noted.append((queryset, frame.f_code.co_name))
            on_note(queryset)

        init = native().Init if how == "in C" else init_in_python
        self.replaced = init(original, self.current, note, self.kinds, 1, 16, 1, self.steps)
        self.type = type("Chain", (), {"__init__": self.replaced})

    def start(self) -> None:
        orm = SimpleNamespace(made=self.made)
        self.current.set({"queries": SimpleNamespace(orm=orm)})


@pytest.fixture(params=["in C", "in Python"])
def making(request: pytest.FixtureRequest) -> Making:
    return Making(request.param)


def test_outside_of_a_capture_nothing_is_noted(making: Making) -> None:
    made = making.type("model", query="query")
    assert made._query == "query"
    assert making.noted == []


def test_who_made_a_queryset_is_noted(making: Making) -> None:
    making.start()
    made = making.type("model", None, "default", {})
    assert making.noted == [(made, "test_who_made_a_queryset_is_noted")]


@pytest.mark.parametrize("given", [(("model",), {"hints": 1}), (("model", None, None, 1), {})])
def test_a_queryset_for_an_instance_is_not(making: Making, given: tuple[Any, Any]) -> None:
    making.start()
    arguments, named = given
    made = making.type(*arguments, **named)
    assert made._hints == making.made.hinted == 1
    assert making.noted == []


def test_a_clone_of_one_for_an_instance_is_not_either(making: Making) -> None:
    making.start()
    hints, others = {"instance": 1}, {"instance": 1}
    making.type("model", hints=hints)
    making.type("model", query="query", hints=hints)
    assert making.noted == []
    other = making.type("model", query="query", hints=others)
    assert [noted for noted, _name in making.noted] == [other]


def test_what_was_at_the_same_place_in_memory_is_forgotten(making: Making) -> None:
    making.start()
    made = making.type("model")
    making.made[id(made)] = "an earlier one"
    made.__init__("model", hints={"instance": 1})
    assert making.made == {}


def test_an_error_of_the_constructor_is_raised(making: Making) -> None:
    making.start()
    with pytest.raises(LookupError, match="fails"):
        making.type("fails")
    with pytest.raises(TypeError):
        making.type(nothing=1)
    assert making.noted == []


@pytest.mark.parametrize("active", [{}, {"queries": None}, {"queries": SimpleNamespace()}])
def test_others_in_the_place_of_the_instrument_are_no_error(making: Making, active: Any) -> None:
    making.current.set(active)
    assert making.type("model")._query is None
    assert making.noted == []


def test_in_c_the_line_of_the_project_is_noted_without_a_look_in_python() -> None:
    making = Making("in C")
    making.start()
    code = sys._getframe().f_code
    making.kinds[id(code)] = 1
    looked_at = making.type("model")
    making.steps[id(code)] = False
    query = object()
    made = making.type("model", query=query)
    (found, offset), at = making.made[id(made)]
    assert found is code
    assert 0 < offset < len(code.co_code)
    assert at == id(query)
    assert [noted for noted, _name in making.noted] == [looked_at]


def test_in_c_a_step_of_a_chain_is_looked_at_in_python() -> None:
    making = Making("in C")
    making.start()
    code = sys._getframe().f_code
    making.kinds[id(code)], making.steps[id(code)] = 1, True
    made = making.type("model")
    assert [noted for noted, _name in making.noted] == [made]


def test_in_c_an_error_of_ours_is_nothing_to_who_makes_a_queryset() -> None:
    def fails(queryset: Any) -> None:
        raise ValueError(queryset)

    making = Making("in C", fails)
    making.start()
    assert making.type("model")._query is None
    assert len(making.noted) == 1


def test_in_c_it_is_a_method_like_others() -> None:
    making = Making("in C")
    made = making.type("model")
    bound = made.__init__
    assert bound.__self__ is made
    bound("model", query="again")
    assert made._query == "again"
    assert making.type.__init__ is making.replaced
    making.replaced(made, query="unbound")
    assert made._query == "unbound"
    making.replaced.__wrapped__ = lambda self, model: None
    assert list(inspect.signature(making.replaced).parameters) == ["self", "model"]


@pytest.mark.parametrize("arguments", [(), (len, 1, len, {}, 1, 16, 1, {})])
def test_in_c_it_is_made_of_the_right_things_only(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        native().Init(*arguments)


def test_in_c_nothing_is_left_of_it() -> None:
    making = Making("in C")
    making.start()
    making.type("model")
    making.replaced.itself = making.replaced
    gone = weakref.ref(making.type)
    making.current.set(None)
    del making
    gc.collect()
    assert gone() is None
