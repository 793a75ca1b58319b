"""Panels in the language of the toolbar, with German as the one that there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from django_hotpath.panels.findings import FindingsPanel
from django_hotpath.panels.samples import SamplesPanel
from tests.panels.toolbar import DEAR, Toolbar

TITLES = {
    "FindingsPanel": "Befunde",
    "CallsPanel": "Aufrufe",
    "SamplesPanel": "Stichproben",
    "LinesPanel": "Zeilen",
    "LineMemoryPanel": "Speicher je Zeile",
    "AllocationsPanel": "Belegter Speicher",
    "ObjectsPanel": "Objekte",
}

UseToolbar = Callable[..., Toolbar]


@pytest.mark.parametrize("panel", TITLES)
def test_titles_and_contents_are_in_the_language_of_the_toolbar(
    use_toolbar: UseToolbar, panel: str
) -> None:
    tool = use_toolbar(TOOLBAR_LANGUAGE="de")
    shown = tool.get("/sync/page/", *([panel] if panel in DEAR else []))
    for button in (shown.button(panel), shown.past_button(panel)):
        assert button.startswith(TITLES[panel])
    content = shown.render(panel)
    assert "Ganzer Bericht" in content
    assert "Full report" not in content


def test_without_a_language_of_its_own_the_toolbar_has_that_of_the_request(
    use_toolbar: UseToolbar,
) -> None:
    tool = use_toolbar()
    with translation.override("de"):
        assert tool.get("/sync/page/").button("FindingsPanel").startswith("Befunde")
    assert tool.get("/sync/page/").button("FindingsPanel").startswith("Findings")


def test_figures_in_the_side_bar_have_their_plural() -> None:
    def findings(**figures: Any) -> str:
        summary = {"count": 0, "queries": 1, "saves_ms": 0, "n_plus_one": 0, **figures}
        return str(FindingsPanel.subtitle(summary))

    with translation.override("de"):
        assert findings() == "keine bei 1 Abfrage"
        assert findings(queries=2) == "keine bei 2 Abfragen"
        assert findings(count=1) == "1 Befund"
        assert findings(count=2) == "2 Befunde"
        assert findings(count=3, saves_ms=180).startswith("3 Befunde, spart 180")
        assert findings(count=1, n_plus_one=1) == "⚠ N+1, 1 Befund"


def test_titles_wait_for_the_language_of_the_request() -> None:
    with translation.override("de"):
        assert (SamplesPanel.title, SamplesPanel.subtitle({"samples": 0})) == (
            "Stichproben",
            "keine Stichprobe",
        )
    with translation.override("en"):
        assert SamplesPanel.title == "Samples"


def test_the_report_is_in_english(use_toolbar: UseToolbar) -> None:
    tool = use_toolbar(TOOLBAR_LANGUAGE="de")
    with translation.override("de"):
        shown = tool.get("/sync/page/", data={"profile": "1"}, accept="text/html")
    assert "Findings" in shown.body
    assert "Befunde" not in shown.body


def test_a_language_without_a_catalogue_is_english(use_toolbar: UseToolbar) -> None:
    shown = use_toolbar(TOOLBAR_LANGUAGE="fr").get("/sync/page/")
    assert shown.button("FindingsPanel").startswith("Findings")
