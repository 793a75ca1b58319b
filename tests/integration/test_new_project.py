"""Whoever follows the README in a project of their own gets a report."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"

VIEW = """
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.urls import include, path


def groups(request):
    return HttpResponse(str([Group.objects.filter(pk=pk).count() for pk in range(4)]))


urlpatterns = [path("groups/", groups)]
"""

ASK = """
import django
from django.test import Client

django.setup()
client = Client(HTTP_HOST="localhost")
response = client.get("/groups/?profile=1", HTTP_ACCEPT="text/html")
assert response.status_code == 200, response.status_code
page = response.content.decode()
assert "4 queries in a loop at mysite/urls.py:8" in page, page[:2000]
stored = client.get(response["Hotpath-Capture"])
assert stored.status_code == 200
assert "GET /groups/" in client.get("/__hotpath__/").content.decode()
"""


def python(folder: Path, *arguments: str, settings: str = "mysite.settings") -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "DJANGO_SETTINGS_MODULE"}
    }
    if settings:
        environment["DJANGO_SETTINGS_MODULE"] = settings
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    python(tmp_path, "-m", "django", "startproject", "mysite", ".", settings="")
    settings = tmp_path / "mysite" / "settings.py"
    text = settings.read_text()
    # What the README says, with its "..." being what startproject wrote.
    text = text.replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "django_hotpath",', 1)
    text = text.replace(
        "MIDDLEWARE = [",
        'MIDDLEWARE = [\n    "django_hotpath.middleware.ProfilingMiddleware",',
        1,
    )
    settings.write_text(text)
    urls = VIEW + 'urlpatterns.append(path("__hotpath__/", include("django_hotpath.urls")))\n'
    (tmp_path / "mysite" / "urls.py").write_text(urls)
    return tmp_path


def test_the_readme_gives_a_report(project: Path) -> None:
    python(project, "manage.py", "migrate", "-v0")
    assert "no issues" in python(project, "manage.py", "check")
    python(project, "-c", ASK)
    assert (project / ".hotpath" / "captures.sqlite3").exists()


def test_the_readme_names_what_the_test_does() -> None:
    text = README.read_text()
    for line in (
        'INSTALLED_APPS = [..., "django_hotpath"]',
        'MIDDLEWARE = ["django_hotpath.middleware.ProfilingMiddleware", ...]',
        'path("__hotpath__/", include("django_hotpath.urls"))',
    ):
        assert line in text


def test_every_page_that_the_readme_links_to_exists() -> None:
    import re

    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_without_debug_the_new_project_shows_nothing(project: Path) -> None:
    settings = project / "mysite" / "settings.py"
    settings.write_text(settings.read_text() + "\nDEBUG = False\nALLOWED_HOSTS = ['localhost']\n")
    python(project, "manage.py", "migrate", "-v0")
    code = ASK.split("response =", maxsplit=1)[0] + (
        'response = client.get("/groups/?profile=1", HTTP_ACCEPT="text/html")\n'
        'assert response.content == b"[0, 0, 0, 0]"\n'
        'assert client.get("/__hotpath__/").status_code == 404\n'
    )
    python(project, "-c", code)
    assert not (project / ".hotpath").exists()
