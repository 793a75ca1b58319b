"""What the panels have in common. A panel of its own is a few lines: see ``allocations.py``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from debug_toolbar.panels import Panel
from debug_toolbar.toolbar import DebugToolbar
from django.core.checks import CheckMessage
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_hotpath import callsite
from django_hotpath.capture import Capture
from django_hotpath.panels.checks import app_missing
from django_hotpath.panels.content import panel_content, versioned
from django_hotpath.panels.guard import guarded
from django_hotpath.panels.session import Answer, session_of
from django_hotpath.plain import describe_error

logger = logging.getLogger("hotpath")

Text = str | Promise


class HotpathPanel(Panel):
    """Shows what one instrument measured in this request.

    A subclass names its instruments and says three things of a capture: ``summary`` (plain, small
    figures for the toolbar's store), ``subtitle`` (the one that matters, from the summary alone)
    and ``view`` (the values for its template). Every hook is guarded: whatever fails is shown in
    the panel, the page goes out.
    """

    is_async = True

    title: Text
    """Also what the side bar says; translated lazily."""
    nav_icon: str | None = None  # type: ignore[assignment]
    """A static SVG for the side bar, drawn in white."""
    about: Text = ""
    """What the panel is for, in a sentence or two, above everything else."""
    cost: Text = ""
    """What it makes slower while it is on."""
    instruments: ClassVar[tuple[str, ...]] = ()
    """Names of instruments or engines; the first is what the panel shows."""
    dear: ClassVar[bool] = True
    """Off until it is switched on in the toolbar."""
    template: ClassVar[str] = ""
    """Below ``templates/django_hotpath``; rendered by our own engine."""
    modules: ClassVar[tuple[str, ...]] = ("kit", "editor", "table", "controls")
    """Scripts of the report that ``panel.js`` loads for the content, in this order."""
    styles: ClassVar[tuple[str, ...]] = ("tables",)
    """Style sheets beside ``report.css`` and ``panel.css``."""
    shows: ClassVar[str] = ""
    """The instrument shown; by default what the first of ``instruments`` names."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "shows" not in vars(cls) and cls.instruments:
            from django_hotpath.instruments.registry import engine_names

            cls.shows = engine_names().get(cls.instruments[0], cls.instruments[0])

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        """Figures for the side bar: plain, shallow, small. Only called when there is data."""
        raise NotImplementedError

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        """The figure that matters."""
        raise NotImplementedError

    def view(self, capture: Capture) -> dict[str, Any]:
        """Values for the template. ``data`` maps a name to what scripts read: JSON values."""
        raise NotImplementedError

    # What the toolbar calls

    @classmethod
    def run_checks(cls) -> list[CheckMessage]:
        # The toolbar asks every panel; one answer is enough.
        listed = DebugToolbar.get_panel_classes() or ()
        first = next((panel for panel in listed if issubclass(panel, HotpathPanel)), None)
        return app_missing() if first is cls else []

    def __init__(self, toolbar: Any, get_response: Any) -> None:
        super().__init__(toolbar, get_response)
        self.failures: list[str] = []
        self._off = False

    def note_failure(self, error: BaseException) -> None:
        self.failures.append(describe_error(error))

    @property
    def enabled(self) -> bool:
        # Asked some eleven times in each request: what is off is off until the next one.
        if self._off and not self.from_store:
            return False
        return bool(self._enabled())

    @guarded(otherwise=False)
    def _enabled(self) -> bool:
        # A user's DISABLE_PANELS replaces the default set, and an attribute for this there is none:
        # what is dear is off until its switch was used.
        if not self.from_store:
            switched = self.toolbar.request.COOKIES.get(f"djdt{type(self).__name__}")
            if self.dear if switched is None else switched != "on":
                self._off = True
                return False
        return bool(super().enabled)

    @property
    def nav_title(self) -> Text:
        return self.title

    @property
    def nav_subtitle(self) -> Text:
        return self._nav_subtitle()

    @guarded(otherwise=_("failed"))
    def _nav_subtitle(self) -> Text:
        stats = self.stored()
        if stats.get("summary") is not None:
            return self.subtitle(stats["summary"])
        if stats.get("elsewhere"):
            return _("see the report")
        if stats.get("streaming"):
            return _("still streaming")
        return _("not measured") if stats else ""

    @property
    def has_content(self) -> bool:
        # Where it is off there is nothing to show, and nobody asks any further.
        return self.from_store or not self._off

    @property
    def scripts(self) -> list[str]:
        return [*super().scripts, *self._scripts()]

    @guarded(otherwise=())
    def _scripts(self) -> list[str]:
        return [versioned(static("django_hotpath/panel.js"), "panel.js")]

    @property
    def content(self) -> SafeString:
        return self._content()

    @guarded(
        otherwise=lambda _panel, error: format_html(
            "<p>{}</p><pre>{}</pre>", _("This panel cannot be shown."), describe_error(error)
        )
    )
    def _content(self) -> SafeString:
        return panel_content(self)

    def process_request(self, request: HttpRequest) -> Answer:
        return session_of(self.toolbar).run(request, super().process_request)

    def generate_stats(self, request: HttpRequest, response: Any) -> None:
        self._generate_stats(response)

    @guarded(otherwise=None)
    def _generate_stats(self, response: Any) -> None:
        session = session_of(self.toolbar)
        session.finish(response)
        stats: dict[str, Any] = {
            "capture": session.capture_id,
            "summary": None,
            "problems": [],
            "elsewhere": session.elsewhere,
            "streaming": session.streaming,
        }
        if session.capture is not None:
            stats |= self.stats_of(session.capture)
        stats["problems"] += [*session.reasons(self), *self.failures]
        self.record_stats(stats)  # type: ignore[no-untyped-call]

    def stored(self) -> dict[str, Any]:
        """What the toolbar's store has: ``capture``, ``summary``, ``problems``, ``elsewhere`` and
        ``streaming``; empty where this panel was off.
        """
        return self.get_stats()  # type: ignore[no-untyped-call, no-any-return]

    @classmethod
    def stats_of(cls, capture: Capture) -> dict[str, Any]:
        """What the toolbar's store keeps of a capture."""
        try:
            has_data = cls.shows in capture.instruments
            return {"summary": cls.summary(capture) if has_data else None, "problems": []}
        except Exception as error:
            logger.exception("%s cannot sum up capture %s", cls.__name__, capture.id)
            return {"summary": None, "problems": [describe_error(error)]}


# Whoever looks for the line of the project that did something stops here.
callsite.boundary(HotpathPanel.process_request.__code__)
