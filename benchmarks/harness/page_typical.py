"""A capture of a page as many sites have one: an N+1 of a hundred in a template's loop."""

from __future__ import annotations

from typing import Any


def capture() -> Any:
    """Recorded from the demo's ``/orders/slow/`` in a process of its own."""
    import os
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    from django_hotpath.capture import Capture

    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory(prefix="hotpath-benchmark-") as folder:
        environment = {name: os.environ[name] for name in os.environ if "DJANGO" not in name} | {
            "HOTPATH_DEMO_DB": f"{folder}/demo.sqlite3",
            "HOTPATH_DEMO_STORE": f"{folder}/captures.sqlite3",
        }
        manage = [sys.executable, str(root / "demo_project" / "manage.py")]
        for command in (["migrate", "-v0"], ["seed"]):
            subprocess.run([*manage, *command], env=environment, check=True, capture_output=True)
        asked = subprocess.run(
            [*manage, "shell", "-v0", "-c", _ASK], env=environment, check=True, capture_output=True
        )
    return Capture.from_json(asked.stdout.decode().splitlines()[-1])


_ASK = """
from django.test import Client
client = Client()
for _ in range(3):
    answer = client.get("/orders/slow/?profile=1&profile_as=json", headers={"accept": "text/html"})
print(answer.content.decode())
"""
