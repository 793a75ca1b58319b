from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.report.editor import EDITORS, Editor, editor, problem, url
from django_hotpath.report.links import Links
from django_hotpath.report.pages import report_page
from tests.report.samples import capture, finding

SITE = '<a class="edit" href="vscode://file/'


def links(**other: Any) -> Links:
    return Links(asset=lambda name: name, **other)


def test_without_the_setting_nothing_is_a_link() -> None:
    assert editor() is None
    assert url("shop/views.py", 3) is None
    assert 'class="edit"' not in report_page(capture(findings=(finding(),)), links())


def test_a_line_of_the_project_opens_in_the_editor_by_its_whole_path(settings: Any) -> None:
    settings.HOTPATH = {"EDITOR_URL": "vscode"}
    settings.BASE_DIR = "/srv/my shop"
    html = report_page(capture(findings=(finding(),)), links())
    assert SITE + 'srv/my%20shop/shop/views.py:12"' in html
    assert 'data-base="/srv/my shop"' in html


def test_a_page_to_give_away_has_no_links_to_this_machine(settings: Any) -> None:
    settings.HOTPATH = {"EDITOR_URL": "vscode"}
    settings.BASE_DIR = "/srv/shop"
    assert "/srv/shop" not in report_page(capture(findings=(finding(),)), links(editor=False))


@pytest.mark.parametrize(
    ("template", "file", "expected"),
    [
        ("x://file/{file}:{line}", "/a/b.py", "x://file/a/b.py:3"),
        ("x://open?file={file}&line={line}", "/a/b.py", "x://open?file=/a/b.py&line=3"),
        ("x://open?url=file://{file}&line={line}", "/a/b.py", "x://open?url=file:///a/b.py&line=3"),
        ("x://file/{file}:{line}", "C:\\a\\b.py", "x://file/C:/a/b.py:3"),
        ("x://{file}", "/a b/c&d#e?f%g'.py", "x:///a%20b/c%26d%23e%3Ff%25g%27.py"),
        ("x://file/{file}:{line}", "shop/ü.py", "x://file/srv/shop/%C3%BC.py:3"),
    ],
)
def test_paths_are_encoded_for_a_url(template: str, file: str, expected: str) -> None:
    assert Editor(template, "/srv").url(file, 3) == expected


@pytest.mark.parametrize("file", ["", "<string>", "<frozen os>", "a\nb.py", "a\udcff.py"])
def test_what_is_no_file_is_no_link(file: str) -> None:
    assert Editor("x://{file}", "/srv").url(file, 3) is None


@pytest.mark.parametrize("value", ["javascript:alert({file})", "data:text/html,{file}", "vscode:"])
def test_a_url_that_cannot_open_an_editor_is_not_used(settings: Any, value: str) -> None:
    settings.HOTPATH = {"EDITOR_URL": value}
    assert problem(value)
    assert editor() is None


def test_every_editor_we_know_takes_a_file() -> None:
    assert [name for name, template in EDITORS.items() if problem(template)] == []
