"""``objects``: model instances that were made and that stayed, other objects by type."""

from __future__ import annotations

import gc
from typing import Any, ClassVar

from django.db.models.signals import post_init

from django_hotpath.instruments.base import Instrument, Session, active_instrument, clock
from django_hotpath.instruments.instances import Instances
from django_hotpath.instruments.object_types import Census, compare, count_types
from django_hotpath.instruments.users import Users
from django_hotpath.plain import describe_error

_WORDS = ("collect", "muppy")
MAX_MODELS = 200

_UID = "hotpath.objects"


class Objects(Instrument):
    """Counts instances by Django's ``post_init``, for the capture that the context belongs to."""

    name = "objects"
    measures = (
        "Model instances by model: how many this work made, how many of them are still alive when "
        "the answer is ready, and their size; other objects by type. objects:collect runs the "
        "garbage collector before it looks, objects:muppy counts and sizes every object."
    )
    cost = (
        "about 20 ms for each 100,000 objects of the process, before and after; 2 to 5 "
        "microseconds for each model instance"
    )
    disturbed_by = (
        "Types are counted in the whole process: other requests count, and so do other "
        "instruments of the same capture. Model instances are this capture's own; those that were "
        "copied or unpickled, or whose class does not call Model.__init__, are not seen. Alive "
        "are also instances that the answer holds, and garbage that waits for the collector."
    )
    takes_target: ClassVar[bool] = True

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        words = target.split(":") if target else []
        self._collect = "collect" in words
        self.everything = "muppy" in words
        self.instances = Instances()
        self._watched = False
        self._before: Census | None = None
        self._types: list[dict[str, Any]] = []
        self._models: list[dict[str, Any]] = []
        self._garbage: int | None = None

    @classmethod
    def check_target(cls, target: str) -> str | None:
        words = target.split(":")
        if not set(words) <= set(_WORDS) or len(words) != len(set(words)):
            return (
                f"objects:{target} is not understood: write collect, muppy or both "
                "(objects:muppy:collect)"
            )
        if "muppy" in words:
            from django_hotpath.instruments.engines.pympler import PymplerObjects

            reason = PymplerObjects.available()
            return f"objects:muppy {reason}" if reason else None
        return None

    def start(self) -> None:
        if self._collect:
            gc.collect()
        self._before = self._census()
        _watching.add()
        self._watched = True

    def stop(self) -> None:
        if self._watched:
            self._watched = False
            _watching.remove()
        if self._collect:
            self._garbage = gc.collect()
        # The instances first: the census makes objects and may let a collection happen.
        alive = self.instances.alive()
        self._models = self._plain_models(alive)
        alive.clear()
        self.instances.forget()
        if self._before is not None:
            self._types = compare(self._before, self._census())
            self._before = None

    def _census(self) -> Census:
        if self.everything:
            from django_hotpath.instruments.engines.pympler import count_everything

            return count_everything()
        return count_types()

    def failed(self, error: Exception) -> None:
        """An instance that could not be looked at."""
        if not self.warnings:
            self.warnings.append(f"objects: an instance was not counted: {describe_error(error)}")

    def _plain_models(self, alive: dict[int, list[Any]]) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for key, found in self.instances.models().items():
            label = _label(found.model)
            row = rows.setdefault(
                label,
                {
                    "model": label,
                    "created": 0,
                    "alive": 0,
                    "untracked": 0,
                    "size": None,
                    "deep_size": None,
                    "deep_of": 0,
                },
            )
            living = alive.get(key, [])
            row["created"] += found.created
            row["alive"] += len(living)
            row["untracked"] += found.untracked
            if found.sized:
                row["size"] = round(found.size / found.sized)
            self._size_living(row, living)
        for row in rows.values():
            size = row["size"] or 0
            row["total_size"], row["alive_size"] = size * row["created"], size * row["alive"]
        return sorted(rows.values(), key=lambda row: (-row["total_size"], row["model"]))

    def _size_living(self, row: dict[str, Any], living: list[Any]) -> None:
        if not self.everything:
            return
        from django_hotpath.instruments.engines.pympler import deep_size

        measured = deep_size(living)
        if measured is not None:
            row["deep_size"], row["deep_of"] = measured

    def result(self) -> dict[str, Any]:
        models = self._models
        return {
            "engine": "pympler" if self.everything else self.engine,
            "created": sum(row["created"] for row in models),
            "alive": sum(row["alive"] for row in models),
            "untracked": sum(row["untracked"] for row in models),
            "garbage": self._garbage,
            "models": models[:MAX_MODELS],
            "truncated": max(len(models) - MAX_MODELS, 0),
            "types": self._types,
        }


def _label(model: type) -> str:
    try:
        return str(model._meta.label)  # type: ignore[attr-defined]
    except Exception:
        return f"{model.__module__}.{model.__qualname__}"


def _on_init(sender: type, instance: Any, **kwargs: Any) -> None:
    entered = clock()
    innermost = measuring = active_instrument("objects")
    while isinstance(measuring, Objects):
        try:
            measuring.instances.add(sender, instance)
        except Exception as error:
            measuring.failed(error)
        measuring = measuring.enclosing()
    if innermost is not None:
        innermost.overhead_ns += clock() - entered


# A signal, and no patch of Model.__init__: nothing is left to be put back.
_watching = Users(
    lambda: post_init.connect(_on_init, weak=False, dispatch_uid=_UID),
    lambda: post_init.disconnect(dispatch_uid=_UID),
)
