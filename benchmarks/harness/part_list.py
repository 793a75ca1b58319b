"""Part of ``pages.py``: the list of ten thousand captures, on the server."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter

from harness import page_captures
from harness.outcome import Outcome, Target
from harness.tables import Table

NUMBER = 10_000
_LIMIT_MS = 100

_PAGES = {
    "first page": "",
    "page 100": "?page=100",
    "a path": "?path=books/7",
    "slowest first": "?sort=-wall_ms",
}


def measure(folder: Path, *, quick: bool) -> Outcome:
    """The site of ``page_site`` must be configured with this folder."""
    number = 500 if quick else NUMBER
    rounds = 2 if quick else 15
    from django.test import Client

    from django_hotpath import stores

    store = stores.get_store()
    for index in range(number):
        store.save(page_captures.small(index))
    client = Client()
    client.get("/__hotpath__/")
    table = Table(
        f"A list of {number:,} captures",
        ["", "on the server, ms", "longest, ms", "page, KB"],
        "From the request to the bytes of the page, in-process.",
    )
    targets = []
    for label, query in _PAGES.items():
        times = []
        for _ in range(rounds):
            began = perf_counter()
            response = client.get(f"/__hotpath__/{query}")
            times.append((perf_counter() - began) * 1000)
            assert response.status_code == 200, response.status_code
        size = len(response.content) / 1024
        table.add(label, [f"{median(times):.1f}", f"{max(times):.1f}", f"{size:.0f}"])
        targets.append(Target(f"list, {label}", median(times), _LIMIT_MS, "ms"))
    return Outcome([table], targets)
