"""Time in each template, with and without those it includes or extends."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.template.base import Template

from django_hotpath.callsite import locate, template_path
from django_hotpath.instruments.base import Instrument, Session, clock, current, to_ms
from django_hotpath.instruments.patching import SharedPatch, Wrap

MAX_RENDERS = 2_000


class _Render:
    __slots__ = ("children_ns", "ended", "index", "name", "parent", "started", "totals")

    children_ns: int
    ended: int
    index: int | None
    name: str
    parent: _Render | None
    started: int
    totals: _Totals


class _Totals:
    __slots__ = ("count", "cumulative_ns", "engine", "file", "name", "open", "own_ns")

    def __init__(self, name: str, file: str, engine: str) -> None:
        self.name, self.file, self.engine = name, file, engine
        self.count = self.own_ns = self.cumulative_ns = self.open = 0


_current: ContextVar[_Render | None] = ContextVar("hotpath_template", default=None)


class Templates(Instrument):
    name = "templates"
    measures = "Time in each Django or Jinja2 template, with and without what it includes."
    cost = "about 2 microseconds for each template rendered"
    disturbed_by = (
        "Lazy work counts where it happens: a query that a template sets off is time of that "
        "template too. Jinja2 templates are timed as a whole, without their includes."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.renders: list[_Render] = []
        self.totals: dict[Any, _Totals] = {}
        self.count = 0
        self.outermost_ns = 0

    def start(self) -> None:
        _patch.acquire()

    def stop(self) -> None:
        _patch.release()

    def run(
        self,
        original: Callable[..., Any],
        engine: str,
        template: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        entered = clock()
        render = self._open(template, engine)
        token = _current.set(render)
        render.started = clock()
        try:
            return original(template, *args, **kwargs)
        finally:
            render.ended = clock()
            _current.reset(token)
            self._close(render)
            self.overhead_ns += clock() - render.ended + render.started - entered

    def _open(self, template: Any, engine: str) -> _Render:
        origin = getattr(template, "origin", None)
        key = (engine, getattr(origin, "name", None), getattr(template, "name", None))
        totals = self.totals.get(key)
        if totals is None:
            totals = self.totals[key] = _Totals(*_describe(template, origin), engine)
        totals.open += 1
        render = _Render()
        render.name, render.totals = totals.name, totals
        render.parent = _current.get()
        render.children_ns = 0
        render.index = None
        if len(self.renders) < MAX_RENDERS:
            render.index = len(self.renders)
            self.renders.append(render)
        self.count += 1
        return render

    def _close(self, render: _Render) -> None:
        duration = render.ended - render.started
        totals = render.totals
        totals.open -= 1
        totals.count += 1
        totals.own_ns += duration - render.children_ns
        if totals.open == 0:
            # A template that includes itself counts its time once.
            totals.cumulative_ns += duration
        if render.parent is None:
            self.outermost_ns += duration
        else:
            render.parent.children_ns += duration

    def timing(self) -> dict[str, float]:
        return {"template_ms": to_ms(self.outermost_ns)}

    def result(self) -> dict[str, Any]:
        ranked = sorted(self.totals.values(), key=lambda totals: -totals.own_ns)
        finished = [render for render in self.renders if hasattr(render, "ended")]
        return {
            "count": self.count,
            "total_ms": to_ms(self.outermost_ns),
            "truncated": max(self.count - MAX_RENDERS, 0),
            "templates": [
                {
                    "name": totals.name,
                    "file": totals.file,
                    "engine": totals.engine,
                    "count": totals.count,
                    "own_ms": to_ms(totals.own_ns),
                    "cumulative_ms": to_ms(totals.cumulative_ns),
                }
                for totals in ranked
            ],
            "renders": [self._plain(render) for render in finished],
        }

    def _plain(self, render: _Render) -> dict[str, Any]:
        duration = render.ended - render.started
        return {
            "index": render.index,
            "name": render.name,
            "engine": render.totals.engine,
            "start_ms": self.session.ms_since_start(render.started),
            "duration_ms": to_ms(duration),
            "own_ms": to_ms(duration - render.children_ns),
            "parent": render.parent.index if render.parent else None,
        }


def _describe(template: Any, origin: Any) -> tuple[str, str]:
    path = template_path(origin) if origin is not None else "<unknown source>"
    if path.startswith("<"):
        path = "<string>"
    name = getattr(template, "name", None) or path
    return str(name), path


def _wrapping(engine: str) -> Wrap:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(template: Any, *args: Any, **kwargs: Any) -> Any:
            active = current.get()
            instrument = active.get("templates") if active is not None else None
            if not isinstance(instrument, Templates) or _is_ours(template):
                return original(template, *args, **kwargs)
            return instrument.run(original, engine, template, args, kwargs)

        return method

    return wrap


def _is_ours(template: Any) -> bool:
    name = getattr(getattr(template, "origin", None), "name", None)
    return isinstance(name, str) and not name.startswith("<") and _is_tool(name)


def _is_tool(path: str) -> bool:
    return locate(path).kind == "hotpath"


def _targets() -> list[tuple[type, str, Wrap]]:
    # Template._render, not render: {% extends %} renders its parent through it.
    targets: list[tuple[type, str, Wrap]] = [(Template, "_render", _wrapping("django"))]
    try:
        from django.template.backends.jinja2 import Template as Jinja2Template
    except ImportError:
        return targets
    return [*targets, (Jinja2Template, "render", _wrapping("jinja2"))]


_patch = SharedPatch(_targets)
