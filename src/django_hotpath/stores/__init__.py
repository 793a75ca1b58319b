"""Where captures are kept: ``HOTPATH["STORE"]``."""

from __future__ import annotations

import functools
from typing import Any

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from django_hotpath.conf import settings
from django_hotpath.stores.base import Store, StoreError


@functools.cache
def get_store() -> Store:
    """The project's store. Raises ``StoreError`` when the setting names none that works."""
    backend = settings.STORE["BACKEND"]
    options = {
        "max_captures": settings.MAX_CAPTURES,
        "max_age": settings.MAX_AGE,
        **settings.STORE.get("OPTIONS", {}),
    }
    try:
        store = import_string(backend)(**options)
    except Exception as error:
        raise StoreError(f"the store {backend} cannot be used: {error}") from error
    if not isinstance(store, Store):
        raise StoreError(f"{backend} is not a store")
    return store


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in {"HOTPATH", "BASE_DIR"}:
        get_store.cache_clear()
