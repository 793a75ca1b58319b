from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_hotpath import deferred, disturbances, stores


@pytest.fixture(autouse=True)
def _fresh_store() -> Iterator[None]:
    stores.get_store.cache_clear()
    deferred._forget()
    yield
    stores.get_store.cache_clear()
    deferred._forget()


@pytest.fixture(autouse=True)
def _warm_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is the first request of its process, unless it says so."""
    monkeypatch.setattr(disturbances, "_requests_seen", 2)
