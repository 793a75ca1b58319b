"""What a test needs from the machine: absent, the test is skipped, or fails where all must run."""

from __future__ import annotations

import os
import shutil

import pytest

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def require(condition: bool, reason: str) -> None:
    """Skips the test unless the condition holds; fails it under ``HOTPATH_TEST_REQUIRE=all``."""
    if condition:
        return
    if os.environ.get("HOTPATH_TEST_REQUIRE") == "all":
        pytest.fail(f"{reason} (HOTPATH_TEST_REQUIRE=all)", pytrace=False)
    pytest.skip(reason)


def chromium() -> str:
    """The path of an installed Chromium."""
    found = next((path for name in _CHROMIUM if (path := shutil.which(name))), None)
    require(found is not None, f"needs a browser on the PATH: one of {', '.join(_CHROMIUM)}")
    assert found is not None
    return found
