"""Where captures are kept: ``HOTPATH["STORE"]``."""

from __future__ import annotations

import os
import threading
from typing import Any

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from django_hotpath.conf import settings
from django_hotpath.stores.base import Store, StoreError


class _Chosen:
    """The project's store, made once, whichever thread asks first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: Store | None = None

    def __call__(self) -> Store:
        """Raises ``StoreError`` when the setting names none that works."""
        store = self._store
        if store is None:
            with self._lock:
                store = self._store
                if store is None:
                    store = self._store = _make()
        return store

    def cache_clear(self) -> None:
        self._store = None

    def after_fork(self) -> None:
        self._lock = threading.Lock()


def _make() -> Store:
    backend = settings.STORE["BACKEND"]
    options = {
        "max_captures": settings.MAX_CAPTURES,
        "max_age": settings.MAX_AGE,
        "max_summaries": settings.SUMMARIES,
        **settings.STORE.get("OPTIONS", {}),
    }
    try:
        store = import_string(backend)(**options)
    except Exception as error:
        raise StoreError(f"the store {backend} cannot be used: {error}") from error
    if not isinstance(store, Store):
        raise StoreError(f"{backend} is not a store")
    return store


get_store = _Chosen()


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in {"HOTPATH", "BASE_DIR"}:
        get_store.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=get_store.after_fork)
