"""Ten thousand captures in one process; prints what the process has more of than after 2,000."""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from pathlib import Path

CAPTURES = 10_000
WARM_UP = 2_000
# Each takes the default set; one in ten something dearer.
ASKED = ["1"] * 18 + ["lines", "samples"]


def main() -> None:
    import django

    django.setup()
    from django.test import Client

    client = Client()
    readings = []
    for number in range(CAPTURES):
        if number == WARM_UP:
            readings.append(_reading())
        asked = ASKED[number % len(ASKED)]
        response = client.get(f"/answers/sync/json/?profile={asked}")
        assert response.status_code == 200, response.status_code
        assert "Hotpath-Refused" not in response.headers, response.headers["Hotpath-Refused"]
    readings.append(_reading())
    before, after = readings
    found = {
        "captures": CAPTURES,
        "grown": after["memory"] - before["memory"],
        **{f"{name}_before": before[name] for name in ("files", "threads")},
        **{f"{name}_after": after[name] for name in ("files", "threads")},
    }
    print(json.dumps(found))


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
