"""Times in a headless Chromium: when something was painted, and how long a key takes to show."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from statistics import median
from typing import Any

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# The first time that anything is drawn on a canvas, by 2D calls or by WebGL.
FIRST_PAINT = """
for (const [type, names] of [
  [CanvasRenderingContext2D, ["fillRect", "fill", "drawImage"]],
  [WebGLRenderingContext, ["drawArrays", "drawElements"]],
]) {
  for (const name of names) {
    const original = type.prototype[name];
    type.prototype[name] = function (...args) {
      if (!this.canvas.closest?.("PLACE")) return original.apply(this, args);
      window.paintedAt ??= performance.now();
      type.prototype[name] = original;
      return original.apply(this, args);
    };
  }
}
"""

# From the event until the frame that shows it has been handed over.
FRAME = """async ([selector, kind, value]) => {
  const node = document.querySelector(selector);
  const began = performance.now();
  if (kind === "input") {
    node.value = value;
    node.dispatchEvent(new InputEvent("input", { bubbles: true }));
  } else {
    const event = { key: value, bubbles: true, cancelable: true };
    node.dispatchEvent(new KeyboardEvent("keydown", event));
  }
  const work = performance.now() - began;
  await new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
  return [work, performance.now() - began];
}"""


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = next((p for name in ("chromium", "google-chrome") if (p := shutil.which(name))), None)
    if path is None:
        raise RuntimeError("needs Chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Any, place: str) -> Any:
    """A new page that notes when it first draws on a canvas below ``place``, a selector."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    page.add_init_script(FIRST_PAINT.replace("PLACE", place))
    return page


def frame_ms(page: Any, selector: str, kind: str, values: list[str]) -> tuple[float, float]:
    """The median and the longest, of one event for each value, until its frame is there."""
    found = [page.evaluate(FRAME, [selector, kind, value])[1] for value in values]
    return median(found), max(found)
