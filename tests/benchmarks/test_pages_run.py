from __future__ import annotations

import shutil
from importlib.util import find_spec

import pytest

from tests.benchmarks.running import row, run, table
from tests.require import chromium, require

REPORTS = ("a typical page", "a tree of 2,000 calls", "a tree of 5,000 calls", "500 queries")


@pytest.mark.browser
def test_every_page_has_its_times_and_speedscope_those_of_the_same_files() -> None:
    require(find_spec("playwright") is not None, "needs playwright: pip install playwright")
    chromium()
    printed = run("pages.py")
    targets = printed.partition("\n## Targets\n")[2]
    for label in REPORTS:
        ours = row(printed, "Reports", label)
        assert float(ours["open, ms"]) > 0
        assert float(ours["key, ms"]) > 0
        assert f"{label}, key: " in targets
    for label in REPORTS[:3]:
        assert float(row(printed, "Reports", label)["painted, ms"]) > 0
        theirs = row(printed, "speedscope on the same files", label)["file, KB"]
        assert theirs.startswith("not installed") if not shutil.which("npm") else float(theirs) > 0
    for found in table(printed, "A list of 500 captures"):
        assert float(found["on the server, ms"]) > 0
