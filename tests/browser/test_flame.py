"""The flame graph of a report: its views, keys, search, folding, zoom, source, and as a table."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from django_hotpath.report.bundles import SCRIPTS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.server]

VIEW = "orders_slow"


class Flame:
    """The flame graph of a page, as somebody sees it, and what its canvas shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("#flame .flame")
        self.canvas = self.root.locator(".flame-canvas")
        self.details = self.root.get_by_label("The chosen frame")

    def ask(self, body: str, value: Any = None) -> Any:
        """What an expression of ``graph`` gives."""
        script = "([value]) => { const graph = document.querySelector('.flame').flame; %s }"
        return self.page.evaluate(script % body, [value])

    def names(self) -> list[str]:
        body = "return Array.from({ length: graph.picture.n }, (_, i) => graph.nameOf(i))"
        found: list[str] = self.ask(body)
        return found

    def selected(self) -> str:
        return str(self.ask("return graph.selected < 0 ? '' : graph.nameOf(graph.selected)"))

    def place(self, name: str) -> dict[str, float]:
        """The middle of a bar on the canvas."""
        body = """
          const node = Array.from({ length: graph.picture.n }, (_, i) => i)
            .find((i) => graph.nameOf(i) === value);
          const { ROW, RULER } = { ROW: 20, RULER: 20 };
          const [left, right] = graph.spanOf(node);
          const at = (Math.max(left, graph.from) + Math.min(right, graph.to)) / 2;
          return {
            x: ((at - graph.from) / (graph.to - graph.from)) * graph.width,
            y: RULER + graph.picture.row[node] * ROW + ROW / 2 - graph.scroll.scrollTop,
          };
        """
        found: dict[str, float] = self.ask(body, name)
        return found

    def click(self, name: str, **options: Any) -> None:
        self.canvas.click(position=self.place(name), **options)  # type: ignore[arg-type]

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def range(self) -> list[float]:
        found: list[float] = self.ask("return [graph.from, graph.to]")
        return found


@pytest.fixture
def flame(page: Page) -> Flame:
    page.goto("/orders/slow/?profile=1#flame")
    found = Flame(page)
    found.canvas.wait_for()
    found.canvas.scroll_into_view_if_needed()
    return found


def folded(flame: Flame) -> str:
    """The name of the frame that holds the way to the view."""
    return next(name for name in flame.names()[1:] if re.match(r"\d+ (frames|middleware)", name))


def test_the_first_picture_is_merged_with_the_plumbing_folded(flame: Flame) -> None:
    names = flame.names()
    assert names[0] == "GET /orders/slow/"
    assert re.match(r"\d+ (frames|middleware)", names[1])
    assert VIEW in names
    assert flame.ask("return graph.bars") > 20


def test_a_click_opens_what_is_folded_and_a_button_closes_it(flame: Flame) -> None:
    whole = flame.names()
    flame.click(folded(flame))
    assert any(name.endswith("inner") for name in flame.names())
    flame.details.get_by_role("button", name="Fold again").click()
    assert flame.names() == whole


def test_a_button_opens_everything_that_is_folded(flame: Flame) -> None:
    flame.button("Open all folded frames").click()
    assert not any(re.match(r"\d+ (frames|middleware)", name) for name in flame.names())
    flame.button("Fold plumbing").click()
    folded(flame)


def test_a_click_chooses_a_frame_and_shows_its_figures(flame: Flame) -> None:
    flame.click(VIEW)
    assert flame.selected() == VIEW
    words = flame.details.inner_text()
    for label in ("Total", "Own", "Share", "Of its caller", "Calls", "Your code"):
        assert label in words
    assert "examples/families/orm.py" in words


def test_the_source_of_a_frame_is_shown_on_demand(flame: Flame) -> None:
    flame.click(VIEW)
    flame.details.get_by_text("Source lines").click()
    flame.details.get_by_text(f"def {VIEW}(").wait_for()


def test_a_double_click_zooms_and_escape_zooms_out(flame: Flame) -> None:
    whole = flame.range()
    flame.click(VIEW, click_count=2)
    zoomed = flame.range()
    assert zoomed[1] - zoomed[0] < whole[1] - whole[0]
    crumbs = flame.root.get_by_role("navigation", name="Zoom")
    crumbs.get_by_text(VIEW).wait_for()
    # By way of the frames around it that are wider.
    for _ in range(3):
        flame.canvas.press("Escape")
    assert flame.range() == whole


def test_the_path_of_the_zoom_leads_back(flame: Flame) -> None:
    whole = flame.range()
    flame.click(VIEW, click_count=2)
    flame.button("Everything").click()
    assert flame.range() == whole
    flame.click(VIEW, click_count=2)
    flame.button("Reset zoom").click()
    assert flame.range() == whole


def test_arrow_keys_go_from_caller_to_call_and_beside(flame: Flame) -> None:
    flame.canvas.focus()
    flame.canvas.press("Home")
    assert flame.selected() == "GET /orders/slow/"
    for _ in range(8):
        flame.canvas.press("ArrowDown")
        if flame.selected() == VIEW:
            break
    assert flame.selected() == VIEW
    flame.canvas.press("ArrowDown")
    below = flame.selected()
    flame.canvas.press("ArrowRight")
    assert flame.selected() != below
    flame.canvas.press("ArrowLeft")
    assert flame.selected() == below
    flame.canvas.press("ArrowUp")
    assert flame.selected() == VIEW


def test_enter_opens_a_folded_frame_and_zooms_to_others(flame: Flame) -> None:
    flame.canvas.focus()
    flame.canvas.press("Home")
    flame.canvas.press("ArrowDown")
    flame.canvas.press("Enter")
    assert any(name.endswith("inner") for name in flame.names())
    flame.ask("graph.select(graph.picture.byRow.at(-1)[0])")
    whole = flame.range()
    flame.canvas.press("Enter")
    assert flame.range() != whole


def test_the_chosen_frame_is_said_aloud(flame: Flame) -> None:
    flame.click(VIEW)
    words = flame.root.locator("[aria-live=polite]").inner_text()
    assert words.startswith(f"{VIEW}, total ")
    assert "share" in words


def test_a_search_says_how_many_and_which_share(flame: Flame) -> None:
    field = flame.root.get_by_label("Search the flame graph")
    field.fill("execute_sql")
    status = flame.root.locator(".flame-found")
    assert re.fullmatch(r"\d+ match(es)?, [\d.]+\s% of the time", status.inner_text())
    field.fill("no such function")
    assert status.inner_text() == "no match"


def test_n_goes_from_match_to_match(flame: Flame) -> None:
    field = flame.root.get_by_label("Search the flame graph")
    field.fill("query")
    field.press("Enter")
    first = flame.ask("return graph.selected")
    flame.canvas.focus()
    flame.canvas.press("n")
    second = flame.ask("return graph.selected")
    assert second != first
    flame.canvas.press("N")
    assert flame.ask("return graph.selected") == first


def test_slash_goes_to_the_search_and_escape_back(flame: Flame) -> None:
    flame.canvas.focus()
    flame.canvas.press("/")
    field = flame.root.get_by_label("Search the flame graph")
    assert field.evaluate("node => node === document.activeElement")
    field.press("Escape")
    assert flame.canvas.evaluate("node => node === document.activeElement")


def test_time_order_shows_single_calls_and_says_what_it_leaves_out(flame: Flame) -> None:
    flame.button("Time order").click()
    assert "Calls shorter than" in flame.root.locator(".flame-note").inner_text()
    starts = flame.ask("return Array.from(graph.picture.byRow[2], (i) => graph.picture.x[i])")
    assert starts == sorted(starts)


def test_the_sandwich_shows_callers_above_and_callees_below(flame: Flame) -> None:
    flame.button("Sandwich").click()
    flame.root.get_by_label("Filter functions").fill("SQLCompiler.execute_sql")
    flame.root.get_by_role("button", name="SQLCompiler.execute_sql", exact=True).click()
    middle = flame.ask("return graph.picture.middle")
    rows = flame.ask("return graph.picture.byRow.map((ids) => graph.nameOf(ids[0]))")
    assert rows[middle] == "SQLCompiler.execute_sql"
    assert VIEW in rows[:middle]
    assert len(rows) > middle + 1


def test_the_key_s_shows_callers_and_callees_of_the_chosen_frame(flame: Flame) -> None:
    flame.click(VIEW)
    flame.canvas.press("s")
    assert flame.button("Sandwich").get_attribute("aria-pressed") == "true"
    assert flame.selected() == VIEW


def test_hidden_layers_leave_their_time_to_the_caller(flame: Flame) -> None:
    total = flame.ask("return graph.total")
    flame.root.get_by_text("Filter", exact=True).click()
    flame.root.get_by_label("Django ORM").uncheck()
    assert "SQLCompiler.execute_sql" not in flame.names()
    assert flame.ask("return graph.total") == pytest.approx(total)
    assert "counts for whoever called" in flame.root.locator(".flame-note").inner_text()


def test_only_your_code_is_left_when_asked_for(flame: Flame) -> None:
    total = flame.ask("return graph.total")
    flame.root.get_by_text("Filter", exact=True).click()
    flame.root.get_by_label("Only your code").check()
    kinds = flame.ask(
        "const { flameModel: M } = graph; return [...graph.picture.tree.frame].slice(1)"
        ".map((f) => graph.F.kinds[graph.F.kind[f]])"
    )
    assert set(kinds) <= {"project", "sql", "cache", "template", "http"}
    assert flame.ask("return graph.total") == pytest.approx(total)


def test_recursion_can_be_collapsed(flame: Flame) -> None:
    flame.root.get_by_text("Filter", exact=True).click()
    flame.root.get_by_label("Recursion").select_option("mutual")
    nested = """
      const { tree } = graph.picture;
      for (let i = 1; i < tree.n; i++)
        for (let a = tree.parent[i]; a > 0; a = tree.parent[a])
          if (tree.frame[a] === tree.frame[i]) return graph.nameOf(i);
      return "";
    """
    assert flame.ask(nested) == ""


def test_the_pointer_shows_a_tooltip(flame: Flame) -> None:
    flame.canvas.hover(position=flame.place(VIEW))  # type: ignore[arg-type]
    tip = flame.root.locator(".flame-tip")
    tip.wait_for()
    for word in (VIEW, "Total", "Own", "Share", "Calls", "orm.py"):
        assert word in tip.inner_text()
    assert "null" not in tip.inner_text()


def test_control_and_wheel_zoom_at_the_pointer_and_a_drag_pans(flame: Flame) -> None:
    whole = flame.range()
    flame.canvas.hover(position={"x": 300, "y": 60})
    flame.page.keyboard.down("Control")
    flame.page.mouse.wheel(0, -600)
    flame.page.keyboard.up("Control")
    flame.page.wait_for_function(
        "([least]) => document.querySelector('.flame').flame.from > least", arg=[whole[0]]
    )
    before = flame.range()
    box = flame.canvas.bounding_box()
    assert box
    flame.page.mouse.move(box["x"] + 400, box["y"] + 60)
    flame.page.mouse.down()
    flame.page.mouse.move(box["x"] + 340, box["y"] + 60, steps=4)
    flame.page.mouse.up()
    after = flame.range()
    assert after[0] > before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])


def test_a_drag_on_the_overview_chooses_a_range(flame: Flame) -> None:
    whole = flame.range()
    box = flame.root.locator(".flame-map").bounding_box()
    assert box
    flame.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    flame.page.mouse.down()
    flame.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=4)
    flame.page.mouse.up()
    start, stop = flame.range()
    assert start == pytest.approx(whole[1] / 4, rel=0.02)
    assert stop == pytest.approx(whole[1] / 2, rel=0.02)


def test_the_chosen_layer_of_the_page_dims_the_others(flame: Flame) -> None:
    assert flame.ask("return graph.dims()") is None
    flame.page.locator('[data-choose-layer="orm"]').first.dispatch_event("click")
    off = flame.ask(
        "return graph.F.layers.filter((_, i) => !graph.dims()[i]).map(({ key }) => key)"
    )
    assert off == ["orm"]


def test_as_a_table_the_tree_is_walked_by_keys(flame: Flame) -> None:
    flame.button("Show as table").click()
    grid = flame.root.get_by_role("treegrid")
    rows = grid.locator("tbody tr")
    assert rows.first.get_attribute("aria-expanded") == "true"
    rows.first.focus()
    flame.page.keyboard.press("ArrowRight")
    flame.page.keyboard.press("ArrowDown")
    focused = flame.page.locator(".flame-grid tr:focus")
    assert focused.get_attribute("aria-level") in {"2", "3"}
    focused.press("ArrowLeft")
    flame.page.keyboard.press("Home")
    assert rows.first.evaluate("node => node === document.activeElement")
    flame.page.keyboard.press("ArrowLeft")
    assert rows.count() == 1
    assert rows.first.get_attribute("aria-expanded") == "false"


def test_the_canvas_says_what_it_is_to_those_who_do_not_see_it(flame: Flame) -> None:
    label = flame.canvas.get_attribute("aria-label") or ""
    assert label.startswith("Flame graph, ")
    assert "Most own time: " in label


def test_the_colours_follow_the_theme(flame: Flame) -> None:
    light = flame.ask("return graph.colours.surface")
    flame.page.get_by_label("Theme").select_option("dark")
    flame.page.wait_for_function(
        "([light]) => document.querySelector('.flame').flame.colours.surface !== light", arg=[light]
    )


def test_at_400_pixels_nothing_is_wider_than_the_page(flame: Flame) -> None:
    flame.page.set_viewport_size({"width": 400, "height": 900})
    flame.page.wait_for_function("document.querySelector('.flame').flame.width < 400")
    for view in ("Sandwich", "Left heavy"):
        flame.button(view).click()
        assert flame.page.evaluate("document.documentElement.scrollWidth") <= 400


MOUNT = """
async ([text, names]) => {
  const modules = await Promise.all(names.map((name) => import(`/__hotpath__/assets/${name}.js`)));
  const kit = Object.assign({}, ...modules.map(({ start, ...offered }) => offered));
  // Those of the page have their own copies, in its bundle.
  names.forEach((name, i) => /^(flame|editor|state)/.test(name) && modules[i].start?.(kit));
  const root = document.querySelector(".flame");
  const began = performance.now();
  kit.mountFlame(root, JSON.parse(text));
  return performance.now() - began;
}
"""


def large(size: int) -> dict[str, Any]:
    """A tree of many nodes, most of them narrower than a pixel."""
    parent = [-1] + [(node - 1) // 3 for node in range(1, size)]
    own = [0.01 + node % 7 / 100 for node in range(size)]
    total = list(own)
    for node in range(size - 1, 0, -1):
        total[parent[node]] += total[node]
    return {
        "unit": "ms",
        "total": total[0],
        "frames": {
            "name": [f"function_{frame}" for frame in range(500)],
            "file": [0] * 500,
            "line": [1] * 500,
            "layer": [0] * 500,
            "kind": [0] * 500,
            "row": [-1] * 500,
        },
        "files": ["a.py"],
        "kinds": ["project"],
        "layers": [{"key": "project", "label": "Your code", "tone": "project"}],
        "nodes": {
            "parent": parent,
            "frame": [-1] + [node % 500 for node in range(1, size)],
            "own": [round(time, 3) for time in own],
            "total": [round(time, 3) for time in total],
            "calls": [1] * size,
        },
        "spans": None,
        "omitted": {"nodes": 0, "ms": 0},
        "sources": [{"key": "calls", "label": "", "note": ""}],
    }


def test_of_many_nodes_it_draws_a_few_bars_a_pixel_and_leaves_no_row_empty(flame: Flame) -> None:
    flame.page.evaluate(MOUNT, [json.dumps(large(100_000)), SCRIPTS["report"]])
    bars, rows, width = flame.ask("return [graph.bars, graph.picture.rows, graph.width]")
    assert flame.ask("return graph.picture.n") == 100_000
    assert rows > 8
    assert bars <= rows * width * 1.1
    # The deepest rows have far more nodes than pixels, and yet are full of them.
    assert bars > width


def test_in_a_comparison_what_grew_and_what_vanished_is_told(flame: Flame) -> None:
    given = large(4)
    given["diff"] = True
    nodes = given["nodes"]
    nodes["own"], nodes["own0"] = [0, 5, 0, 2], [0, 1, 4, 2]
    nodes["total"], nodes["total0"] = [7, 5, 0, 2], [7, 1, 4, 2]
    flame.page.evaluate(MOUNT, [json.dumps(given), SCRIPTS["report"]])
    assert flame.ask("return [...graph.picture.w]") == [11, 5, 4, 2]
    assert flame.ask("return [...graph.fills]") == [0, 4, -4, 0]
    flame.ask("graph.select(1)")
    words = flame.details.inner_text()
    assert "1.00 ms → 5.00 ms" in words.replace("\u00a0", " ")
    assert "slower" in flame.root.inner_text()
