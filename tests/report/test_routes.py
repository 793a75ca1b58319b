"""The history by route."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from django_hotpath import stores
from django_hotpath.capture import RequestInfo, Timing, new_id
from django_hotpath.report.routes import by_route
from django_hotpath.report.sparkline import HEIGHT, WIDTH, sparkline
from django_hotpath.stores.base import Store
from django_hotpath.stores.requests import RequestFigures
from tests.contracts.test_stores_history import line
from tests.report.reading import Page
from tests.report.samples import capture

ROUTES = "/__hotpath__/routes/"


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def store() -> Store:
    return stores.get_store()


def figures(wall_ms: float = 1.0, seq: int = 1, **values: Any) -> RequestFigures:
    defaults: dict[str, Any] = {
        "seq": seq,
        "started_at": "2026-11-20T12:00:00.000Z",
        "method": "GET",
        "route": "books/",
        "status": 200,
        "wall_ms": wall_ms,
        "queries": 0,
        "profiled": False,
        "capture": None,
    }
    return RequestFigures(**{**defaults, **values})


def read(client: Client, query: str = "") -> Page:
    return Page(client.get(ROUTES + query).content.decode())


def listed(client: Client, query: str = "") -> list[str]:
    return [text for _, text in read(client, query).all("span", **{"class": "place"})]


class TestFigures:
    def test_are_by_method_and_route(self) -> None:
        lines = [figures(), figures(method="POST"), figures(route="a/"), figures(route=None)]
        found = {(route.method, route.route) for route in by_route(lines)}
        assert found == {("GET", "books/"), ("POST", "books/"), ("GET", "a/"), ("GET", None)}

    def test_are_median_p95_worst_and_total(self) -> None:
        (route,) = by_route(figures(float(ms), seq=ms) for ms in range(1, 101))
        assert (route.requests, route.median, route.p95) == (100, 50.5, 95.0)
        assert (route.worst.seq, route.total) == (100, 5050.0)

    def test_of_few_requests_have_the_worst_as_p95(self) -> None:
        (route,) = by_route([figures(1.0), figures(9.0)])
        assert route.p95 == 9.0

    def test_have_the_mean_of_counted_queries(self) -> None:
        lines = [figures(queries=2), figures(queries=5), figures(queries=None)]
        (route,) = by_route(lines)
        assert route.queries == 3.5

    def test_count_what_failed(self) -> None:
        lines = [figures(status=status) for status in (200, 302, 404, 500, 503, None)]
        (route,) = by_route(lines)
        assert route.errors == 3

    def test_leave_profiled_requests_out(self) -> None:
        (route,) = by_route([figures(1.0), figures(900.0, profiled=True, capture="x")])
        assert (route.requests, route.worst.wall_ms, route.captures) == (1, 1.0, ("x",))
        assert route.profiled_only is False

    def test_are_of_profiled_requests_where_there_are_no_others(self) -> None:
        (route,) = by_route([figures(9.0, profiled=True, capture="x")])
        assert (route.profiled_only, route.requests, route.median) == (True, 0, 9.0)


class TestThePicture:
    def picture(self, *times: float, **values: Any) -> Any:
        lines = [figures(ms, seq=seq, **values) for seq, ms in enumerate(times, 1)]
        return sparkline(lines, lambda line: f"#r{line.seq}")

    def test_of_one_request_is_none(self) -> None:
        assert self.picture(1.0) is None

    def test_begins_at_zero(self) -> None:
        points = [
            tuple(map(float, p.split(","))) for p in self.picture(0.0, 5.0, 10.0).line.split()
        ]
        assert [y for _, y in points] == [HEIGHT - 4, HEIGHT / 2, 4]
        assert [points[0][0], points[-1][0]] == [4, WIDTH - 4]

    def test_links_what_sticks_out(self) -> None:
        found = self.picture(10.0, 11.0, 50.0, 9.0, 10.0)
        assert [point.url for point in found.points] == ["#r3"]
        assert "50" in found.points[0].title

    def test_links_nothing_where_all_are_alike(self) -> None:
        assert self.picture(10.0, 11.0, 9.0, 12.0).points == ()

    def test_links_no_noise_below_a_millisecond(self) -> None:
        assert self.picture(0.1, 0.1, 0.9, 0.1).points == ()

    def test_says_its_figures_in_words(self) -> None:
        label = self.picture(10.0, 30.0, 20.0).label
        assert label.replace("\u00a0", " ") == (
            "Last 3 requests: 10.0 ms to 30.0 ms, median 20.0 ms, the last 20.0 ms"
        )

    def test_is_of_the_last_sixty(self) -> None:
        assert self.picture(*[1.0] * 100).label.startswith("Last 60 requests")

    def test_marks_captures_apart_from_the_line(self) -> None:
        lines = [figures(1.0, seq=1), figures(1.0, seq=2)]
        lines.append(figures(900.0, seq=3, profiled=True, capture="x"))
        found = sparkline(lines, lambda line: line.capture or "")
        assert found is not None
        assert len(found.line.split()) == 2
        assert [(point.kind, point.url) for point in found.points] == [("capture", "x")]

    def test_of_zeros_divides_by_nothing(self) -> None:
        assert self.picture(0.0, 0.0) is not None


def captured(store: Store, number: int) -> list[str]:
    ids = []
    for i in range(number):
        found = capture(
            id=new_id(1_800_000_000 + i),
            started_at=f"2026-11-20T12:00:{i:02d}.000Z",
            request=RequestInfo(method="GET", path="/books/", route="books/", status=200),
            timing=Timing(wall_ms=10.0),
        )
        store.save(found)
        ids.append(found.id)
    return ids


class TestThePage:
    def test_sorts_by_total_time_first(self, client: Client, store: Store) -> None:
        store.add_summaries(
            [line("/a/", wall_ms=5), line("/b/", wall_ms=9), line("/a/", wall_ms=5)]
        )
        assert listed(client) == ["/a/", "/b/"]

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("-worst", ["/b/", "/a/"]),
            ("worst", ["/a/", "/b/"]),
            ("route", ["/a/", "/b/"]),
            ("-requests", ["/a/", "/b/"]),
            ("-queries", ["/b/", "/a/"]),
            ("-errors", ["/b/", "/a/"]),
            ("-captures", ["/a/", "/b/"]),
            ("-median", ["/b/", "/a/"]),
            ("-p95", ["/b/", "/a/"]),
            ("nonsense", ["/a/", "/b/"]),
        ],
    )
    def test_sorts(self, client: Client, store: Store, sort: str, expected: list[str]) -> None:
        store.add_summaries(
            [
                line("/a/", wall_ms=5),
                line("/a/", wall_ms=5),
                line("/b/", wall_ms=9, queries=3, status=500),
            ]
        )
        assert listed(client, f"?sort={sort}") == expected

    def test_filters_before_it_counts(self, client: Client, store: Store) -> None:
        store.add_summaries([line("/a/"), line("/b/", status=500)])
        assert listed(client, "?status=5xx") == ["/b/"]

    def test_has_pages(self, client: Client, store: Store) -> None:
        store.add_summaries([line(f"/{number}/") for number in range(60)])
        assert (len(listed(client)), len(listed(client, "?page=2"))) == (50, 10)

    def test_a_route_leads_to_its_requests_under_the_same_filters(
        self, client: Client, store: Store
    ) -> None:
        store.add_summaries([line("/a/")])
        (link,) = [a["href"] for a, text in read(client, "?min=0.5").all("a") if "/a/" in text]
        assert link == "/__hotpath__/?min=0.5&method=GET&route=%2Fa%2F"
        page = Page(client.get(link).content.decode())
        assert [text for _, text in page.all("span", **{"class": "where"})] == ["/a/"]

    def test_the_worst_leads_to_its_line(self, client: Client, store: Store) -> None:
        store.add_summaries([line("/a/", wall_ms=50), line("/a/"), line("/a/")])
        links = read(client).all("a", **{"aria-label": "50.0 ms, the worst request of GET /a/"})
        ((attributes, _),) = links
        href = attributes["href"]
        assert href is not None
        path, _, anchor = href.partition("#")
        page = Page(client.get(path).content.decode())
        rows = [a for a, _ in page.all("tr") if "id" in a]
        assert rows[0]["id"] == anchor

    def test_a_spike_leads_to_its_line(self, client: Client, store: Store) -> None:
        store.add_summaries([line("/a/"), line("/a/", wall_ms=50), line("/a/"), line("/a/")])
        links = [a["href"] or "" for a, _ in read(client).all("a") if a.get("aria-label")]
        assert any(href.endswith("upto=2#r2") for href in links)

    def test_the_picture_has_a_name(self, client: Client, store: Store) -> None:
        store.add_summaries([line("/a/"), line("/a/")])
        (picture,) = [a for a, _ in read(client).all("svg") if a.get("class") == "sparkline"]
        assert (picture["aria-label"] or "").startswith("Last 2 requests")

    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (1, None),
            (2, "Compare the two last"),
            (5, "Compare last 2 with 2 before"),
            (30, "Compare last 10 with 10 before"),
        ],
    )
    def test_the_last_captures_are_compared_with_those_before(
        self, client: Client, store: Store, number: int, text: str | None
    ) -> None:
        ids = captured(store, number)
        found = [(a["href"], label) for a, label in read(client).all("a") if "Compare" in label]
        if text is None:
            assert found == []
            return
        size = min(number // 2, 10)
        before, after = ",".join(ids[-2 * size : -size]), ",".join(ids[-size:])
        url = reverse("hotpath:compare")
        assert found == [(f"{url}?a={before}&b={after}", text)]

    def test_without_a_page_for_comparing_there_is_no_link(
        self, client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django_hotpath.report.routes.compare_url", lambda: None)
        captured(store, 4)
        assert "Compare" not in read(client).text
