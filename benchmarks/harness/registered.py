"""Which instruments and engines there are, asked of the registry in a process of its own.

``python -m harness.registered`` prints what ``engines()`` gives, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Engine:
    """``word`` goes into ``?profile=``; without one, ``reason`` says why it cannot be measured."""

    instrument: str
    engine: str
    word: str | None
    reason: str | None

    @property
    def label(self) -> str:
        return self.instrument if self.engine == "hotpath" else f"{self.instrument}, {self.engine}"


def engines() -> list[Engine]:
    """In the order of the registry. Raises ``RuntimeError`` when there is no registry to ask."""
    run = subprocess.run(
        [sys.executable, "-m", "harness.registered"],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1])
    return [Engine(**found) for found in json.loads(run.stdout)]


def _ask() -> list[Engine]:
    from django.conf import settings as django_settings

    django_settings.configure()
    from django_hotpath.conf import settings
    from django_hotpath.instruments import registry

    found = []
    alone = registry.engine_names()
    for name, by_engine in registry._engines.items():
        for engine in by_engine:
            word, reason = None, None
            try:
                chosen, reason = registry.choose(registry.Spec(name, engine))
                if chosen is not None:
                    best, _ = registry.choose(registry.Spec(name))
                    word = engine if engine in alone else name if best is chosen else None
                    if word is None:
                        reason = "another engine is better here, and a request cannot ask for it"
            except ImportError as error:
                reason = f"cannot be imported: {error}"
            if word in settings.PRESETS:
                # Alone it would be the preset of that name.
                word = f"{word},{word}"
            found.append(Engine(name, engine, word, reason))
    return found


if __name__ == "__main__":
    print(json.dumps([asdict(found) for found in _ask()]))
