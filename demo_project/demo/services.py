"""Servers that the demo may use beside itself, named by environment variables.

`HOTPATH_DEMO_POSTGRES=postgres://user:password@host:5432/name`
`HOTPATH_DEMO_REDIS=redis://host:6379/0`
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

INSTALL = "python -m pip install --group demo-services"


def postgresql(url: str) -> dict[str, Any]:
    """The settings of the database at this address."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(
            "HOTPATH_DEMO_POSTGRES is no address like postgres://user:password@host:5432/name"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/") or "hotpath_demo",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def postgresql_found(url: str) -> str:
    """The version of the server; raises `LookupError` that says why there is none."""
    _needs(url, "HOTPATH_DEMO_POSTGRES", "psycopg")
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            number = connection.info.server_version
    except psycopg.Error as error:
        raise LookupError(_one_line(error)) from error
    return f"PostgreSQL {number // 10_000}.{number % 10_000}"


def redis_found(url: str) -> str:
    """The version of the server; raises `LookupError` that says why there is none."""
    _needs(url, "HOTPATH_DEMO_REDIS", "redis")
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
            version = client.info("server")["redis_version"]
    except (redis.RedisError, OSError, ValueError) as error:
        raise LookupError(_one_line(error)) from error
    return f"Redis {version}"


def _needs(url: str, variable: str, module: str) -> None:
    if not url:
        raise LookupError(f"{variable} is not set")
    if find_spec(module) is None:
        raise LookupError(f"{module} is not installed: {INSTALL}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
