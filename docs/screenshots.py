"""Makes the pictures of the docs from the running demo: ``make screenshots``.

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
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Name, path, width, height, colour scheme.
PICTURES = (
    ("report", "/orders/slow/?profile=1", 1280, 900, "light"),
    ("report-dark", "/orders/slow/?profile=1", 1280, 900, "dark"),
    ("report-narrow", "/orders/slow/?profile=1", 400, 900, "light"),
    ("captures", "/__hotpath__/", 1280, 600, "light"),
)


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


def take(browser: Browser, address: str, name: str, width: int, height: int, scheme: str) -> None:
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(address)
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    print(path.relative_to(ROOT))


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("needs Chromium on the PATH")
    IMAGES.mkdir(exist_ok=True)
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, path, width, height, scheme in PICTURES:
            take(browser, f"{address}{path}", name, width, height, scheme)
        browser.close()


if __name__ == "__main__":
    main()
