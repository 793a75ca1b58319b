"""Model instances that the work of one capture made, and which of them are still alive."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from django_hotpath.instruments.object_sizes import instance_size

# Weak references kept at once; those of dead instances make room for others.
MAX_FOLLOWED = 100_000
SIZED = 20


class _Model:
    """One model's instances; ``untracked`` are those beyond the bound."""

    __slots__ = ("created", "model", "references", "size", "sized", "untracked")

    def __init__(self, model: type) -> None:
        # Kept, so that no other class gets its id meanwhile.
        self.model = model
        self.created = self.untracked = self.size = self.sized = 0
        self.references: list[weakref.ref[Any]] = []


class Instances:
    """Fed by Django's ``post_init``; holds no instance, only weak references."""

    def __init__(self) -> None:
        self._models: dict[int, _Model] = {}
        self._followed = 0
        self._full = False
        # A finalizer that makes an instance may run in here.
        self._lock = threading.RLock()

    def add(self, sender: type, instance: Any) -> None:
        with self._lock:
            found = self._models.get(id(sender))
            if found is None:
                found = self._models[id(sender)] = _Model(sender)
            found.created += 1
            if found.sized < SIZED:
                found.sized += 1
                found.size += instance_size(instance)
            if not self._full:
                try:
                    found.references.append(weakref.ref(instance))
                except TypeError:
                    found.untracked += 1
                    return
                self._followed += 1
                if self._followed >= MAX_FOLLOWED:
                    self._make_room()
            else:
                found.untracked += 1

    def _make_room(self) -> None:
        for found in self._models.values():
            found.references = [
                reference for reference in found.references if reference() is not None
            ]
        self._followed = sum(len(found.references) for found in self._models.values())
        # Looking again and again at what lives would cost more each time.
        self._full = self._followed > MAX_FOLLOWED // 2

    def alive(self) -> dict[int, list[Any]]:
        """The living instances of each model, by the id of its class; strong references."""
        return {
            key: [
                instance
                for reference in list(found.references)
                if (instance := reference()) is not None
            ]
            for key, found in list(self._models.items())
        }

    def models(self) -> dict[int, _Model]:
        return self._models

    def forget(self) -> None:
        self._models = {}
