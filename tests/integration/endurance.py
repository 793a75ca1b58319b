"""Ten thousand captures in one process; prints what the process has more of than after 2,000."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

CAPTURES = 10_000
WARM_UP = 2_000
# Each takes the default set; one in ten something dearer.
ASKED = ["1"] * 18 + ["lines", "samples"]


def main() -> None:
    import django

    django.setup()
    from django.core.handlers.wsgi import WSGIHandler

    # Not Django's test client, which leaves a finalizer behind with each request.
    application = WSGIHandler()
    readings = []
    for number in range(CAPTURES):
        if number == WARM_UP:
            readings.append(_reading())
        asked = ASKED[number % len(ASKED)]
        status, headers = _ask(application, f"profile={asked}")
        assert status == "200 OK", status
        assert "Hotpath-Refused" not in headers, headers["Hotpath-Refused"]
        assert "Hotpath-Capture" in headers
    readings.append(_reading())
    before, after = readings
    found = {
        "captures": CAPTURES,
        "grown": after["memory"] - before["memory"],
        **{f"{name}_before": before[name] for name in ("files", "threads")},
        **{f"{name}_after": after[name] for name in ("files", "threads")},
    }
    print(json.dumps(found))


def _ask(application: Any, query: str) -> tuple[str, dict[str, str]]:
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/answers/sync/json/",
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    started: list[tuple[str, list[tuple[str, str]]]] = []
    answer = application(environ, lambda status, headers: started.append((status, headers)))
    try:
        b"".join(answer)
    finally:
        answer.close()
    ((status, headers),) = started
    return status, dict(headers)


def _reading() -> dict[str, int]:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
    main()
