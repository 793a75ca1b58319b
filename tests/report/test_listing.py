"""The list of requests and captures, and what it says of each."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from django_hotpath import stores
from django_hotpath.report.asked import read_query
from django_hotpath.report.listing import profile_url
from django_hotpath.stores.base import Store
from tests.contracts.test_stores_history import line
from tests.report.reading import Page
from tests.report.samples import HOSTILE, capture

LIST = "/__hotpath__/"


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def store() -> Store:
    return stores.get_store()


def read(client: Client, query: str = "", view: str = "captures") -> Page:
    response = client.get(reverse(f"hotpath:{view}") + query)
    assert response.status_code == 200
    return Page(response.content.decode())


def listed(client: Client, query: str = "") -> list[str]:
    return [text for _, text in read(client, query).all("span", **{"class": "where"})]


def test_requests_and_captures_are_one_list_in_time_order(client: Client, store: Store) -> None:
    store.add_summaries([line("/before/", started_at="2026-11-20T11:00:00.000Z")])
    store.save(capture())
    store.add_summaries([line("/after/", started_at="2026-11-20T13:00:00.000Z")])
    assert listed(client) == ["/after/", "/books/", "/before/"]


def test_a_capture_leads_to_its_report(client: Client, store: Store) -> None:
    found = capture()
    store.save(found)
    texts = [text for a, text in read(client).all("a", href=f"{LIST}{found.id}/")]
    assert "Report" in texts


def test_a_plain_get_offers_to_profile_it(client: Client, store: Store) -> None:
    store.add_summaries([line("/books/", query_string="page=2")])
    links = read(client).all("a", **{"aria-label": "Profile it: GET /books/"})
    assert [a["href"] for a, _ in links] == ["/books/?page=2&profile=1"]


@pytest.mark.parametrize(
    "values",
    [
        {"method": "POST"},
        {"path": "/reset/***/"},
        {"query_string": "token=***"},
        {"path": f"/{'a' * 20}…"},
        {"path": "no-slash"},
    ],
)
def test_what_cannot_be_asked_again_is_not_offered(values: dict[str, Any]) -> None:
    assert profile_url(line(**values), "profile") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("//evil.example/x", "/evil.example/x?profile=1"),
        ("/\\evil.example", "/evil.example?profile=1"),
        ("/a b/?/#", "/a%20b/%3F/%23?profile=1"),
        ("/\udcff/", "/%3F/?profile=1"),
    ],
)
def test_a_profile_stays_on_this_site(path: str, expected: str) -> None:
    assert profile_url(line(path), "profile") == expected


def test_a_query_string_cannot_leave_its_place() -> None:
    url = profile_url(line("/a/", query_string='q="><b>#x'), "profile")
    assert url == "/a/?q=%22%3E%3Cb%3E%23x&profile=1"


def test_a_profiled_request_whose_report_is_gone_says_so(client: Client, store: Store) -> None:
    store.add_summaries([line(profiled=True, findings=2)])
    assert "was profiled" in read(client).text


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("?route=/books/", ["/books/"]),
        ("?route=/", ["/"]),
        ("?route=none", ["/gone/"]),
        ("?captured=1", ["/captured/"]),
        ("?route=books", ["/captured/", "/", "/gone/", "/books/"]),
        ("?since=5m", []),
        ("?since=never", ["/captured/", "/", "/gone/", "/books/"]),
        ("?upto=1", ["/books/"]),
        ("?upto=x", ["/captured/", "/", "/gone/", "/books/"]),
        ("?sort=path", ["/", "/books/", "/captured/", "/gone/"]),
    ],
)
def test_filters(client: Client, store: Store, query: str, paths: list[str]) -> None:
    store.add_summaries([line("/books/"), line("/gone/", route=None), line("/", route="")])
    found = capture()
    request = found.request
    assert request is not None
    store.save(capture(request=type(request)(method="GET", path="/captured/", route="captured/")))
    assert listed(client, query) == paths


def test_every_filter_is_kept_by_the_links_that_sort_and_turn_pages(
    client: Client, store: Store
) -> None:
    store.add_summaries([line("/books/") for _ in range(60)])
    query = "path=book&method=GET&status=2xx&min=0.5&max=9&route=%2Fbooks%2F"
    page = read(client, f"?{query}")
    assert [a["href"] for a, text in page.all("a") if text == "Queries"] == [
        f"?{query}&sort=-queries"
    ]
    assert [a["href"] for a, _ in page.all("a", rel="next")] == [f"?{query}&page=2"]


def test_the_form_keeps_route_and_sorting(client: Client, store: Store) -> None:
    store.add_summaries([line("/books/")])
    page = read(client, "?route=/books/&sort=-wall_ms")
    hidden = {a["name"]: a["value"] for a, _ in page.all("input", type="hidden") if "name" in a}
    assert hidden["route"] == "/books/"
    assert hidden["sort"] == "-wall_ms"


def test_a_chosen_route_can_be_let_go(client: Client, store: Store) -> None:
    store.add_summaries([line("/books/")])
    page = read(client, "?route=/books/&method=GET")
    links = page.all("a", **{"aria-label": "Show all routes"})
    assert [a["href"] for a, _ in links] == ["?method=GET"]


@pytest.mark.parametrize("text", ["\udcff", "a" * 10_000, "\u202e", HOSTILE])
def test_any_text_may_be_a_filter(client: Client, store: Store, text: str) -> None:
    store.add_summaries([line()])
    value = quote(text, errors="replace")
    for name in ("path", "method", "status", "route", "since", "upto", "min", "sort", "page"):
        read(client, f"?{name}={value}")
        read(client, f"?{name}={value}", view="routes")
        assert client.get(f"{LIST}recent/?after={value}&{name}={value}").status_code == 200


def test_hostile_texts_are_text(client: Client, store: Store) -> None:
    store.add_summaries([line(f"/{HOSTILE}", query_string=HOSTILE, route=HOSTILE, method="G<b>T")])
    for view in ("captures", "routes"):
        page = read(client, view=view)
        assert not list(page.all("img"))
        assert not list(page.all("b"))
        assert "onerror=alert(1)>" in page.text


def test_an_empty_history_says_that_requests_come_by_themselves(client: Client) -> None:
    assert "appear here by themselves" in read(client).text


def test_an_empty_history_says_where_nothing_is_noted(client: Client, settings: Any) -> None:
    settings.HOTPATH = {**settings.HOTPATH, "SUMMARIES": False}
    assert "Requests are not noted" in read(client).text


def test_no_match_says_so(client: Client, store: Store) -> None:
    store.add_summaries([line()])
    assert "Nothing matches" in read(client, "?path=zzz").text


class TestNewLines:
    def ask(self, client: Client, query: str) -> Any:
        response = client.get(f"{LIST}recent/?{query}")
        assert response["Content-Type"] == "application/json"
        assert "no-store" in response["Cache-Control"]
        return response.json()

    def test_come_after_the_cursor(self, client: Client, store: Store) -> None:
        store.add_summaries([line("/old/")])
        cursor = self.ask(client, "after=0")["cursor"]
        store.add_summaries([line("/new/")])
        answer = self.ask(client, f"after={cursor}")
        assert [row["path"] for row in answer["rows"]] == ["/new/"]
        assert (answer["left_out"], answer["restarted"]) == (0, False)

    def test_are_filtered_as_the_list_is(self, client: Client, store: Store) -> None:
        store.add_summaries([line("/a/"), line("/b/")])
        assert [row["path"] for row in self.ask(client, "after=0&path=b")["rows"]] == ["/b/"]

    def test_beyond_a_page_are_counted(self, client: Client, store: Store) -> None:
        store.add_summaries([line() for _ in range(60)])
        answer = self.ask(client, "after=0")
        assert (len(answer["rows"]), answer["left_out"]) == (50, 10)

    def test_of_a_store_made_anew_say_so(self, client: Client) -> None:
        assert self.ask(client, "after=99")["restarted"] is True

    def test_are_nobody_elses(self, client: Client, settings: Any) -> None:
        settings.DEBUG = False
        assert client.get(f"{LIST}recent/?after=0").status_code == 404
        assert client.get(f"{LIST}routes/").status_code == 404

    def test_do_not_fill_the_log_of_runserver(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        import logging

        self.ask(client, "after=0")
        logger = logging.getLogger("django.server")
        logger.addHandler(caplog.handler)
        try:
            for text, code in ((f"GET {LIST}recent/?after=0 HTTP/1.1", "200"), ("GET / x", "200")):
                logger.info('"%s" %s %s', text, code, "9")
            logger.info('"%s" %s %s', f"GET {LIST}recent/?after=0 HTTP/1.1", "503", "9")
        finally:
            logger.removeHandler(caplog.handler)
        messages = [r.getMessage() for r in caplog.records if r.name == "django.server"]
        assert [text.split()[-2] for text in messages] == ["200", "503"]


@pytest.mark.parametrize("query", [{}, {"route": "/"}, {"route": "none"}, {"since": "1h"}])
def test_a_query_reads_back_as_it_was_written(query: dict[str, str]) -> None:
    assert read_query(query).values() == query
