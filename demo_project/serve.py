#!/usr/bin/env python
"""Serves the demo beside PostgreSQL, Redis and a Celery worker, as far as they are found.

    python demo_project/serve.py [port]

`HOTPATH_DEMO_POSTGRES` and `HOTPATH_DEMO_REDIS` name the servers (see demo/services.py). What is
not found is told, and what the demo has of its own takes its place.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from demo import services

HERE = Path(__file__).parent
MANAGE = [sys.executable, str(HERE / "manage.py")]
WORKER = [sys.executable, "-m", "celery", "--app", "demo.celery", "worker"]

# Variable, name, how to look, what is used in its place.
SERVICES: tuple[tuple[str, str, Callable[[str], str], str], ...] = (
    ("HOTPATH_DEMO_POSTGRES", "PostgreSQL", services.postgresql_found, "SQLite"),
    ("HOTPATH_DEMO_REDIS", "Redis", services.redis_found, "local memory"),
)


def look(given: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """A line for each service, and the environment without those that were not found."""
    lines, environment = [], dict(given)
    for variable, name, found, instead in SERVICES:
        try:
            lines.append(f"found      {found(given.get(variable, ''))}")
        except LookupError as error:
            lines.append(f"not found  {name}: {error}. Used in its place: {instead}")
            environment.pop(variable, None)
    if "HOTPATH_DEMO_REDIS" not in environment:
        lines.append("not found  Celery: it needs Redis. Used in its place: a thread")
    elif find_spec("celery") is None:
        lines.append(
            f"not found  Celery: {services.INSTALL}. Used in its place: a thread of the process"
        )
    else:
        lines.append("found      Celery, a worker is started")
    return lines, environment


def main() -> int:
    port = sys.argv[1] if len(sys.argv) > 1 else "8000"
    lines, environment = look(os.environ)
    print(*lines, sep="\n", flush=True)
    for command in (["migrate", "--verbosity", "0"], ["seed"]):
        done = subprocess.run([*MANAGE, *command], env=environment)  # noqa: S603
        if done.returncode:
            return done.returncode
    worker = None
    if lines[-1].startswith("found"):
        worker = subprocess.Popen(  # noqa: S603
            [*WORKER, "--concurrency", "1", "--loglevel", "WARNING"],
            cwd=HERE,
            env=environment,
        )
    print(f"\nThe demo: http://127.0.0.1:{port}/  Stop it with Ctrl-C.\n", flush=True)
    try:
        address = f"127.0.0.1:{port}"
        return subprocess.run([*MANAGE, "runserver", address], env=environment).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 0
    finally:
        if worker is not None:
            worker.terminate()
            worker.wait(10)


if __name__ == "__main__":
    sys.exit(main())
