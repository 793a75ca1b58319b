from __future__ import annotations

from typing import Any

from django_hotpath.capture import Capture, Overlap, RequestInfo
from django_hotpath.report.pages import report_page
from django_hotpath.report.viewmodels.request import RequestView, request_view, view_site
from tests.report.samples import HOSTILE, calls, capture, environment, function
from tests.report.test_editor import links


def asked(method: str = "GET", path: str = "/books/", **values: Any) -> Capture:
    return capture(request=RequestInfo(method=method, path=path, status=200, **values))


def rows(view: RequestView) -> dict[str, str]:
    return {row.label: row.value for group in view.groups for row in group.rows}


def test_a_get_is_repeated_by_its_address() -> None:
    repeat = request_view(asked(query_string="page=2")).repeat
    assert repeat is not None
    assert repeat.url == "/books/?page=2&profile=1"
    assert repeat.curl == "curl -s 'http://127.0.0.1:8000/books/?page=2&profile=1&profile_as=text'"


def test_the_parameter_is_that_of_the_settings() -> None:
    repeat = request_view(asked(), "prof").repeat
    assert repeat is not None
    assert repeat.url == "/books/?prof=1"


def test_a_post_is_repeated_by_the_header_and_its_body_is_asked_for() -> None:
    repeat = request_view(asked("POST", query_string="a=b")).repeat
    assert repeat is not None
    assert repeat.url == ""
    assert repeat.curl == (
        "curl -si -X POST -H 'Hotpath-Profile: 1' 'http://127.0.0.1:8000/books/?a=b'"
    )
    assert any("body is not recorded" in note for note in repeat.notes)


def test_what_is_hostile_is_quoted_for_the_shell() -> None:
    repeat = request_view(asked("DELETE", path="/'; rm -rf ~ #")).repeat
    assert repeat is not None
    assert repeat.curl.endswith("""'http://127.0.0.1:8000/'"'"'; rm -rf ~ #'""")


def test_masked_parts_of_the_query_string_are_told() -> None:
    repeat = request_view(asked(query_string="token=***")).repeat
    assert repeat is not None
    assert "***" in repeat.notes[0]


def test_a_stream_tells_how_it_ended() -> None:
    stream = {
        "ended": "closed",
        "chunks": 3,
        "bytes": 2048,
        "generating_ms": 4.0,
        "waiting_ms": 9.0,
    }
    found = rows(request_view(asked(stream=stream)))
    assert found["Chunks"] == "3"
    assert found["Ended"] == "the client left, or the server closed it"
    assert found["Between chunks"] == "9.00\xa0ms"


def test_a_block_has_an_environment_and_no_request() -> None:
    view = request_view(capture(request=None))
    assert [group.title for group in view.groups] == ["Where it ran"]
    assert view.repeat is None
    assert 'id="tab-request">Environment<' in report_page(capture(request=None), links())


def test_all_that_disturbed_is_listed() -> None:
    found = capture(
        environment=environment(warnings=("runserver is threaded", "times are inflated")),
        overlap=Overlap(requests=1, share=0.5),
    )
    assert len(request_view(found).disturbed) == 3


def test_the_view_is_found_among_the_functions() -> None:
    found = calls(
        function("book_list", file="other/views.py", line=1),
        function("book_list", file="shop/views.py", line=12),
    )
    place = view_site(
        capture(
            request=RequestInfo(method="GET", path="/", view="shop.views.book_list"),
            instruments={"calls": found},
        )
    )
    assert place is not None
    assert place.full == "shop/views.py:12"


def test_of_a_class_the_first_method_that_ran_is_shown() -> None:
    found = calls(
        function("BookList.get", file="shop/views.py", line=30),
        function("BookList.dispatch", file="shop/views.py", line=20),
        function("BookListing.get", file="shop/views.py", line=2),
    )
    place = view_site(
        capture(
            request=RequestInfo(method="GET", path="/", view="shop.views.BookList"),
            instruments={"calls": found},
        )
    )
    assert place is not None
    assert place.line == 20


def test_hostile_texts_are_text(settings: Any) -> None:
    settings.HOTPATH = {"EDITOR_URL": "vscode"}
    info = RequestInfo(
        method="GET",
        path="/" + HOSTILE,
        query_string=HOSTILE,
        route=HOSTILE,
        view=f"shop.{HOSTILE}",
        content_type=HOSTILE,
        exception={"type": HOSTILE, "message": HOSTILE},
    )
    html = report_page(capture(request=info), links())
    assert "<img src=x" not in html
    assert "<b>" not in html
