"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "Django",
    "django-hotpath",
    "django-debug-toolbar",
    "django-silk",
    "pyinstrument",
    "asgiref",
)


def describe() -> dict[str, str]:
    found = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Machine": f"{cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "Load at the start": load(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    return found | {package: _version(package) for package in PACKAGES}


def cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        named = subprocess.run(command, capture_output=True, text=True, check=False)
        return named.stdout.strip()
    return platform.processor() or "unknown CPU"


def load() -> str:
    """Processes that wanted a core in the last minute: above the number of cores, distrust."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return f"{os.getloadavg()[0]:.1f}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
