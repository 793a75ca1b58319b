"""Makes the pictures of the docs from the running demo: ``make screenshots``.

    python docs/screenshots.py [NAME ...]

Needs the dependency group ``test`` and an installed Chromium.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
# Of the slow orders and the fast ones, a few runs each.
COMPARISON = "comparison"
RUNS = 8
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

REPORT = "/orders/slow/?profile=1"
Picture = tuple[str, str, int, int, str, str]

# Name, path, width, height, colour scheme, and the part of the page; "": all that is in view.
PICTURES = (
    ("report", REPORT, 1280, 900, "light", ""),
    ("report-dark", REPORT, 1280, 900, "dark", ""),
    ("report-narrow", REPORT, 400, 900, "light", ""),
    ("flame", f"{REPORT}#flame", 1280, 900, "light", "#flame"),
    ("flame-dark", f"{REPORT}#flame", 1280, 900, "dark", "#flame"),
    ("timeline", f"{REPORT}#timeline", 1280, 900, "light", "#timeline-view"),
    ("history", "/__hotpath__/", 1280, 700, "light", ""),
    ("comparison", COMPARISON, 1280, 1100, "light", ""),
)

# Name, panel that is switched on and open, colour scheme; on the page that the report is of.
PANELS = (
    ("toolbar", "FindingsPanel", "light"),
    ("toolbar-dark", "FindingsPanel", "dark"),
    ("toolbar-calls", "CallsPanel", "light"),
    ("toolbar-allocations", "AllocationsPanel", "light"),
)
PANEL_SIZE = (1280, 800)


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo of its own, warmed up, with data that are thrown away."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {
            **os.environ,
            "HOTPATH_DEMO_DB": f"{folder}/demo.sqlite3",
            "HOTPATH_DEMO_STORE": f"{folder}/captures.sqlite3",
        }
        manage = [sys.executable, str(ROOT / "demo_project" / "manage.py")]
        for command in (["migrate", "-v0"], ["seed"]):
            subprocess.run([*manage, *command], env=environment, check=True)
        serve = [*manage, "runserver", "--noreload", f"127.0.0.1:{port}"]
        server = subprocess.Popen(serve, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/orders/slow/")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(address).read()
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the demo does not answer")


def take(browser: Browser, address: str, picture: Picture) -> None:
    name, _path, width, height, scheme, part = picture
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page.goto(address)
    page.locator("html.ready").wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    if part:
        page.locator(part).screenshot(path=path)
    else:
        page.screenshot(path=path)
    page.close()
    print(path.relative_to(ROOT))


def take_panel(browser: Browser, address: str, picture: tuple[str, str, str]) -> None:
    """The toolbar over the page, with one panel open."""
    name, panel, scheme = picture
    width, height = PANEL_SIZE
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": f"djdt{panel}", "value": "on", "url": address}])
    page = context.new_page()
    page.add_init_script("localStorage.setItem('djdt.show', 'true')")
    url = f"{address}{REPORT.partition('?')[0]}"
    # The first request has what is loaded once.
    page.goto(url)
    page.goto(url)
    page.locator(f"#djdt-{panel} a").click()
    page.locator(f"#{panel} hotpath-panel .hotpath").wait_for()
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    context.close()
    print(path.relative_to(ROOT))


def compared(address: str) -> str:
    """The path of a comparison of the slow page with the fast one, captured for it."""
    sets = []
    for path in ("/orders/slow/", "/orders/fast/"):
        ids = []
        # One more, since the first run of a page loads its templates.
        for _ in range(RUNS + 1):
            asked = urllib.request.Request(f"{address}{path}", headers={"Hotpath-Profile": "1"})
            with urllib.request.urlopen(asked) as response:
                response.read()
                ids.append(response.headers["Hotpath-Capture"].rstrip("/").rpartition("/")[2])
        sets.append(",".join(ids[1:]))
    return f"/__hotpath__/compare/?a={sets[0]}&b={sets[1]}"


def main(names: list[str]) -> None:
    pictures = [picture for picture in PICTURES if not names or picture[0] in names]
    panels = [picture for picture in PANELS if not names or picture[0] in names]
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("needs Chromium on the PATH")
    IMAGES.mkdir(exist_ok=True)
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for picture in pictures:
            path = compared(address) if picture[1] == COMPARISON else picture[1]
            take(browser, f"{address}{path}", picture)
        for panel in panels:
            take_panel(browser, address, panel)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
