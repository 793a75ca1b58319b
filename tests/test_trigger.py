from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncRequestFactory, RequestFactory

from django_hotpath import trigger
from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument
from django_hotpath.instruments.registry import Spec

rf = RequestFactory()


class Missing(Instrument):
    name = "missing"
    engine = "unheard_of"
    requires = "no_such_module_anywhere"
    extra = "all"
    takes_target = True

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def result(self) -> dict[str, object]:
        return {}


class Targeted(Missing):
    name = "targeted"
    engine = "hotpath"
    requires = None

    @classmethod
    def check_target(cls, target: str) -> str | None:
        return None if target == "shop.views.index" else f"{target} cannot be imported"


@pytest.fixture
def _instruments(monkeypatch: pytest.MonkeyPatch) -> None:
    for cls in (Missing, Targeted):
        path = f"{__name__}.{cls.__name__}"
        registry.register(path)
    yield
    for cls in (Missing, Targeted):
        registry.unregister(f"{__name__}.{cls.__name__}")


def names(text: str) -> list[str]:
    return [spec.name for spec in trigger.parse(text)]


def test_one_means_the_default_set() -> None:
    expected = ["calls", "queries", "cache", "templates", "http", "middleware", "gc", "memory"]
    assert names("1") == expected


def test_an_empty_value_means_the_default_set() -> None:
    assert names("") == names("1")


def test_the_default_set_is_a_setting(settings: Any) -> None:
    settings.HOTPATH = {"INSTRUMENTS": ["queries"]}
    assert names("1") == ["queries"]


@pytest.mark.parametrize(
    ("preset", "expected"),
    [("cpu", ["calls"]), ("sql", ["queries"]), ("memory", ["allocations", "line_memory"])],
)
def test_presets(preset: str, expected: list[str]) -> None:
    assert names(preset) == expected


def test_memory_alone_is_the_preset_and_in_a_list_the_instrument() -> None:
    assert names("memory") == ["allocations", "line_memory"]
    assert names("queries,memory") == ["queries", "memory"]
    assert names("queries,cpu") == ["queries", "calls"]


def test_a_comma_list_of_instruments() -> None:
    assert names("calls, queries") == ["calls", "queries"]


def test_an_engine_means_its_instrument_by_that_engine() -> None:
    assert trigger.parse("cprofile") == (Spec("calls", "cprofile"),)


def test_an_instrument_named_twice_runs_once() -> None:
    assert trigger.parse("calls,cprofile,1,calls")[0] == Spec("calls", "cprofile")
    assert names("sql,queries") == ["queries"]


@pytest.mark.parametrize("text", ["querys", "queries,bogus", "monitoring", "1;drop", "<script>"])
def test_an_unknown_instrument_is_refused_by_name(text: str) -> None:
    with pytest.raises(trigger.TriggerError, match="there is no instrument, engine or preset"):
        trigger.parse(text)


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(trigger.TriggerError, match="did you mean queries"):
        trigger.parse("querys")


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(trigger.TriggerError) as caught:
        trigger.parse("bogus,calls:,queries:a.b")
    assert len(caught.value.problems) == 3


@pytest.mark.usefixtures("_instruments")
def test_a_missing_engine_says_what_to_install() -> None:
    with pytest.raises(trigger.TriggerError, match=r'pip install "django-hotpath\[all\]"'):
        trigger.parse("missing")


@pytest.mark.usefixtures("_instruments")
def test_a_target_is_handed_on() -> None:
    assert trigger.parse("targeted:shop.views.index") == (
        Spec("targeted", None, "shop.views.index"),
    )


@pytest.mark.usefixtures("_instruments")
def test_a_target_that_does_not_import_is_refused() -> None:
    with pytest.raises(trigger.TriggerError, match=r"shop\.nothing cannot be imported"):
        trigger.parse("targeted:shop.nothing")


def test_a_target_for_an_instrument_without_targets_is_refused() -> None:
    with pytest.raises(trigger.TriggerError, match="queries takes no target"):
        trigger.parse("queries:shop.views.index")


def test_an_endless_text_is_refused() -> None:
    with pytest.raises(trigger.TriggerError, match="longer than 500"):
        trigger.parse("calls," * 1000)


@pytest.mark.parametrize(
    ("query_string", "expected"),
    [
        ("profile=1", ""),
        ("a=1&profile=1&b=2", "a=1&b=2"),
        ("profile", ""),
        ("profile=1&profile_as=json&profile_asset=x", ""),
        ("%70rofile=1&x", "x"),
        ("profiles=1&my_profile=2&q=profile", "profiles=1&my_profile=2&q=profile"),
        ("b=%2F&&a=ä+x;profile=1", "b=%2F&&a=ä+x;profile=1"),
        ("profile=1&profile=2", ""),
    ],
)
def test_only_our_parameters_are_taken_out(query_string: str, expected: str) -> None:
    assert trigger.strip_query_string(query_string) == expected


@pytest.mark.parametrize("factory", [RequestFactory(), AsyncRequestFactory()])
def test_the_application_sees_the_real_url(factory: RequestFactory) -> None:
    request = factory.get("/books/?page=2&profile=1", headers={"hotpath-profile": "sql"})
    assert request.GET["profile"] == "1"
    trigger.strip(request)
    assert dict(request.GET.items()) == {"page": "2"}
    assert request.get_full_path() == "/books/?page=2"
    assert "Hotpath-Profile" not in request.headers
    scope = getattr(request, "scope", None)
    if scope is not None:
        assert scope["query_string"] == "page=2"
        assert b"hotpath-profile" not in dict(scope["headers"])


def test_the_request_line_of_servers_is_stripped_too() -> None:
    request = rf.get("/a/?profile=1&b=2", REQUEST_URI="/a/?profile=1&b=2", RAW_URI="/a/?profile=1")
    trigger.strip(request)
    assert (request.META["REQUEST_URI"], request.META["RAW_URI"]) == ("/a/?b=2", "/a/")


def test_the_header_asks_as_the_parameter_does() -> None:
    ask = trigger.read(rf.get("/", headers={"hotpath-profile": "sql"}))
    assert ask is not None
    assert ask.profile == "sql"


@pytest.mark.parametrize("query_string", ["", "q=profile", "profiles=1", "profile_as=json"])
def test_requests_that_ask_for_nothing(query_string: str) -> None:
    assert trigger.read(rf.get(f"/?{query_string}")) is None


def test_the_parameter_can_have_another_name(settings: Any) -> None:
    settings.HOTPATH = {"PARAMETER": "prof"}
    assert trigger.read(rf.get("/?profile=1")) is None
    ask = trigger.read(rf.get("/?prof=1&prof_as=json"))
    assert ask == trigger.Ask(profile="1", output="json", asset=None)
