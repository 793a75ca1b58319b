"""Own time of each middleware. What stands in the chain is exercised with real handlers."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.utils.decorators import sync_and_async_middleware, sync_only_middleware
from django.utils.deprecation import MiddlewareMixin

from django_hotpath import stores
from django_hotpath.capture import Capture
from django_hotpath.instruments import middleware_patch
from django_hotpath.instruments.registry import Spec, choose
from django_hotpath.instruments.view_hook import view_hook

HERE = __name__
OURS = "django_hotpath.middleware.ProfilingMiddleware"
MS = 0.004


class Slow(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        time.sleep(MS)


class Hooks(MiddlewareMixin):
    def process_view(self, request: HttpRequest, *args: Any) -> None:
        time.sleep(MS)

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        return response


class Answers(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("from the middleware")


class Raises(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> HttpResponse:
        raise LookupError("theirs")


class Declines:
    def __init__(self, get_response: Callable[..., Any]) -> None:
        raise MiddlewareNotUsed


class Twice:
    """Asks the view again, as one that retries does."""

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.inner = get_response

    def __call__(self, request: HttpRequest) -> Any:
        self.inner(request)
        return self.inner(request)


class Slotted:
    __slots__ = ("get_response",)

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)


class Hidden:
    """Keeps what it calls in a list, where nobody looks."""

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.kept = [get_response]

    def __call__(self, request: HttpRequest) -> Any:
        return self.kept[0](request)


class Partial:
    """Can be walked through, but what it calls cannot be replaced."""

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.call = functools.partial(_call, get_response)

    def __call__(self, request: HttpRequest) -> Any:
        return self.call(request)


def _call(get_response: Callable[..., Any], request: HttpRequest) -> Any:
    return get_response(request)


class AsyncOnly:
    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> Any:
        return await self.get_response(request)


def function(get_response: Callable[..., Any]) -> Callable[..., Any]:
    def middleware(request: HttpRequest) -> Any:
        time.sleep(MS)
        return get_response(request)

    return middleware


@sync_only_middleware
def sync_function(get_response: Callable[..., Any]) -> Callable[..., Any]:
    return function(get_response)


@sync_and_async_middleware
def both_function(get_response: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(get_response):

        async def amiddleware(request: HttpRequest) -> Any:
            return await get_response(request)

        return amiddleware
    return function(get_response)


def hello(request: HttpRequest) -> HttpResponse:
    time.sleep(MS)
    return HttpResponse("hello")


async def ahello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def template(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "tests_child.html", {"text": "x"})


def broken(request: HttpRequest) -> HttpResponse:
    raise LookupError("the view's own")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"a", b"b"]))


def within(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Client().get("/hello/").content)


entered, leave = threading.Event(), threading.Event()


def waits(request: HttpRequest) -> HttpResponse:
    entered.set()
    leave.wait(10)
    return HttpResponse("waited")


urlpatterns = [
    path("hello/", hello),
    path("ahello/", ahello),
    path("template/", template),
    path("broken/", broken),
    path("stream/", stream),
    path("within/", within),
    path("waits/", waits),
    path("__hotpath__/", include("django_hotpath.urls")),
]

pytestmark = [pytest.mark.urls(HERE), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def debug(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert middleware_patch._chains == {}
    assert view_hook._users == 0


@pytest.fixture
def chain(settings: Any) -> Callable[..., None]:
    def use(*names: str) -> None:
        settings.MIDDLEWARE = [OURS, *(name if "." in name else f"{HERE}.{name}" for name in names)]

    return use


def captured(response: Any) -> Capture:
    return stores.get_store().get(response.headers["Hotpath-Capture"].rstrip("/").split("/")[-1])


def measured(response: Any) -> dict[str, Any]:
    return captured(response).instruments["middleware"]  # type: ignore[no-any-return]


def get(url: str, client: Client | None = None, wanted: str = "middleware") -> Any:
    client = client or Client(raise_request_exception=False)
    return client.get(url, headers={"Hotpath-Profile": wanted})


def names(found: dict[str, Any]) -> list[str]:
    return [row["name"].removeprefix(f"{HERE}.") for row in found["middleware"]]


class TestOrderAndTimes:
    def test_each_in_the_order_of_the_settings(self, settings: Any) -> None:
        found = measured(get("/hello/"))
        assert [row["name"] for row in found["middleware"]] == settings.MIDDLEWARE[1:]
        assert [row["index"] for row in found["middleware"]] == list(range(5))
        assert found["missed"] == []

    def test_own_time_is_without_those_it_calls(self, chain: Any) -> None:
        chain("both_function", "Slow")
        outer, inner = measured(get("/hello/"))["middleware"]
        assert outer["own_ms"] >= MS * 1000
        assert outer["own_ms"] == pytest.approx(outer["total_ms"] - inner["total_ms"], abs=0.001)

    def test_the_parts_sum_to_the_whole(self, chain: Any) -> None:
        chain("Slow", "function", "Hooks")
        found = measured(get("/hello/"))
        own = sum(row["own_ms"] for row in found["middleware"])
        whole = own + found["handler"]["own_ms"] + found["view"]["duration_ms"]
        assert whole == pytest.approx(found["middleware"][0]["total_ms"], abs=0.01)

    def test_they_begin_one_after_the_other(self, chain: Any) -> None:
        chain("Slow", "function")
        found = measured(get("/hello/"))
        rows = [*found["middleware"], found["handler"], found["view"]]
        starts = [row["start_ms"] for row in rows]
        assert starts == sorted(starts)

    def test_hooks_are_time_of_the_handler_and_named(self, chain: Any) -> None:
        chain("Hooks")
        found = measured(get("/hello/"))
        assert found["handler"]["own_ms"] >= MS * 1000
        assert found["hooks"] == [
            f"{HERE}.Hooks.process_view",
            f"{HERE}.Hooks.process_template_response",
        ]

    def test_rendering_a_template_response_is_time_of_the_handler(self) -> None:
        found = measured(get("/template/"))
        assert found["handler"]["total_ms"] > found["view"]["duration_ms"]

    def test_without_any_middleware_there_is_the_handler(self, chain: Any) -> None:
        chain()
        found = measured(get("/hello/"))
        assert found["middleware"] == []
        assert found["handler"]["total_ms"] >= found["view"]["duration_ms"] >= MS * 1000

    def test_without_a_request_there_is_nothing(self) -> None:
        from tests.recording import recording

        with recording("middleware") as run:
            pass
        assert run["middleware"]["middleware"] == []
        assert run["middleware"]["view"] is None


class TestKindsOfMiddleware:
    @pytest.mark.parametrize(
        "name", ["Slow", "function", "sync_function", "both_function", "Twice", "Slotted"]
    )
    def test_is_told_apart(self, chain: Any, name: str) -> None:
        chain("Slow", name, "Hooks")
        found = measured(get("/hello/"))
        assert names(found) == ["Slow", name, "Hooks"]
        assert found["missed"] == []

    @pytest.mark.skipif(find_spec("debug_toolbar") is None, reason="no debug toolbar")
    def test_the_debug_toolbar_is_told_apart(self, chain: Any) -> None:
        chain("debug_toolbar.middleware.DebugToolbarMiddleware", "Slow")
        found = measured(get("/hello/"))
        toolbar, slow = found["middleware"]
        assert toolbar["name"] == "debug_toolbar.middleware.DebugToolbarMiddleware"
        assert toolbar["own_ms"] <= toolbar["total_ms"] - slow["total_ms"] + 0.001

    def test_one_that_declined_to_be_used_is_left_out(self, chain: Any) -> None:
        chain("Slow", "Declines", "Hooks")
        assert names(measured(get("/hello/"))) == ["Slow", "Hooks"]

    def test_one_that_calls_twice_is_summed(self, chain: Any) -> None:
        chain("Twice", "Slow")
        twice, slow = measured(get("/hello/"))["middleware"]
        assert slow["own_ms"] >= 2 * MS * 1000
        assert twice["own_ms"] < slow["own_ms"]

    def test_one_that_does_not_show_what_it_calls_ends_the_chain(self, chain: Any) -> None:
        chain("Slow", "Hidden", "Hooks", "function")
        found = measured(get("/hello/"))
        assert names(found) == ["Slow", "Hidden"]
        assert found["handler"] is None
        reason = f"{HERE}.Hidden does not show what it calls: its time is in {HERE}.Hidden"
        assert found["missed"] == [
            {"name": f"{HERE}.{name}", "reason": reason} for name in ("Hooks", "function")
        ]

    def test_one_that_cannot_be_replaced_is_its_neighbours(self, chain: Any) -> None:
        chain("Partial", "Slow", "Hooks")
        found = measured(get("/hello/"))
        assert names(found) == ["Partial", "Hooks"]
        assert found["middleware"][0]["own_ms"] >= MS * 1000
        assert [missed["name"] for missed in found["missed"]] == [f"{HERE}.Slow"]

    def test_one_that_answers_itself_ends_the_way(self, chain: Any) -> None:
        chain("Slow", "Answers", "Hooks")
        response = get("/hello/")
        found = measured(response)
        assert response.content == b"from the middleware"
        assert names(found) == ["Slow", "Answers"]
        assert found["not_reached"] == [f"{HERE}.Hooks"]
        assert (found["handler"], found["view"]) == (None, None)


class TestErrors:
    def test_of_the_view(self, chain: Any) -> None:
        chain("Slow", "function")
        response = get("/broken/")
        assert response.status_code == 500
        assert names(measured(response)) == ["Slow", "function"]

    def test_of_a_middleware(self, chain: Any) -> None:
        chain("Slow", "Raises", "Hooks")
        response = get("/hello/")
        assert response.status_code == 500
        assert names(measured(response)) == ["Slow", "Raises"]

    def test_a_chain_that_cannot_be_walked_leaves_the_answer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*args: Any) -> None:
            raise RuntimeError("not today")

        monkeypatch.setattr(middleware_patch, "links", fails)
        response = get("/hello/")
        assert response.content == b"hello"
        assert "middleware" not in captured(response).instruments


class TestNothingStays:
    def test_the_chain_is_as_before(self) -> None:
        client = Client()
        client.get("/hello/")
        before = _attributes(client)
        response = get("/hello/", client)
        assert measured(response)["middleware"]
        assert _attributes(client) == before

    def test_cells_are_as_before(self, chain: Any) -> None:
        chain("function", "Slow")
        client = Client()
        client.get("/hello/")
        before = _cells(client)
        get("/hello/", client)
        assert _cells(client) == before

    def test_what_somebody_put_there_meanwhile_stays(self, chain: Any) -> None:
        chain("Slow", "function")
        client = Client()
        client.get("/hello/")
        slow = _instances(client)[0]
        chained = middleware_patch.acquire(_outermost(client), _nobody)
        ours = slow.get_response

        def theirs(request: HttpRequest) -> Any:
            return ours(request)

        slow.get_response = theirs
        middleware_patch.release(chained)
        assert slow.get_response is theirs
        assert client.get("/hello/").content == b"hello"

    def test_a_stream_is_not_waited_for(self) -> None:
        response = get("/stream/")
        assert middleware_patch._chains == {}
        assert b"".join(response.streaming_content) == b"ab"
        assert measured(response)["view"] is not None


def _outermost(client: Client) -> Any:
    handler: Any = client.handler
    return handler._middleware_chain.__wrapped__


def _nobody(*args: Any) -> None:
    return None


def _instances(client: Client) -> list[Any]:
    found, handler = [], _outermost(client).get_response
    while (instance := getattr(handler, "__wrapped__", None)) is not None:
        found.append(instance)
        handler = getattr(instance, "get_response", None)
    return found


def _attributes(client: Client) -> list[tuple[Any, Any]]:
    return [(found, getattr(found, "get_response", None)) for found in _instances(client)]


def _cells(client: Client) -> list[Any]:
    function = _outermost(client).get_response.__wrapped__
    return [cell.cell_contents for cell in function.__closure__]


class TestOtherRequests:
    def test_one_that_nobody_profiles_passes_by(self, chain: Any) -> None:
        chain("Slow", "function")
        client = Client()
        client.get("/hello/")
        entered.clear()
        leave.clear()
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(get("/waits/", client)))
        thread.start()
        try:
            assert entered.wait(10)
            assert client.get("/hello/").content == b"hello"
        finally:
            leave.set()
            thread.join()
        found = measured(answers[0])
        assert names(found) == ["Slow", "function"]
        assert found["middleware"][0]["own_ms"] < found["view"]["duration_ms"]

    def test_two_captures_at_once_have_their_own_times(self, chain: Any) -> None:
        chain("Slow", "function")
        client = Client()
        client.get("/hello/")
        entered.clear()
        leave.clear()
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(get("/waits/", client)))
        thread.start()
        try:
            assert entered.wait(10)
            inner = measured(get("/hello/", client))
        finally:
            leave.set()
            thread.join()
        outer = measured(answers[0])
        assert names(inner) == names(outer) == ["Slow", "function"]
        assert inner["middleware"][0]["total_ms"] < outer["middleware"][0]["total_ms"]

    def test_a_request_within_the_view_is_time_of_the_view(self, chain: Any) -> None:
        chain("Slow")
        found = measured(get("/within/"))
        (slow,) = found["middleware"]
        assert found["view"]["duration_ms"] >= 2 * MS * 1000
        assert slow["own_ms"] < slow["total_ms"] - 2 * MS * 1000


class TestAsync:
    @pytest.mark.parametrize(
        "middleware",
        [
            ("AsyncOnly", "both_function"),
            ("Slow", "AsyncOnly"),
            ("AsyncOnly", "function", "AsyncOnly"),
            ("function",),
        ],
    )
    @pytest.mark.parametrize("url", ["/hello/", "/ahello/"])
    async def test_is_told_apart(self, chain: Any, middleware: tuple[str, ...], url: str) -> None:
        chain(*middleware)
        response = await AsyncClient().get(url, headers={"Hotpath-Profile": "middleware"})
        assert response.content == b"hello"
        found = measured(response)
        assert names(found) == list(middleware)
        assert found["view"]["duration_ms"] > 0
        own = sum(row["own_ms"] for row in found["middleware"])
        whole = own + found["handler"]["own_ms"] + found["view"]["duration_ms"]
        assert whole == pytest.approx(found["middleware"][0]["total_ms"], abs=0.01)

    def test_an_async_middleware_under_wsgi(self, chain: Any) -> None:
        chain("function", "AsyncOnly", "Slow")
        response = get("/hello/")
        assert response.content == b"hello"
        assert names(measured(response)) == ["function", "AsyncOnly", "Slow"]


class TestFrames:
    @pytest.mark.parametrize("calls", ["calls", "cprofile"])
    def test_a_middleware_is_a_frame_of_its_name(self, chain: Any, calls: str) -> None:
        chain("Slow", "function")
        response = get("/hello/", wanted=f"middleware,{calls}")
        functions = captured(response).instruments["calls"]["functions"]
        found = [row["function"] for row in functions if row["kind"] == "middleware"]
        assert found == ["Slow", "function"]

    @pytest.mark.skipif(choose(Spec("lines"))[0] is None, reason="no engine for lines")
    def test_the_view_is_not_hidden_by_what_times_it(self, chain: Any) -> None:
        chain("Slow")
        response = get("/hello/", wanted="middleware,lines")
        (function,) = captured(response).instruments["lines"]["functions"]
        assert function["function"] == "hello"
