"""A site that shows captures of the benchmark's own making, in a thread of this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler

CAPTURES = 20_000


def configure(folder: Path) -> None:
    """Once a process, before anything of Django is used."""
    import django
    from django.conf import settings

    settings.configure(
        DEBUG=True,
        ALLOWED_HOSTS=["127.0.0.1", "testserver"],
        SECRET_KEY="benchmark",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_hotpath"],
        MIDDLEWARE=[],
        ROOT_URLCONF="harness.page_urls",
        DATABASES={},
        USE_TZ=True,
        LOGGING_CONFIG=None,
        HOTPATH={
            "MAX_CAPTURES": CAPTURES,
            "STORE": {"OPTIONS": {"path": str(folder / "captures.sqlite3")}},
        },
    )
    django.setup()


class _Silent(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        return


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Its address."""
    from wsgiref.simple_server import make_server

    from django.core.servers.basehttp import ThreadedWSGIServer
    from django.core.wsgi import get_wsgi_application

    server = make_server(
        "127.0.0.1",
        0,
        get_wsgi_application(),
        server_class=ThreadedWSGIServer,
        handler_class=_Silent,
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def files(folder: Path) -> Iterator[str]:
    """The address of a folder as it lies on the disk."""
    import functools
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
