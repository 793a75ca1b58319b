"""What of the services around the demo is there: Redis, and a Celery worker that reads from it.

Without `HOTPATH_DEMO_REDIS` everything happens in this process: the cache is local memory, and
tasks run in a thread.
"""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings


def cache_words() -> str:
    """What the default cache is, for a note under a page."""
    backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    where = {
        "RedisCache": "Redis, shared by all processes",
        "LocMemCache": "local memory: each process has its own, and loses it when it ends",
    }
    return f"The cache: {where.get(backend, backend)}."


def broker_url() -> str | None:
    """Where tasks are handed to Celery workers; None when they run in a thread of this process."""
    url = getattr(settings, "CELERY_BROKER_URL", None)
    return url if url and find_spec("celery") and find_spec("redis") else None
