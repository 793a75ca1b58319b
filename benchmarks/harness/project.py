"""Sets up Django for one contender, and sends requests through its WSGI handler."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import django
from django.conf import settings
from django.core.management import call_command

from harness.clock import now
from harness.contenders import Contender

HERE = Path(__file__).resolve().parent.parent


def set_up(contender: Contender, folder: Path) -> None:
    """Settings, apps and a filled database in memory; files only in ``folder``."""
    values: dict[str, Any] = {
        # The call sites of the measured views count as the project's own code.
        "BASE_DIR": HERE,
        # Everything here is a tool for development; the idle costs are taken with DEBUG off.
        "DEBUG": True,
        "SECRET_KEY": "only for benchmarks",
        "ALLOWED_HOSTS": ["localhost"],
        "INTERNAL_IPS": ["127.0.0.1"],
        "ROOT_URLCONF": "library.urls",
        "STATIC_URL": "static/",
        "MEDIA_ROOT": str(folder),
        "USE_TZ": True,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": ["django.contrib.staticfiles", "library", *contender.apps],
        "MIDDLEWARE": list(contender.middleware),
        "BENCHMARK_INCLUDES": contender.includes,
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        "TEMPLATES": [
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        # The default store, as a user gets it, in a file of its own.
        "HOTPATH": {
            "STORE": {"OPTIONS": {"path": str(folder / "captures.sqlite3")}},
            # Nothing in the background.
            "CALIBRATE": False,
        },
        **contender.settings,
    }
    settings.configure(**values)
    # What is logged would be timed; failures are told apart by the proof, not by the log.
    logging.disable(logging.WARNING)
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from library import views

    views.fill()


def environ(
    path: str,
    query: str = "",
    accept: str = "text/html",
    cookies: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    given = {"theme": "dark", **cookies}
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": accept,
        "HTTP_ACCEPT_ENCODING": "gzip, deflate",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "HTTP_USER_AGENT": "benchmark",
        "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in given.items()),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


class Answer(NamedTuple):
    """A request that was served; moments are of ``harness.clock``."""

    began: float
    view_began: float
    view_ended: float
    ended: float
    # When the server has closed the response: what was put off until the last byte is done by then.
    closed: float
    status: str
    headers: dict[str, str]
    body: bytes


class Site:
    """The contender's handler, made once."""

    def __init__(self, contender: Contender) -> None:
        from django.core.handlers.wsgi import WSGIHandler

        self.contender = contender
        self.handler = WSGIHandler()

    def get(
        self, view: str, *, asked: bool = True, at_end: Callable[[], object] = lambda: None
    ) -> Answer:
        """``asked=False`` leaves out what makes the contender work on this request.

        ``at_end`` is called between the last byte and the closing of the response.
        """
        from library import views

        query = self.contender.query if asked else ""
        cookies = self.contender.cookies if asked else dict.fromkeys(self.contender.cookies, "off")
        given = environ(f"/{view}/", query, self.contender.accept, cookies)
        head: list[Any] = []
        began = now()
        response = self.handler(given, lambda *args: head.extend(args))  # type: ignore[arg-type]
        body = b"".join(response)
        ended = now()
        at_end()
        closing = now()
        response.close()
        closed = ended + now() - closing
        headers = {name.lower(): value for name, value in head[1]}
        view_began, view_ended = views.span
        return Answer(began, view_began, view_ended, ended, closed, head[0], headers, body)

    def check(self, view: str) -> None:
        """Raises ``RuntimeError`` when the contender did not do what it is measured for."""
        answer = self.get(view)
        if not answer.status.startswith("200"):
            raise RuntimeError(f"{self.contender.label} answered {view} with {answer.status}")
        if not self.contender.proof(answer.body, answer.headers):
            raise RuntimeError(f"{self.contender.label} left no trace of its work on {view}")
