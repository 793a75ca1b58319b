"""The memory tab over several runs, and the objects tab."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from django_hotpath import stores
from django_hotpath.capture import Capture
from django_hotpath.exporters import text
from django_hotpath.report.history import earlier_runs
from django_hotpath.report.links import Links
from django_hotpath.report.pages import report_page
from django_hotpath.stores.base import StoreError
from tests.analysis.test_growth import OTHER, leaking, line, run
from tests.report import memory_urls
from tests.report.reading import Page
from tests.report.samples import allocations, capture, objects

ROOT = Path(__file__).resolve().parents[2]
_ASK = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
from django.conf import settings
settings.DEBUG = True
settings.ROOT_URLCONF = "tests.report.memory_urls"
settings.HOTPATH = {**settings.HOTPATH, "SUMMARIES": False}
settings.ALLOWED_HOSTS = ["testserver"]
django.setup()
from django.test import Client
name, runs = sys.argv[1], int(sys.argv[2])
client = Client()
for _ in range(runs):
    path = f"/{name}/?profile=allocations:collect"
    response = client.get(path, headers={"accept": "text/html"})
    assert response.status_code == 200, response.content
sys.stdout.buffer.write(response.content)
"""

LINKS = Links(asset=lambda name: f"/{name}", page="/books/?page=2")


def shown(found: Capture, earlier: list[Capture] | tuple[()] = (), links: Links = LINKS) -> Page:
    return Page(report_page(found, links, earlier=earlier))


def section(page: Page, name: str) -> str:
    found = page.by_id(name)
    assert found is not None
    return " ".join(found[1].split())


def complete(runs: list[Capture]) -> list[Capture]:
    """With all that a recorded capture has."""
    return [
        replace(found, instruments={"allocations": {**allocations(), **_of(found)}})
        for found in runs
    ]


def _of(found: Capture) -> dict[str, Any]:
    recorded: dict[str, Any] = found.instruments["allocations"]
    return recorded


class TestGrowth:
    def test_a_leak_is_named_in_the_section_and_among_the_findings(self) -> None:
        *earlier, newest = complete(leaking(5))
        page = shown(newest, earlier)
        words = section(page, "allocations")
        assert "A line kept memory in each of the last 5 runs" in words
        assert "seen.append(book)" in words
        assert "shop/views.py:12 kept memory in each of the last 5 runs" in page.text

    def test_no_leak_is_said_so(self) -> None:
        *earlier, newest = complete([run(line(100_000, 1_000, OTHER)) for _ in range(5)])
        words = section(shown(newest, earlier), "allocations")
        assert "Nothing in the last 5 runs speaks for memory that is not given back" in words
        assert "1 line more kept memory each time" in words

    def test_one_run_asks_for_more(self) -> None:
        (newest,) = complete(leaking(1))
        words = section(shown(newest), "allocations")
        assert "One run of this page in this process can be compared" in words

    def test_skipped_runs_are_named(self) -> None:
        runs = complete([*leaking(1, environment={"pid": 7}), *leaking(3)])
        words = section(shown(runs[-1], runs[:-1]), "allocations")
        assert "Not compared: 1 made by another process." in words

    def test_earlier_runs_that_cannot_be_read_leave_the_report(self) -> None:
        *earlier, newest = complete(leaking(5))
        broken = replace(earlier[0], instruments={"allocations": {"by_line": [1]}})
        assert "By line" in section(shown(newest, [broken, *earlier]), "allocations")

    def test_the_page_can_be_run_again_with_the_collector(self) -> None:
        (newest,) = complete(leaking(1))
        found = [a for a, _ in shown(newest).all("p") if "data-hunt" in a]
        url = "/books/?page=2&profile=allocations:collect&profile_as=html"
        assert [a["data-hunt"] for a in found] == [url]

    def test_without_a_page_there_is_nothing_to_run(self) -> None:
        (newest,) = complete(leaking(1))
        page = shown(newest, links=replace(LINKS, page=None))
        assert not [a for a, _ in page.all("p") if "data-hunt" in a]


class TestAllocations:
    def test_tracebacks_are_shown_with_their_frames(self) -> None:
        frames = [{"file": f"shop/{name}.py", "line": 3, "kind": "project"} for name in "ab"]
        rows = [{"frames": frames, "size": 4_096, "count": 2}]
        recorded = {**allocations(), "nframe": 2, "by_traceback": rows}
        words = section(shown(capture(instruments={"allocations": recorded})), "allocations")
        assert "By traceback" in words
        assert "shop/a.py:3" in words
        assert words.endswith("shop/a.py:3shop/b.py:3")

    def test_what_the_collector_freed_is_said(self) -> None:
        recorded = {**allocations(), "garbage": 12, "modules_loaded": 2}
        words = section(shown(capture(instruments={"allocations": recorded})), "allocations")
        assert "12 objects" in words
        assert "Modules loaded meanwhile" in words


class TestObjects:
    def test_models_and_types_are_shown(self) -> None:
        words = section(shown(capture(instruments={"objects": objects()})), "objects")
        assert "shop.Book" in words
        assert "1 200" in words
        assert "600 KiB" in words

    def test_sizes_of_types_only_where_they_were_measured(self) -> None:
        plain = objects()
        sized = {**plain, "types": [{**plain["types"][0], "size": 10, "size_change": 5}]}
        assert "Change of size" not in section(
            shown(capture(instruments={"objects": plain})), "objects"
        )
        assert "Change of size" in section(
            shown(capture(instruments={"objects": sized})), "objects"
        )

    def test_instances_that_were_not_followed_are_named(self) -> None:
        recorded = objects()
        recorded["models"][0]["untracked"] = recorded["untracked"] = 1_000
        words = section(shown(capture(instruments={"objects": recorded})), "objects")
        assert "of 200 followed" in words
        assert "counted, but not followed" in words

    def test_the_text_export_has_the_models(self) -> None:
        lines = text.export(capture(instruments={"objects": objects()})).decode().splitlines()
        row = next(found for found in lines if "shop.Book" in found)
        assert row.split() == ["1,200", "300", "614,400", "shop.Book"]


class TestHistory:
    def test_runs_of_the_same_route_come_from_the_store(self) -> None:
        store = stores.get_store()
        runs = complete(leaking(3))
        others = [
            capture(),
            replace(complete(leaking(1))[0], request=None),
            *complete(leaking(1, request={"route": "authors/"})),
            *complete(leaking(1, request={"method": "POST"})),
        ]
        for found in [*runs, *others]:
            store.save(found)
        newest = complete(leaking(1))[0]
        assert [found.id for found in earlier_runs(newest)] == [
            found.id for found in reversed(runs)
        ]

    def test_a_store_that_fails_gives_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise StoreError("the disk is full")

        monkeypatch.setattr(stores.get_store(), "list", fail)
        assert earlier_runs(complete(leaking(1))[0]) == []

    def test_without_allocations_the_store_is_not_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stores.get_store(), "list", lambda *a, **k: pytest.fail("asked"))
        assert earlier_runs(capture()) == []


@pytest.mark.urls("tests.report.memory_urls")
class TestRequests:
    """Real requests, the garbage collector before and after each."""

    @pytest.fixture(autouse=True)
    def _allowed(self, settings: Any) -> None:
        settings.DEBUG = True

    def report(self, name: str, runs: int = 6) -> Page:
        """In a process of its own: what other tests left going would be in the figures."""
        done = subprocess.run(
            [sys.executable, "-c", _ASK, name, str(runs)],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(
                    [str(ROOT), str(ROOT / "demo_project"), os.environ.get("PYTHONPATH", "")]
                ),
            },
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return Page(done.stdout.decode())

    def test_a_page_that_leaks_is_found_out(self) -> None:
        words = self.report("leaks").text
        line = memory_urls.leaks.__code__.co_firstlineno + 1
        assert f"tests/report/memory_urls.py:{line} kept memory in each of the last" in words

    @pytest.mark.parametrize("name", ["replaces", "answers", "garbage"])
    def test_one_that_only_looks_like_it_is_not(self, name: str) -> None:
        page = self.report(name)
        assert "memory growth" not in page.text
        assert "speaks for memory that is not given back" in section(page, "allocations")

    def test_objects_have_a_section(self, client: Client) -> None:
        response = client.get("/leaks/?profile=objects", headers={"accept": "text/html"})
        assert "model instances" in section(Page(response.content.decode()), "objects")
