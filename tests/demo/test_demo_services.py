"""What the examples about templates, async views, serialising, tasks and middleware show."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import Future
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.test import AsyncClient, Client
from tests.require import require

import django_hotpath as hotpath
from django_hotpath import stores
from examples import queueing, registry
from examples.families import asynchronous, background, serialising, stack, templates
from shop.models import Company

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]


class TestTemplates:
    def test_both_engines_give_the_same_text(self) -> None:
        require(find_spec("jinja2") is not None, "needs jinja2: pip install jinja2")
        companies = list(Company.objects.values())
        texts = [
            engine().get_template(templates.TEMPLATE).render({"companies": companies}).rstrip()
            for engine in (templates.django_engine, templates.jinja2_engine)
        ]
        assert texts[0] == texts[1]
        assert texts[0].count("<tr>") == 1 + 3_298


class TestGather:
    @pytest.fixture
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many answers were waited for, each time that one more was."""
        seen: list[int] = []
        waiting = 0

        async def sleep(seconds: float) -> None:
            nonlocal waiting
            waiting += 1
            seen.append(waiting)
            for _ in range(10):
                await asyncio.sleep(0)
            waiting -= 1

        def blocking(seconds: float) -> None:
            nonlocal waiting
            waiting += 1
            seen.append(waiting)
            waiting -= 1

        stand_in = SimpleNamespace(sleep=sleep, gather=asyncio.gather)
        monkeypatch.setattr(asynchronous, "asyncio", stand_in)
        monkeypatch.setattr(asynchronous, "time", SimpleNamespace(sleep=blocking))
        return seen

    @pytest.mark.parametrize(("variant", "most"), [("slow", 1), ("fast", 3), ("trap", 1)])
    def test_waiting_at_once(self, variant: str, most: int, at_once: list[int]) -> None:
        assert get_async(f"/gather/{variant}/?format=json").status_code == 200
        assert len(at_once) == 3
        assert max(at_once) == most


class TestBlockingAsync:
    @pytest.mark.parametrize(("variant", "here"), [("slow", True), ("fast", False)])
    def test_which_thread_is_kept(
        self, variant: str, here: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loops: list[bool] = []

        def sleep(seconds: float) -> None:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                loops.append(False)
            else:
                loops.append(True)

        monkeypatch.setattr(asynchronous, "time", SimpleNamespace(sleep=sleep))
        get_async(f"/blocking-async/{variant}/?format=json")
        assert loops == [here]


@async_to_sync
async def get_async(path: str) -> Any:
    return await AsyncClient().get(path)


class TestSerialisers:
    @pytest.fixture(autouse=True)
    def _extras(self) -> None:
        for name in ("orjson", "msgpack"):
            require(find_spec(name) is not None, f"needs {name}: pip install {name}")

    @pytest.mark.parametrize("variant", ["slow", "fast", "msgpack"])
    def test_the_page_says_how_many_bytes(self, variant: str, client: Client) -> None:
        page = client.get(f"/serialisers/{variant}/").text
        assert f"{serialising.BYTES[variant]:,} bytes for 1,000 companies" in page

    def test_json_can_be_as_short_as_orjson(self) -> None:
        rows = serialising.read_companies(1_000)
        short = json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()
        assert len(short) == serialising.BYTES["fast"]


def test_packages_that_are_missing_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    assert serialising.EXAMPLES[0].missing == "orjson msgpack"


class TestSlowTransaction:
    @pytest.fixture
    def reports(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Sizes of reports that were made; none is, really: another thread sees no test's rows."""
        made: list[int] = []
        monkeypatch.setattr(background, "make_report", made.append)
        return made

    @pytest.fixture
    def futures(self, monkeypatch: pytest.MonkeyPatch) -> list[Future[Any]]:
        found: list[Future[Any]] = []
        submit = queueing._thread.submit

        def noted(*args: Any) -> Future[Any]:
            found.append(submit(*args))
            return found[-1]

        monkeypatch.setattr(queueing._thread, "submit", noted)
        return found

    def test_the_report(self) -> None:
        name = background.make_report(2)
        lines = cache.get(name).splitlines()
        assert name == "deliveries-2.csv"
        assert len(lines) == 2
        assert lines[0].startswith("D0000001,")

    def test_nothing_is_queued_before_the_commit(
        self, client: Client, reports: list[int], futures: list[Future[Any]]
    ) -> None:
        client.get("/slow-transaction/fast/")
        assert (reports, futures) == ([], [])

    def test_a_thread_makes_it_after_the_commit(
        self,
        client: Client,
        reports: list[int],
        futures: list[Future[Any]],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            client.get("/slow-transaction/fast/?n=5")
        futures[0].result(30)
        assert reports == [5]

    def test_the_task_has_a_capture_that_names_the_request(
        self,
        client: Client,
        settings: Any,
        reports: list[int],
        futures: list[Future[Any]],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        settings.HOTPATH = {**settings.HOTPATH, "ALLOW": "examples.measuring.allow"}
        with django_capture_on_commit_callbacks(execute=True):
            response = client.get("/slow-transaction/fast/", headers={"Hotpath-Profile": "gc"})
        futures[0].result(30)
        capture_id = response["Hotpath-Capture"].rstrip("/").rpartition("/")[2]
        assert f"/__hotpath__/?path={capture_id}" in response.text
        labels = [item.label for item in stores.get_store().list().items]
        assert f"report task, queued by {capture_id}" in labels

    def test_a_task_that_fails_is_logged(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(n: int) -> None:
            raise ValueError("no deliveries")

        monkeypatch.setattr(background, "make_report", fail)
        future = background.report_task.delay(1, None)
        assert isinstance(future.exception(30), ValueError)
        # The thread logs it after that: the next task comes when it is done.
        queueing._thread.submit(int).result(30)
        assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
            "A task failed"
        ]

    def test_celery_makes_it_at_once_where_it_is_told_to(
        self, settings: Any, reports: list[int]
    ) -> None:
        for name in ("celery", "redis"):
            require(find_spec(name) is not None, f"needs {name}: pip install {name}")
        from demo.celery import app

        settings.CELERY_BROKER_URL = "memory://"
        app.conf.task_always_eager = True
        try:
            background.report_task.delay(7, None)
        finally:
            app.conf.task_always_eager = False
        assert reports == [7]


class TestBaseline:
    def test_each_request_passes_all_middleware(self, client: Client) -> None:
        with hotpath.profile(instruments=["calls"], save=False) as run:
            client.get("/baseline/slow/?n=3&format=json")
        assert run.capture is not None
        calls = {
            found["function"]: found["calls"]
            for found in run.capture.instruments["calls"]["functions"]
        }
        assert calls["ping"] == 3
        assert calls["SessionMiddleware.process_request"] == 1 + 3
        assert calls["CommonMiddleware.process_request"] == 1 + 3

    def test_tools_are_left_out(self) -> None:
        stack.full_stack.cache_clear()
        names = []
        handler = stack.full_stack()
        while handler is not None:
            names.append(type(handler).__module__)
            handler = getattr(getattr(handler, "__wrapped__", handler), "get_response", None)
        assert not [name for name in names if name.startswith(stack.TOOLS)]

    def test_the_view_can_be_asked_for_by_itself(self, client: Client) -> None:
        assert client.get(stack.PATH).text == "pong"
