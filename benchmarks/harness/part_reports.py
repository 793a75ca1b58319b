"""Part of ``pages.py``: reports in a browser, and speedscope on the same exported files."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from harness import page_browser, page_captures, page_site, page_typical
from harness.outcome import Outcome, Target
from harness.tables import MISSING, Table

_LIMITS = {"paint": 300, "frame": 50, "queries": 1000, "size": 150}
_COLUMNS = ("page, KB", "compressed, KB", "server, ms", "open, ms", "painted, ms", "key, ms")
_SEARCH = ["f", "fu", "fun", "func", "functi", "function_1", "function_12", ""]


@dataclass(frozen=True)
class Subject:
    label: str
    make: Callable[[], Any]
    section: str


def _subjects(*, quick: bool) -> list[Subject]:
    nodes, many, queries = (2_000, 5_000, 500) if quick else (100_000, 1_000_000, 20_000)
    return [
        Subject("a typical page", page_typical.capture, "flame"),
        Subject(f"a tree of {nodes:,} calls", lambda: page_captures.of_nodes(nodes), "flame"),
        Subject(f"a tree of {many:,} calls", lambda: page_captures.of_nodes(many), "flame"),
        Subject(f"{queries:,} queries", lambda: page_captures.of_queries(queries), "queries"),
    ]


def measure(folder: Path, *, quick: bool) -> Outcome:
    """The site of ``page_site`` must be configured with this folder."""
    rounds = 1 if quick else 5
    ours = Table("Reports", ["", *_COLUMNS], _NOTE)
    theirs = Table("speedscope on the same files", ["", "file, KB", "painted, ms", "key, ms"])
    targets: list[Target] = []
    viewer = _speedscope(folder)
    with page_site.serving() as address, page_browser.chromium() as browser:
        for subject in _subjects(quick=quick):
            capture = _stored(subject.make())
            _report(browser, address, subject, capture, rounds, ours, targets)
            if subject.section == "flame":
                _their_report(browser, viewer, subject, capture, rounds, theirs)
    return Outcome([ours, theirs], targets)


_NOTE = (
    "`open`: from the request to the page at work. `painted`: from the arrival of the last byte to "
    "the first frame drawn on the canvas. `key`: the longest of some keys (zoom and search; or "
    "rows and search), from the key to the frame that shows it, a frame's own 16 ms included."
)


def _stored(capture: Any) -> Any:
    from django_hotpath import stores

    stores.get_store().save(capture)
    return capture


def _report(
    browser: Any,
    address: str,
    subject: Subject,
    capture: Any,
    rounds: int,
    table: Table,
    targets: list[Target],
) -> None:
    url = f"{address}/__hotpath__/{capture.id}/"
    body, server = _fetched(url)
    small = len(gzip.compress(body, 6)) / 1024
    opens, paints, keys = [], [], []
    for _ in range(rounds):
        page = page_browser.opened(browser, ".flame")
        page.goto(f"{url}#{subject.section}")
        page.locator("html.ready").wait_for(state="attached")
        opens.append(page.evaluate("performance.now()"))
        if subject.section == "flame":
            page.wait_for_function("window.paintedAt")
            arrived = "performance.getEntriesByType('navigation')[0].responseEnd"
            paints.append(page.evaluate(f"window.paintedAt - {arrived}"))
            keys.append(_flame_keys(page))
        else:
            search = page.locator("#queries input[type=search]").first
            search.wait_for()
            page.evaluate("document.querySelector('#queries input[type=search]').id ||= 'search'")
            name = search.get_attribute("id")
            words = ["s", "se", "price_1", "views_3", ""]
            keys.append(page_browser.frame_ms(page, f"#{name}", "input", words)[1])
        page.close()
    table.add(
        subject.label,
        [
            f"{len(body) / 1024:,.0f}",
            f"{small:,.0f}",
            f"{server:.0f}",
            f"{median(opens):.0f}",
            f"{median(paints):.0f}" if paints else MISSING,
            f"{median(keys):.0f}",
        ],
    )
    if paints:
        targets.append(Target(f"{subject.label}, painted", median(paints), _LIMITS["paint"], "ms"))
    else:
        targets.append(Target(f"{subject.label}, open", median(opens), _LIMITS["queries"], "ms"))
    targets.append(Target(f"{subject.label}, key", median(keys), _LIMITS["frame"], "ms"))
    if subject.label == "a typical page":
        targets.append(Target(f"{subject.label}, compressed", small, _LIMITS["size"], "KB"))


def _flame_keys(page: Any) -> float:
    canvas = ".flame canvas[tabindex]"
    moves = ["Home", "ArrowDown", "ArrowDown", "Enter", "ArrowDown", "Enter", "Escape", "Escape"]
    zoom = page_browser.frame_ms(page, canvas, "key", moves)[1]
    search = page_browser.frame_ms(page, ".flame input[type=search]", "input", _SEARCH)[1]
    return max(zoom, search)


def _fetched(url: str) -> tuple[bytes, float]:
    times = []
    for _ in range(3):
        began = perf_counter()
        with urllib.request.urlopen(url) as response:
            body: bytes = response.read()
        times.append((perf_counter() - began) * 1000)
    return body, min(times)


def _speedscope(folder: Path) -> Path | None:
    """Where its page lies, or None where it cannot be installed."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
    done = subprocess.run([*command, "speedscope@1"], capture_output=True, timeout=300, check=False)
    page = folder / "node_modules" / "speedscope" / "dist" / "release"
    return page if done.returncode == 0 and (page / "index.html").exists() else None


def _their_report(
    browser: Any, viewer: Path | None, subject: Subject, capture: Any, rounds: int, table: Table
) -> None:
    if viewer is None:
        table.add_absent(subject.label, "not installed (needs npm)")
        return
    from django_hotpath import exporters

    body = exporters.get("speedscope").export(capture)
    (viewer / "profile.json").write_bytes(body)
    paints, keys = [], []
    with page_site.files(viewer) as address:
        for _ in range(rounds):
            page = page_browser.opened(browser, "body")
            page.goto(f"{address}/index.html#profileURL={address}/profile.json")
            page.wait_for_function("window.paintedAt")
            arrived = (
                "performance.getEntriesByType('resource')"
                ".find((entry) => entry.name.endsWith('profile.json')).responseEnd"
            )
            paints.append(page.evaluate(f"window.paintedAt - {arrived}"))
            keys.append(page_browser.frame_ms(page, "body", "key", ["w", "w", "w", "s", "0"])[1])
            page.close()
    table.add(
        subject.label,
        [f"{len(body) / 1024:,.0f}", f"{median(paints):.0f}", f"{median(keys):.0f}"],
    )
