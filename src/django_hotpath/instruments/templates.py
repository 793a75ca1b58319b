"""Time in each template, with and without those it includes or extends."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.template.base import Template

from django_hotpath.callsite import locate, template_path
from django_hotpath.instruments.base import Instrument, Session, active_instrument, clock, to_ms
from django_hotpath.instruments.named_frames import Names
from django_hotpath.instruments.patching import SharedPatch, Stay, Wrap
from django_hotpath.plain import describe_error

MAX_RENDERS = 2_000


class _Render:
    __slots__ = (
        "above",
        "children_ns",
        "ended",
        "index",
        "instrument",
        "name",
        "parent",
        "started",
        "thread",
        "totals",
    )

    def __init__(self, instrument: Templates, totals: _Totals) -> None:
        self.instrument, self.totals, self.name = instrument, totals, totals.name
        self.thread = threading.get_ident()
        self.index: int | None = None
        self.children_ns = self.started = self.ended = 0
        self.above = _current.get()
        self.parent = self._parent()

    def _parent(self) -> _Render | None:
        # A context may be copied into another thread, or outlive the rendering it was copied in.
        above = self.above
        while above is not None and (
            above.instrument is not self.instrument or above.thread != self.thread or above.ended
        ):
            above = above.above
        return above

    def own_ns(self) -> int:
        return max(self.ended - self.started - self.children_ns, 0)

    def is_within_itself(self) -> bool:
        above = self.parent
        while above is not None and above.totals is not self.totals:
            above = above.parent
        return above is not None


class _Totals:
    __slots__ = ("count", "cumulative_ns", "engine", "file", "name", "own_ns")

    def __init__(self, name: str, file: str, engine: str) -> None:
        self.name, self.file, self.engine = name, file, engine
        self.count = self.own_ns = self.cumulative_ns = 0


_current: ContextVar[_Render | None] = ContextVar("hotpath_template", default=None)


class Templates(Instrument):
    name = "templates"
    measures = "Time in each Django or Jinja2 template, with and without what it includes."
    cost = "about 5 microseconds for each template rendered"
    disturbed_by = (
        "Lazy work counts where it happens: a query that a template sets off is time of that "
        "template too. Jinja2 templates are timed as a whole, without their includes."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.renders: list[_Render] = []
        # None: a page of ours, which is not recorded.
        self.totals: dict[Any, _Totals | None] = {}
        self._names = Names("template", "(other templates)")

    def start(self) -> None:
        _patch.acquire()

    def stop(self) -> None:
        _patch.release()

    def run(
        self,
        original: Callable[..., Any],
        engine: str,
        template: Any,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Renders the template and records it; raises what it raises."""
        entered = clock()
        outer = self.enclosing()
        if isinstance(outer, Templates):
            original = functools.partial(outer.run, original, engine)
        try:
            render = self._open(template, engine)
        except Exception as error:
            self._failed(error)
            render = None
        if render is None:
            return original(template, *args, **kwargs)
        frame = self._names.get(render.name, str) if self.names_frames(outer) else None
        token = _current.set(render)
        render.started = clock()
        try:
            if frame is not None:
                return frame(original, template, *args, **kwargs)
            return original(template, *args, **kwargs)
        finally:
            ended = clock()
            try:
                self._close(render, ended)
                _current.reset(token)
            except Exception as error:
                self._failed(error)
            self.overhead_ns += clock() - ended + render.started - entered

    def _open(self, template: Any, engine: str) -> _Render | None:
        origin = getattr(template, "origin", None)
        key = (engine, getattr(origin, "name", None), getattr(template, "name", None))
        if key not in self.totals:
            ours = _is_ours(origin)
            self.totals[key] = None if ours else _Totals(*_describe(template, origin), engine)
        totals = self.totals[key]
        if totals is None:
            return None
        render = _Render(self, totals)
        if len(self.renders) < MAX_RENDERS:
            self.renders.append(render)
        return render

    def _close(self, render: _Render, ended: int) -> None:
        render.ended = ended
        duration, own, totals = ended - render.started, render.own_ns(), render.totals
        within_itself = render.is_within_itself()
        # No call from here on: threads that render the same template add to the same totals.
        totals.count += 1
        totals.own_ns += own
        if not within_itself:
            totals.cumulative_ns += duration
        if render.parent is not None:
            render.parent.children_ns += duration

    def _failed(self, error: Exception) -> None:
        if not self.warnings:
            self.warnings.append(
                f"templates: a rendering was not recorded: {describe_error(error)}"
            )

    def timing(self) -> dict[str, float]:
        return {"template_ms": to_ms(sum(totals.own_ns for totals in self._known()))}

    def _known(self) -> list[_Totals]:
        return [totals for totals in list(self.totals.values()) if totals and totals.count]

    def result(self) -> dict[str, Any]:
        # A thread may still be rendering.
        finished = [render for render in list(self.renders) if render.ended]
        for index, render in enumerate(finished):
            render.index = index
        known = self._known()
        count = sum(totals.count for totals in known)
        return {
            "count": count,
            "total_ms": self.timing()["template_ms"],
            "truncated": max(count - len(finished), 0),
            "templates": [
                {
                    "name": totals.name,
                    "file": totals.file,
                    "engine": totals.engine,
                    "count": totals.count,
                    "own_ms": to_ms(totals.own_ns),
                    "cumulative_ms": to_ms(totals.cumulative_ns),
                }
                for totals in sorted(known, key=lambda totals: -totals.own_ns)
            ],
            "renders": [self._plain(render) for render in finished],
        }

    def _plain(self, render: _Render) -> dict[str, Any]:
        return {
            "index": render.index,
            "name": render.name,
            "engine": render.totals.engine,
            "start_ms": self.session.ms_since_start(render.started),
            "duration_ms": to_ms(render.ended - render.started),
            "own_ms": to_ms(render.own_ns()),
            "parent": render.parent.index if render.parent else None,
        }


def _describe(template: Any, origin: Any) -> tuple[str, str]:
    path = template_path(origin) if origin is not None else "<unknown source>"
    if path.startswith("<"):
        path = "<string>"
    name = getattr(template, "name", None) or path
    return str(name), path


def _wrapping(engine: str) -> Wrap:
    def wrap(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(template: Any, /, *args: Any, **kwargs: Any) -> Any:
            instrument = active_instrument("templates")
            # After its stay a later replacement, if any, records this same rendering.
            if stay.over or not isinstance(instrument, Templates):
                return original(template, *args, **kwargs)
            return instrument.run(original, engine, template, *args, **kwargs)

        return method

    return wrap


def _is_ours(origin: Any) -> bool:
    name = getattr(origin, "name", None)
    return isinstance(name, str) and os.path.isabs(name) and locate(name).kind == "hotpath"


def _targets() -> list[tuple[type, str, Wrap]]:
    # Template._render, not render: {% extends %} renders its parent through it.
    targets: list[tuple[type, str, Wrap]] = [(Template, "_render", _wrapping("django"))]
    jinja2 = _jinja2_template()
    return targets if jinja2 is None else [*targets, (jinja2, "render", _wrapping("jinja2"))]


@functools.cache
def _jinja2_template() -> type | None:
    # Looked for once: an import that fails is searched for again each time.
    try:
        from django.template.backends.jinja2 import Template as Jinja2Template
    except ImportError:
        return None
    return Jinja2Template


_patch = SharedPatch(_targets)
