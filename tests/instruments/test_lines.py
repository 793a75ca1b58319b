"""``lines`` of a request, by each engine there is here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.base import BaseHandler
from django.test import AsyncClient, Client

from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument
from tests.instruments import line_views
from tests.instruments.line_reading import function, functions, hits, stored
from tests.views import Broken

ENGINES = [cls for cls in registry.engines("lines") if cls.available() is None]
ACCEPT = {"accept": "*/*"}

Ask = Callable[[str], Any]

pytestmark = [pytest.mark.urls("tests.instruments.line_views"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture(params=ENGINES, ids=lambda cls: cls.engine)
def engine(request: pytest.FixtureRequest) -> type[Instrument]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def word(engine: type[Instrument]) -> str:
    """What to ask for."""
    return "lines" if engine is ENGINES[0] else engine.engine


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Gets a URL by WSGI or by ASGI."""
    if request.param == "sync":
        return lambda url: Client().get(url, headers=ACCEPT)

    async def get(url: str) -> Any:
        return await AsyncClient().get(url, headers=ACCEPT)

    return async_to_sync(get)


def measured(response: Any) -> dict[str, Any]:
    assert "Hotpath-Capture" in response.headers, response.headers.get("Hotpath-Refused")
    return stored(response).instruments["lines"]  # type: ignore[no-any-return]


class TestTheViewOfARequest:
    def test_is_measured_without_being_named(self, ask: Ask, word: str) -> None:
        result = measured(ask(f"/plain/?profile={word}"))
        assert result["view"] == "tests.instruments.line_views.plain"
        assert hits(result, "plain") == {
            "total = 0": 1,
            "for number in range(3):": 4,
            "total += number": 3,
            "return HttpResponse(str(total))": 1,
        }

    def test_may_be_a_coroutine(self, ask: Ask, word: str) -> None:
        result = measured(ask(f"/aplain/?profile={word}"))
        found = hits(result, "aplain")
        assert found["for number in range(3):"] == 4
        assert found["await asyncio.sleep(0)"] == 3
        assert found["total += number"] == 3

    def test_may_be_a_class_built_from_generic_views(self, ask: Ask, word: str) -> None:
        result = measured(ask(f"/groups/?profile={word}"))
        assert result["view"] == "tests.instruments.line_views.GroupList"
        assert hits(result, "GroupList.get_queryset") == {
            'found = Group.objects.order_by("name")': 1,
            "return found.filter(pk__gt=0)": 1,
        }
        assert hits(result, "GroupList.get_context_data")['context["audience"] = self.audience()']
        assert hits(result, "Mixin.audience") == {'return "everybody"': 1}
        assert {"View.dispatch", "BaseListView.get"} <= functions(result)
        assert function(result, "GroupList.get_queryset")["total_ms"] > 0
        assert function(result, "GroupList.get_queryset")["file"] == (
            "tests/instruments/line_views.py"
        )

    def test_may_be_a_class_with_async_handlers(self, ask: Ask, word: str) -> None:
        result = measured(ask(f"/agroups/?profile={word}"))
        assert hits(result, "AsyncGroups.get")["names = await self.names()"] == 1
        assert hits(result, "AsyncGroups.names")["await asyncio.sleep(0)"] == 1
        assert "View.dispatch" in functions(result)

    def test_may_be_decorated_by_method(self, ask: Ask, word: str) -> None:
        result = measured(ask(f"/decorated/?profile={word}"))
        assert hits(result, "Decorated.get") == {"return HttpResponse(self.text)": 1}
        assert hits(result, "Decorated.text") == {'return "decorated"': 1}

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("wrapped", "wrapped"),
            ("partial", "wrapped"),
            ("instance", "Instance.answer"),
            ("bound", "Bound.answer"),
        ],
    )
    def test_may_be_of_any_kind(self, ask: Ask, word: str, path: str, name: str) -> None:
        assert list(hits(measured(ask(f"/{path}/?profile={word}")), name).values()) == [1]

    def test_of_a_class_brings_its_base_classes_on_request(self, ask: Ask, word: str) -> None:
        result = measured(ask(f"/groups/?profile={word}:django"))
        assert result["target"] == "django"
        assert "MultipleObjectMixin.get_context_data" in functions(result)
        assert "GroupList.get_queryset" in functions(result)

    def test_that_raises_is_measured_until_then(self, word: str) -> None:
        client = Client(raise_request_exception=False)
        result = measured(client.get(f"/broken/?profile={word}", headers=ACCEPT))
        assert hits(result, "broken") == {
            'number = len("reached")': 1,
            "raise Broken(str(number))": 1,
        }

    def test_is_the_one_that_ran_whichever_urls_a_middleware_chose(
        self, settings: Any, word: str
    ) -> None:
        settings.ROOT_URLCONF = "tests.urls"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.instruments.line_views.choose_urlconf"]
        result = measured(Client().get(f"/plain/?profile={word}", headers=ACCEPT))
        assert result["view"] == "tests.instruments.line_views.plain"

    def test_is_none_where_no_url_matches(self, ask: Ask, word: str) -> None:
        result = measured(ask(f"/nowhere/?profile={word}"))
        assert (result["view"], result["functions"]) == (None, [])


class TestATarget:
    def test_is_measured_in_the_place_of_the_view(self, word: str) -> None:
        path = "tests.instruments.line_views.GroupList.audience"
        result = measured(Client().get(f"/groups/?profile={word}:{path}", headers=ACCEPT))
        assert functions(result) == {"Mixin.audience"}
        assert (result["target"], result["view"]) == (path, None)

    def test_may_be_several_in_a_url_where_plus_is_a_space(self, word: str) -> None:
        paths = "tests.instruments.line_views.GroupList.audience+view"
        result = measured(Client().get(f"/plain/?profile={word}:{paths}", headers=ACCEPT))
        # Not one that only did not happen to run: it was asked for by name.
        assert functions(result) == {"Mixin.audience", "plain"}
        assert hits(result, "Mixin.audience") == {'return "everybody"': 0}

    def test_may_be_given_word_by_word(self, word: str) -> None:
        paths = f"{word}:tests.instruments.line_views.GroupList.audience,{word}:view"
        result = measured(Client().get(f"/plain/?profile={paths}", headers=ACCEPT))
        assert functions(result) == {"Mixin.audience", "plain"}

    def test_that_does_not_exist_is_a_400_with_the_nearest_name(self, ask: Ask, word: str) -> None:
        response = ask(f"/plain/?profile={word}:tests.instruments.line_views.GroupLst")
        assert response.status_code == 400
        assert b"did you mean GroupList?" in response.content

    def test_of_a_client_that_may_not_ask_is_not_even_looked_at(
        self, settings: Any, word: str
    ) -> None:
        settings.DEBUG = False
        response = Client().get(f"/plain/?profile={word}:nowhere.at.all", headers=ACCEPT)
        assert (response.status_code, response.content) == (200, b"3")


class TestTheApplication:
    @pytest.mark.parametrize("path", ["plain", "aplain", "groups", "agroups", "decorated"])
    def test_answers_the_same(self, ask: Ask, word: str, path: str) -> None:
        assert ask(f"/{path}/?profile={word}").content == ask(f"/{path}/").content

    def test_raises_the_same(self, word: str) -> None:
        with pytest.raises(Broken, match="7"):
            Client().get(f"/broken/?profile={word}", headers=ACCEPT)

    def test_is_left_as_it_was(self, ask: Ask, word: str) -> None:
        code, method = line_views.plain.__code__, BaseHandler.make_view_atomic
        trace = sys.gettrace()
        ask(f"/plain/?profile={word}").close()
        ask(f"/groups/?profile={word}").close()
        assert line_views.plain.__code__ is code
        assert BaseHandler.make_view_atomic is method
        assert sys.gettrace() is trace
        if sys.version_info >= (3, 12):
            assert not any(_tools())
            assert not sys.monitoring._all_events()

    def test_may_reply_to_itself(self, word: str) -> None:
        from django.urls import set_urlconf

        set_urlconf(None)
        result = measured(Client().get(f"/itself/?profile={word}", headers=ACCEPT))
        assert hits(result, "itself")['inner = Client().get("/plain/")'] == 1
        assert "plain" not in functions(result)


def _tools() -> list[str | None]:
    return [sys.monitoring.get_tool(number) for number in range(6)]
