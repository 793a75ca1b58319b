"""What ``lines`` and ``line_memory`` share: which code they measure, and from when on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django_hotpath.instruments import targets
from django_hotpath.instruments.base import Instrument, Session, clock
from django_hotpath.instruments.target_code import Piece, unwrap
from django_hotpath.instruments.view_hook import view_hook


class Targeted(Instrument):
    """Measures code that the target names: by default the view, once its URL is resolved.

    Engines say in ``measure`` what to do with code; it may be called twice, before the work and
    when the view is known.
    """

    takes_target: ClassVar[bool] = True

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.pieces: list[Piece] = []
        self.view: str | None = None
        self._wanted: targets.Wanted | None = None
        self._listening = False

    @classmethod
    def check_target(cls, target: str) -> str | None:
        found = targets.problem(target)
        return None if found is None else f"{cls.name}: {found}"

    def start(self) -> None:
        self._wanted = wanted = targets.read(self.target)
        try:
            self.prepare()
            self._add(wanted.pieces)
            if wanted.view:
                self._await_subject(wanted.base_classes)
        except BaseException:
            self.stop()
            raise

    def _await_subject(self, base_classes: bool) -> None:
        subject = self.session.subject
        if subject is not None:
            self._add(targets.of_subject(subject, base_classes))
        else:
            view_hook.acquire()
            self._listening = True

    def stop(self) -> None:
        """Safe to call twice."""
        self._stop_listening()
        self.finish()

    def _stop_listening(self) -> None:
        if self._listening:
            self._listening = False
            view_hook.release()

    def on_view(self, view: Callable[..., Any]) -> Callable[..., Any]:
        if not self._listening or self._wanted is None:
            return view
        began = clock()
        self._stop_listening()
        self.view = _name(view)
        self._add(targets.of_subject(view, self._wanted.base_classes))
        found = self.around_view(view)
        self.overhead_ns += clock() - began
        return found

    def around_view(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """What to call in the view's place, for engines that have to be in its thread."""
        return view

    def _add(self, pieces: Sequence[Piece]) -> None:
        known = {id(piece.code) for piece in self.pieces}
        new = [piece for piece in pieces if id(piece.code) not in known]
        if new:
            self.measure(new)
            self.pieces += new

    @abstractmethod
    def prepare(self) -> None:
        """Before any code is measured. Raises when the engine cannot be had."""

    @abstractmethod
    def measure(self, pieces: Sequence[Piece]) -> None:
        """Measures this code from now on."""

    @abstractmethod
    def finish(self) -> None:
        """Leaves the process as it was, whatever had begun; may be called without ``prepare``."""

    def asked(self) -> dict[str, Any]:
        """What was to be measured, for the result."""
        return {"engine": self.engine, "target": self.target or targets.VIEW, "view": self.view}


def _name(view: object) -> str:
    found = unwrap(view)
    named: list[Any] = [type(view), *found.functions, *(cls for cls, _entries in found.classes)]
    return f"{named[-1].__module__}.{named[-1].__qualname__}"
