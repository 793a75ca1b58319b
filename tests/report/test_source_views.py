"""Source lines for the flame graph: of functions of the capture only, from known places only."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any

import pytest
from django.db.models import query as django_query
from django.test import Client
from django.urls import reverse

from django_hotpath import callsite, stores
from django_hotpath.capture import Capture
from django_hotpath.report import source_views
from django_hotpath.report.source_views import NoSource, function_source, readable_path
from tests.report import samples

CODE = '''"""A module."""


def first():
    a = 1

    return a


@decorated
def second(x):
    for y in x:
        yield y
'''


@pytest.fixture
def project(settings: Any, tmp_path: Path) -> Path:
    settings.DEBUG = True
    root = tmp_path / "site"
    root.mkdir()
    (root / "shop.py").write_text(CODE)
    settings.HOTPATH = {"PROJECT_ROOTS": [str(root)]}
    callsite.project_roots.cache_clear()
    return root


def stored(*functions: dict[str, Any], **more: Any) -> Capture:
    found = samples.capture(instruments={"calls": samples.calls(*functions), **more})
    stores.get_store().save(found)
    return found


def asked(found: Capture, number: int) -> Any:
    return Client().get(reverse("hotpath:source", args=[found.id, number]))


def test_the_lines_of_a_function_of_the_project(project: Path) -> None:
    found = stored(samples.function("first", file="shop.py", line=4))
    answer = asked(found, 0).json()
    assert answer["line"] == 4
    assert [line["text"] for line in answer["lines"]] == CODE.splitlines()[1:7]
    assert [line["line"] for line in answer["lines"]] == [2, 3, 4, 5, 6, 7]


def test_a_decorated_function_to_its_end(project: Path) -> None:
    found = stored(samples.function("second", file="shop.py", line=10))
    assert asked(found, 0).json()["lines"][-1] == {"line": 13, "text": "        yield y"}


def test_a_function_of_an_installed_package(project: Path) -> None:
    file = inspect.getfile(django_query)
    line = inspect.getsourcelines(django_query.QuerySet.get)[1]
    found = stored(samples.function("QuerySet.get", file=file, line=line, kind="django"))
    assert any("def get(self" in one["text"] for one in asked(found, 0).json()["lines"])


def test_lines_that_were_measured_have_their_time(project: Path) -> None:
    row = samples.function("first", file="shop.py", line=4)
    timed = samples.timed_function(
        file="shop.py",
        line=4,
        function="first",
        lines=[{"line": 5, "source": "a = 1", "hits": 3, "ms": 7.5}],
    )
    found = stored(row, lines=samples.lines(timed))
    answer = asked(found, 0).json()
    assert answer["measured"] == "ms"
    assert {"line": 5, "text": "    a = 1", "hits": 3, "ms": 7.5} in answer["lines"]


def test_functions_of_samples_come_after_those_of_calls(project: Path) -> None:
    sampled = {"functions": [samples.function("first", file="shop.py", line=4)]}
    found = stored(samples.function("elsewhere", file="none.py"), samples=sampled)
    assert asked(found, 1).json()["function"] == "first"


def test_a_number_that_is_no_function_is_not_found(project: Path) -> None:
    assert asked(stored(samples.function()), 99).status_code == 404


def test_whoever_may_not_read_captures_gets_no_source(project: Path, settings: Any) -> None:
    found = stored(samples.function("first", file="shop.py", line=4))
    settings.DEBUG = False
    assert asked(found, 0).status_code == 404


def test_a_post_is_refused(project: Path) -> None:
    found = stored(samples.function("first", file="shop.py", line=4))
    assert Client().post(reverse("hotpath:source", args=[found.id, 0])).status_code in {403, 405}


@pytest.mark.parametrize("file", ["/etc/passwd", "../../../../etc/passwd", "/etc/hosts.py"])
def test_no_other_file_is_read(project: Path, file: str) -> None:
    answer = asked(stored(samples.function("x", file=file)), 0).json()
    assert answer.keys() == {"error"}


def test_a_python_file_outside_of_all_roots_is_refused(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("SECRET = 1\n")
    with pytest.raises(NoSource, match="outside"):
        readable_path(str(outside))
    with pytest.raises(NoSource, match="outside"):
        readable_path("../outside.py")


def test_a_link_that_leads_outside_is_refused(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("SECRET = 1\n")
    os.symlink(outside, project / "inside.py")
    with pytest.raises(NoSource, match="outside"):
        readable_path("inside.py")


def test_what_is_no_python_source_is_refused(project: Path) -> None:
    (project / "settings.env").write_text("KEY=1")
    with pytest.raises(NoSource):
        readable_path("settings.env")


@pytest.mark.parametrize("file", ["", "<string>", "<frozen abc>", "gone.py", "a\0b.py", "x" * 9000])
def test_what_is_no_file_says_so(project: Path, file: str) -> None:
    with pytest.raises(NoSource):
        readable_path(file)


def test_a_file_that_is_shorter_now_says_so(project: Path) -> None:
    with pytest.raises(NoSource, match="shorter"):
        function_source(samples.capture(), samples.function(file="shop.py", line=900))


def test_a_file_that_was_changed_since_says_so(project: Path) -> None:
    found = function_source(samples.capture(), samples.function("first", file="shop.py", line=4))
    assert "changed after this capture" in found["note"]


def test_a_long_function_is_cut_and_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_views, "MAX_LINES", 3)
    found = function_source(samples.capture(), samples.function("first", file="shop.py", line=4))
    assert len(found["lines"]) == 3
    assert "The first 3 of 6 lines" in found["note"]


def test_a_large_file_is_not_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_views, "MAX_FILE", 10)
    with pytest.raises(NoSource, match="too large"):
        function_source(samples.capture(), samples.function(file="shop.py", line=4))
