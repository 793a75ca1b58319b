from __future__ import annotations

import pstats
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from django_hotpath import stores
from django_hotpath.capture import Capture, RequestInfo, Timing, new_id
from django_hotpath.stores.base import Store
from tests.report.reading import Page
from tests.report.samples import capture, finding, instruments

UNKNOWN = "0" * 26


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def store() -> Store:
    return stores.get_store()


@pytest.fixture
def saved(store: Store) -> Capture:
    found = capture(instruments=instruments())
    store.save(found)
    return found


def pages(capture_id: str) -> list[str]:
    return [
        reverse("hotpath:captures"),
        reverse("hotpath:capture", args=[capture_id]),
        reverse("hotpath:capture-json", args=[capture_id]),
        reverse("hotpath:capture-pstats", args=[capture_id]),
        reverse("hotpath:asset", args=["report.css"]),
    ]


def posts(capture_id: str) -> list[str]:
    return [reverse("hotpath:delete", args=[capture_id]), reverse("hotpath:clear")]


@pytest.mark.parametrize("number", range(5))
def test_every_page_has_the_security_headers(client: Client, saved: Capture, number: int) -> None:
    response = client.get(pages(saved.id)[number])
    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("number", range(4))
def test_no_page_is_kept_by_a_cache(client: Client, saved: Capture, number: int) -> None:
    assert "no-store" in client.get(pages(saved.id)[number])["Cache-Control"]


@pytest.mark.parametrize("number", range(5))
def test_who_may_not_read_gets_the_404_of_an_unknown_page(
    client: Client, saved: Capture, settings: Any, number: int
) -> None:
    settings.DEBUG = False
    assert client.get(pages(saved.id)[number]).status_code == 404
    assert client.post(pages(saved.id)[number]).status_code == 404


@pytest.mark.parametrize("number", range(2))
def test_who_may_not_read_gets_a_404_even_without_a_csrf_token(
    saved: Capture, store: Store, settings: Any, number: int
) -> None:
    settings.DEBUG = False
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(posts(saved.id)[number]).status_code == 404
    assert strict.get(posts(saved.id)[number]).status_code == 404
    assert store.list().total == 1


@pytest.mark.parametrize("path", ["/__hotpath__", "/__hotpath__/delete"])
def test_a_url_without_its_slash_is_not_redirected_for_a_stranger(
    client: Client, settings: Any, path: str
) -> None:
    settings.DEBUG = False
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["capture", "capture-json", "capture-pstats"])
def test_an_unknown_capture_is_a_404(client: Client, store: Store, name: str) -> None:
    assert client.get(reverse(f"hotpath:{name}", args=[UNKNOWN])).status_code == 404


def test_deleting_an_unknown_capture_is_a_404(client: Client, store: Store) -> None:
    assert client.post(reverse("hotpath:delete", args=[UNKNOWN])).status_code == 404


@pytest.mark.parametrize("path", ["nonsense/", "01J/", "../", f"{'U' * 26}/", f"{UNKNOWN}.html"])
def test_what_is_no_capture_id_is_a_404(client: Client, store: Store, path: str) -> None:
    assert client.get(reverse("hotpath:captures") + path).status_code == 404


def test_a_report_is_shown(client: Client, saved: Capture) -> None:
    page = Page(client.get(reverse("hotpath:capture", args=[saved.id])).content.decode())
    assert "GET /books/" in page.text
    hrefs = [attributes["href"] for attributes, _ in page.all("a")]
    assert reverse("hotpath:capture-json", args=[saved.id]) in hrefs


def test_json_is_the_capture(client: Client, saved: Capture) -> None:
    response = client.get(reverse("hotpath:capture-json", args=[saved.id]))
    assert response["Content-Type"] == "application/json"
    assert Capture.from_json(response.content) == Capture.from_json(saved.to_json())


def test_pstats_can_be_downloaded_and_loaded(
    client: Client, saved: Capture, tmp_path: Path
) -> None:
    response = client.get(reverse("hotpath:capture-pstats", args=[saved.id]))
    assert response["Content-Disposition"] == (
        f'attachment; filename="get-books-{saved.id}.pstats"'
    )
    file = tmp_path / "x.pstats"
    file.write_bytes(response.content)
    assert pstats.Stats(str(file)).stats  # type: ignore[attr-defined]


def test_pstats_of_a_capture_without_calls_is_a_404(client: Client, store: Store) -> None:
    found = capture()
    store.save(found)
    assert client.get(reverse("hotpath:capture-pstats", args=[found.id])).status_code == 404


@pytest.mark.parametrize("number", range(2))
def test_deleting_needs_a_post(client: Client, saved: Capture, store: Store, number: int) -> None:
    assert client.get(posts(saved.id)[number]).status_code == 405
    assert store.list().total == 1


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("with_middleware", [True, False])
def test_deleting_needs_a_csrf_token(
    saved: Capture, store: Store, settings: Any, number: int, with_middleware: bool
) -> None:
    if not with_middleware:
        settings.MIDDLEWARE = []
    strict = Client(enforce_csrf_checks=True)
    url = posts(saved.id)[number]
    assert strict.post(url).status_code == 403
    assert store.list().total == 1
    html = strict.get(reverse("hotpath:captures")).content.decode()
    form = {
        attributes["name"]: attributes["value"]
        for attributes, _ in Page(html).all("input", name="csrfmiddlewaretoken")
    }
    assert strict.post(url, form).status_code == 302
    assert store.list().total == 0


def test_the_delete_form_of_the_report_works(saved: Capture, store: Store) -> None:
    strict = Client(enforce_csrf_checks=True)
    html = strict.get(reverse("hotpath:capture", args=[saved.id])).content.decode()
    token = next(Page(html).all("input", name="csrfmiddlewaretoken"))[0]["value"]
    strict.post(posts(saved.id)[0], {"csrfmiddlewaretoken": token})
    assert store.list().total == 0


@pytest.mark.parametrize(
    ("back", "query"),
    [
        ("?path=book&page=2", "?path=book&page=2"),
        ("", ""),
        ("https://evil.example/?x=1", "?x=1"),
        ("?x=\r\nSet-Cookie: a=b", ""),
    ],
)
def test_after_deleting_one_is_back_in_the_list_as_it_was(
    client: Client, saved: Capture, back: str, query: str
) -> None:
    response = client.post(posts(saved.id)[0], {"back": back})
    assert response["Location"] == reverse("hotpath:captures") + query


def test_a_store_that_fails_is_a_page_that_says_why(client: Client, settings: Any) -> None:
    settings.HOTPATH = {"STORE": {"BACKEND": "stores.<none>"}}
    response = client.get(reverse("hotpath:captures"))
    assert response.status_code == 503
    assert "stores.<none>" in Page(response.content.decode()).text
    assert "Content-Security-Policy" in response.headers


def test_pages_need_no_login(client: Client, saved: Capture, settings: Any) -> None:
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert client.get(pages(saved.id)[1]).status_code == 200


def test_an_empty_list_says_what_to_do(client: Client, store: Store) -> None:
    text = Page(client.get(reverse("hotpath:captures")).content.decode()).text
    assert "Nothing here yet" in text
    assert "?profile=1" in text


def request(path: str, status: int = 200, method: str = "GET") -> RequestInfo:
    return RequestInfo(method=method, path=path, status=status)


def listed(client: Client, query: str = "") -> list[str]:
    html = client.get(reverse("hotpath:captures") + query).content.decode()
    return [text for attributes, text in Page(html).all("span", **{"class": "where"})]


@pytest.fixture
def several(store: Store) -> Store:
    for i, (path, status, method, wall) in enumerate(
        [
            ("/books/", 200, "GET", 30.0),
            ("/authors/", 404, "GET", 10.0),
            ("/books/buy/", 200, "POST", 20.0),
        ]
    ):
        store.save(
            capture(
                id=new_id(1_800_000_000 + i),
                started_at=f"2026-11-20T12:00:0{i}.000Z",
                label=f"{method} {path}",
                request=request(path, status, method),
                timing=Timing(wall_ms=wall),
            )
        )
    return store


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("", ["/books/buy/", "/authors/", "/books/"]),
        ("?path=BOOK", ["/books/buy/", "/books/"]),
        ("?method=post", ["/books/buy/"]),
        ("?status=4xx", ["/authors/"]),
        ("?status=200", ["/books/buy/", "/books/"]),
        ("?min=15&max=25", ["/books/buy/"]),
        ("?sort=wall_ms", ["/authors/", "/books/buy/", "/books/"]),
        ("?sort=-wall_ms", ["/books/", "/books/buy/", "/authors/"]),
        ("?sort=nonsense&page=-1", ["/books/buy/", "/authors/", "/books/"]),
        ("?path=nothing", []),
        ("?page=2", []),
    ],
)
def test_the_list_filters_and_sorts(
    client: Client, several: Store, query: str, paths: list[str]
) -> None:
    assert listed(client, query) == paths


@pytest.mark.parametrize("query", ["?min=abc", "?max=-1", "?min=nan", "?status=abc"])
def test_a_filter_that_cannot_be_read_is_named(client: Client, several: Store, query: str) -> None:
    response = client.get(reverse("hotpath:captures") + query)
    assert response.status_code == 200
    assert 'class="notice"' in response.content.decode()
    assert len(listed(client, query)) == 3


def test_filters_stay_in_the_links_that_sort(client: Client, several: Store) -> None:
    html = client.get(reverse("hotpath:captures") + "?path=books&min=5").content.decode()
    found = [a["href"] for a, text in Page(html).all("a") if text == "Wall, ms"]
    assert found == ["?path=books&min=5&sort=-wall_ms"]


def test_the_column_that_is_sorted_says_so(client: Client, several: Store) -> None:
    html = client.get(reverse("hotpath:captures") + "?sort=-wall_ms").content.decode()
    found = [text for a, text in Page(html).all("th") if a.get("aria-sort") == "descending"]
    assert found == ["Wall, ms"]


def test_the_list_has_pages(client: Client, store: Store) -> None:
    for i in range(60):
        store.save(capture(id=new_id(1_800_000_000 + i)))
    assert (len(listed(client)), len(listed(client, "?page=2"))) == (50, 10)
    html = client.get(reverse("hotpath:captures") + "?path=book").content.decode()
    assert [a["href"] for a, _ in Page(html).all("a", rel="next")] == ["?path=book&page=2"]


def test_high_findings_are_marked_in_the_list(client: Client, store: Store) -> None:
    store.save(capture(findings=(finding("high"), finding("low"))))
    html = client.get(reverse("hotpath:captures")).content.decode()
    assert [text for _, text in Page(html).all("span", **{"class": "severity high"})] == ["1 high"]


def test_hostile_texts_are_escaped_in_the_list(client: Client, store: Store) -> None:
    hostile = "/<img src=x onerror=alert(1)>\"'\udcff"
    store.save(capture(label=hostile, request=request(hostile)))
    page = Page(client.get(reverse("hotpath:captures") + "?path=%3Cimg").content.decode())
    assert not list(page.all("img"))
    assert "onerror=alert(1)>" in page.text
