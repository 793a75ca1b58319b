from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django
import pytest

from django_hotpath import callsite
from django_hotpath.callsite import call_site, locate, walk


def test_the_project_is_named_relative_to_its_root() -> None:
    where = locate(__file__)
    assert where == ("tests/test_callsite.py", "project", "tests")


@pytest.mark.parametrize(
    ("filename", "kind", "package"),
    [
        (json.__file__, "stdlib", "json"),
        (django.__file__, "django", "django"),
        (pytest.__file__, "library", "pytest"),
        (callsite.__file__, "hotpath", "django_hotpath"),
        ("<frozen importlib._bootstrap>", "stdlib", "<frozen importlib._bootstrap>"),
        ("<string>", "library", "<string>"),
        ("/elsewhere/module.py", "library", "module"),
    ],
)
def test_other_code_is_told_apart(filename: str, kind: str, package: str) -> None:
    assert locate(filename)[1:] == (kind, package)


def test_an_environment_inside_the_project_is_not_the_project(settings: Any) -> None:
    inside = Path(settings.BASE_DIR) / ".venv" / "lib" / "site-packages" / "thing" / "a.py"
    assert locate(str(inside))[1:] == ("library", "thing")


def test_other_profilers_are_tools(settings: Any) -> None:
    inside = Path(settings.BASE_DIR) / "site-packages" / "debug_toolbar" / "toolbar.py"
    assert locate(str(inside)).kind == "hotpath"


def test_the_roots_can_be_set(settings: Any) -> None:
    settings.HOTPATH = {"PROJECT_ROOTS": ["/elsewhere"]}
    assert locate("/elsewhere/shop/views.py") == ("shop/views.py", "project", "shop")
    assert locate(__file__).kind == "library"


def test_a_walk_finds_this_line() -> None:
    found = walk(sys._getframe())
    line = sys._getframe().f_lineno - 1
    assert call_site(found) == {
        "file": "tests/test_callsite.py",
        "line": line,
        "function": "test_a_walk_finds_this_line",
    }


def test_a_walk_ends_at_a_boundary() -> None:
    def inner() -> callsite.Walk:
        return walk(sys._getframe())

    def edge() -> callsite.Walk:
        return inner()

    callsite.boundary(edge.__code__)
    callsite._forget()
    assert [code.co_name for code, *_ in edge().frames] == ["inner"]


def test_many_code_objects_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callsite, "_MAX_CODES", 50)
    for number in range(200):
        namespace: dict[str, Any] = {"walk": walk, "sys": sys}
        exec(f"def f{number}(): return walk(sys._getframe())", namespace)
        namespace[f"f{number}"]()
    assert len(callsite._kept) <= 51
    assert len(callsite._kinds) <= 51


def test_without_base_dir_the_settings_module_tells(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = settings.BASE_DIR
    settings.BASE_DIR = None
    assert callsite.base_dir() == Path(root)


def test_a_project_at_the_root_of_the_disk_is_the_project(settings: Any) -> None:
    settings.BASE_DIR = Path("/")
    assert locate("/app/shop/views.py") == ("app/shop/views.py", "project", "app")
    assert locate(json.__file__).kind == "stdlib"
    assert locate(pytest.__file__).kind == "library"


def test_a_project_behind_a_link_is_the_project(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    settings.BASE_DIR = tmp_path / "link"
    assert locate(str(tmp_path / "link" / "views.py")).kind == "project"
    assert locate(str((tmp_path / "real" / "views.py").resolve())).kind == "project"


def test_a_project_inside_site_packages_is_the_project(settings: Any) -> None:
    settings.HOTPATH = {"PROJECT_ROOTS": ["/opt/site-packages/shop"]}
    assert locate("/opt/site-packages/shop/views.py").kind == "project"
    assert locate("/opt/site-packages/other/views.py").kind == "library"


def test_a_working_directory_that_is_gone_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    locate.cache_clear()
    assert locate("relative.py") == ("relative.py", "library", "relative")
