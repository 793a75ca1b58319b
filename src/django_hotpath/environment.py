"""Where a capture was made."""

from __future__ import annotations

import functools
import os
import platform
import sys
import threading

import django
from django.conf import settings as django_settings

import django_hotpath
from django_hotpath.capture import Environment

# Modules that only the running server imports, by the name a user knows it by.
_SERVERS = {
    "gunicorn.arbiter": "gunicorn",
    "uwsgi": "uwsgi",
    "uvicorn.server": "uvicorn",
    "daphne.server": "daphne",
    "hypercorn.run": "hypercorn",
    "granian.server": "granian",
    "waitress.server": "waitress",
    "mod_wsgi": "mod_wsgi",
}


@functools.cache
def server() -> str:
    if len(sys.argv) > 1 and sys.argv[1] == "runserver":
        return "runserver"
    for module, name in _SERVERS.items():
        if module in sys.modules:
            return name
    if "pytest" in sys.modules or (len(sys.argv) > 1 and sys.argv[1] == "test"):
        return "test"
    return os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "python"


def describe(warnings: tuple[str, ...]) -> Environment:
    return Environment(
        python=platform.python_version(),
        django=django.get_version(),
        hotpath=django_hotpath.__version__,
        server=server(),
        threads=threading.active_count(),
        pid=os.getpid(),
        debug=bool(django_settings.DEBUG),
        warnings=warnings,
    )
