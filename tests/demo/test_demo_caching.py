"""What the examples about caches show, beside the figures of their signals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache import cache, caches
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.views.decorators.cache import cache_control, cache_page
from django.views.decorators.vary import vary_on_cookie, vary_on_headers
from tests.demo import redis_server

from examples.families import cacheaside, cachedpages, caching, invalidation
from examples.families.cacheaside import cached
from examples.measuring import measure
from examples.registry import Example, Signal
from shop.models import Category

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]

REDIS = "django.core.cache.backends.redis.RedisCache"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
def each_cache(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """The default cache: local memory, and Redis."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": url, "KEY_PREFIX": "tests"}}
    cache.clear()
    yield
    cache.clear()
    if request.param == "redis":
        cache._cache.get_client().connection_pool.disconnect()


FAMILIES = (caching, cachedpages, cacheaside, invalidation)


@pytest.mark.parametrize(
    ("example", "signal"),
    [
        pytest.param(example, signal, id=f"{example.slug}-{signal.variant}-{signal.measure}")
        for family in FAMILIES
        for example in family.EXAMPLES
        for signal in example.signals
    ],
)
@pytest.mark.parametrize("each_cache", ["redis"], indirect=True)
@pytest.mark.usefixtures("each_cache")
def test_signals_hold_with_redis_too(example: Example, signal: Signal) -> None:
    found = measure(example, signal.variant)
    assert found.holds(signal), f"{found.value(signal.measure, signal.read)}, not {signal.count}"
    used = {one["backend"].rpartition(".")[2] for one in found.instrument("cache")["operations"]}
    assert used <= {"RedisCache"}


class TestCachePage:
    def test_the_trap_shows_a_visitor_the_page_of_another(self) -> None:
        first, second = (Client().get("/cache-page/trap/").text for _ in range(2))
        assert visitor(first)
        assert visitor(second) == visitor(first)

    def test_the_trap_gives_away_the_form_token(self) -> None:
        first, second = (Client().get("/cache-page/trap/").text for _ in range(2))
        assert re.search("form token (.{6})", first)[1] in second  # type: ignore[index]

    def test_the_fast_page_shows_nothing_of_a_visitor(self) -> None:
        page = Client().get("/cache-page/fast/").text
        assert "Visitor" not in page
        assert "csrfmiddlewaretoken" not in page

    def test_each_value_of_the_header_has_a_page_of_its_own(
        self, client: Client, django_assert_num_queries: Any
    ) -> None:
        for value, queries in (("", 1), ("true", 1), ("", 0), ("true", 0)):
            with django_assert_num_queries(queries):
                client.get("/cache-page/fast/", headers={"HX-Request": value})

    def test_languages_share_a_page_without_the_middleware_for_them(self) -> None:
        @cache_page(60)
        @vary_on_headers("Accept-Language")
        def view(request: HttpRequest) -> HttpResponse:
            return HttpResponse(request.headers["Accept-Language"])

        requests = [RequestFactory().get("/", headers={"Accept-Language": x}) for x in ("en", "de")]
        assert [view(request).content for request in requests] == [b"en", b"en"]

    def test_vary_on_cookie_does_not_protect_first_visits(self) -> None:
        @cache_page(60)
        @vary_on_cookie
        def view(request: HttpRequest) -> HttpResponse:
            return HttpResponse(request.session.setdefault("visitor", cache.incr("visitors")))

        assert self.first_visits(view) == [b"1", b"1"]

    def test_private_pages_are_not_kept(self) -> None:
        @cache_page(60)
        @cache_control(private=True)
        def view(request: HttpRequest) -> HttpResponse:
            return HttpResponse(request.session.setdefault("visitor", cache.incr("visitors")))

        assert self.first_visits(view) == [b"1", b"2"]

    def first_visits(self, view: Any) -> list[bytes]:
        cache.set("visitors", 0)
        application = SessionMiddleware(view)
        return [application(RequestFactory().get("/page/")).content for _ in range(2)]


def visitor(page: str) -> str:
    found = re.search(r"Visitor (\w{6})", page)
    return found[1] if found else ""


class TestCacheAside:
    def asked(self, **options: Any) -> tuple[Any, list[Any]]:
        calls: list[Any] = []

        @cached("tests", **options)
        def double(number: Any) -> Any:
            calls.append(number)
            return None if number is None else number * 2

        return double, calls

    @pytest.mark.usefixtures("each_cache")
    def test_the_second_call_is_answered_by_the_cache(self) -> None:
        double, calls = self.asked()
        assert (double(2), double(2), double(3)) == (4, 4, 6)
        assert calls == [2, 3]

    @pytest.mark.usefixtures("each_cache")
    def test_none_is_an_answer_too(self) -> None:
        double, calls = self.asked()
        assert (double(None), double(None)) == (None, None)
        assert calls == [None]

    @pytest.mark.usefixtures("each_cache")
    def test_key_func_says_what_is_the_same(self) -> None:
        double, calls = self.asked(key_func=lambda number: number % 10)
        assert (double(2), double(12)) == (4, 4)
        assert calls == [2]

    @pytest.mark.parametrize(("options", "ttl"), [({}, 300), ({"ttl": 60}, 60)])
    def test_ttl(self, options: dict[str, int], ttl: int, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = []
        monkeypatch.setattr(cache, "set", lambda *args: kept.append(args), raising=False)
        self.asked(**options)[0](1)
        assert kept == [("tests:1", 2, ttl)]

    @pytest.mark.usefixtures("each_cache")
    @pytest.mark.parametrize(("variant", "queries"), [("slow", 1), ("trap", 1), ("fast", 0)])
    def test_queries_when_asked_again(
        self, variant: str, queries: int, client: Client, django_assert_num_queries: Any
    ) -> None:
        client.get(f"/cache-aside/{variant}/")
        with django_assert_num_queries(queries):
            client.get(f"/cache-aside/{variant}/")

    def test_each_city_has_a_key_of_its_own(self, client: Client) -> None:
        rows = [
            client.get("/cache-aside/fast/", {"city": city, "format": "json"}).json()["rows"]
            for city in ("Lyon", "Porto", "Lyon", "Nowhere <b>")
        ]
        assert rows[0] == rows[2] != rows[1]
        assert rows[3][0] == ["Companies", 0]

    def test_with_redis_all_processes_share_it(self, settings: Any, redis_url: str) -> None:
        settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": redis_url}}
        double, _ = self.asked()
        double(21)
        # Another process has other connections.
        assert caches.create_connection("default").get("tests:21") == 42
        cache.clear()

    def test_the_page_says_what_the_cache_is(self, client: Client) -> None:
        assert "local memory" in client.get("/cache-aside/fast/").text


@pytest.mark.usefixtures("each_cache")
class TestInvalidation:
    @pytest.mark.parametrize(
        ("variant", "stale"),
        [("slow", False), ("trap", True), ("fast", False), ("versioned", False)],
    )
    def test_what_is_read_after_a_write(self, variant: str, stale: bool, client: Client) -> None:
        for _ in range(2):
            page = client.get(f"/invalidation/{variant}/").text
            assert ("the OLD text" in page) is stale
            assert ("the new text" in page) is not stale

    @pytest.mark.parametrize("variant", ["slow", "trap", "fast", "versioned"])
    def test_the_write_is_taken_back(self, variant: str, client: Client) -> None:
        before = list(Category.objects.order_by("pk").values())
        client.get(f"/invalidation/{variant}/")
        assert list(Category.objects.order_by("pk").values()) == before

    def test_a_deleted_row_is_gone_from_the_cached_list(self) -> None:
        extra = Category.objects.create(name="Extra")
        names = [name for name, _ in invalidation.invalidated_categories()]
        extra.delete()
        assert "Extra" in names
        assert "Extra" not in [name for name, _ in invalidation.invalidated_categories()]

    def test_a_write_counts_the_version_on(self) -> None:
        invalidation.versioned_categories()
        Category.objects.create(name="Extra")
        assert cache.get(invalidation.VERSION) == 2
        assert "Extra" in [name for name, _ in invalidation.versioned_categories()]

    def test_a_write_before_anyone_asked_is_no_error(self) -> None:
        Category.objects.create(name="Extra")
        assert cache.get(invalidation.VERSION) is None
