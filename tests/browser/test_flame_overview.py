"""The small picture above a flame graph: it is drawn anew only when it looks different."""

from __future__ import annotations

import pytest

from tests.browser.test_flame import Flame, flame

__all__ = ["flame"]

pytestmark = [pytest.mark.browser, pytest.mark.server]

# How many bars were drawn for the overview; the zoom and the selection are drawn over it.
COUNTED = """
  graph.paint();
  const small = graph.kept.canvas.getContext("2d");
  const original = small.fillRect;
  graph.drawn = 0;
  small.fillRect = function (...box) {
    graph.drawn += 1;
    return original.apply(this, box);
  };
"""


def test_a_zoom_does_not_draw_the_overview_again(flame: Flame) -> None:
    flame.ask(COUNTED)
    flame.ask("graph.zoomTo(3); graph.paint()")
    flame.ask("graph.select(2); graph.paint()")
    assert flame.ask("return graph.drawn") == 0


def test_what_a_search_finds_shows_in_the_overview_when_the_typing_rests(flame: Flame) -> None:
    flame.ask(COUNTED)
    flame.ask("graph.setQuery('sql'); graph.paint()")
    assert flame.ask("return graph.drawn") == 0
    flame.ask(
        "return (async () => { while (!graph.drawn) await new Promise(requestAnimationFrame); })()"
    )
    assert flame.ask("return graph.kept.made.includes(graph.hits)")


def test_another_view_is_in_the_overview_at_once(flame: Flame) -> None:
    flame.ask(COUNTED)
    flame.ask("graph.change({ fold: false }, { keep: false })")
    assert flame.ask("return graph.drawn") > 0
