"""The flame graph's functions on random trees, in the browser: sums are those of the raw tree."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.servers import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser]

STATIC = ROOT / "src" / "django_hotpath" / "static" / "django_hotpath"
KINDS = ("project", "django", "library", "sql", "template", "middleware")
LAYERS = ("project", "django", "package:a", "database", "template", "middleware")
MODULES = ("flamemodel", "flamefold", "flameviews", "flamepaint")
SEEDS = range(6)

# Plain functions of the tests: sums of a tree, and its nodes as a list.
HELPERS = """
globalThis.sum = (values) => values.reduce((a, b) => a + b, 0);
globalThis.kit = {};
globalThis.load = async (texts) => {
  for (const text of texts) {
    const { start, ...offered } = await import(`data:text/javascript;base64,${text}`);
    Object.assign(kit, offered);
    start?.(kit);
  }
};
globalThis.sound = (tree) => {
  const inside = Float64Array.from(tree.own, (own, i) => own + tree.rest[i]);
  for (let i = 1; i < tree.n; i++) {
    if (!(tree.parent[i] >= 0 && tree.parent[i] < i)) return `parent of ${i}`;
    if (!(tree.end[i] > i && tree.end[i] <= tree.end[tree.parent[i]])) return `end of ${i}`;
    if (tree.x[i] < tree.x[tree.parent[i]] - 1e-6) return `left of ${i}`;
    const p = tree.parent[i];
    if (tree.x[i] + tree.weight[i] > tree.x[p] + tree.weight[p] + 1e-6) return `right of ${i}`;
    inside[tree.parent[i]] += tree.total[i];
  }
  for (let i = 0; i < tree.n; i++)
    if (Math.abs(inside[i] - tree.total[i]) > 1e-6) return `total of ${i}`;
  return "";
};
"""

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(browser: Browser) -> Iterator[Run]:
    """``run(data, body)``: gives what the body of a function of ``data``, ``F``, ``tree`` and the
    modules ``M``, ``V``, ``fold`` gives."""
    page = browser.new_page()
    texts = [base64.b64encode((STATIC / f"{name}.js").read_bytes()).decode() for name in MODULES]
    page.evaluate(f"() => {{ {HELPERS} }}")
    page.evaluate("(texts) => load(texts)", texts)

    def run(data: dict[str, Any], body: str, **values: Any) -> Any:
        return page.evaluate(
            f"""([text, values]) => {{
              const data = JSON.parse(text);
              const {{ flameModel: M, flameViews: V, flameFold, flamePainter: P }} = kit;
              const F = M.frames(data);
              const tree = M.read(data.nodes, data.waits ?? []);
              {body}
            }}""",
            [json.dumps(data), values],
        )

    yield run
    page.close()


def data(seed: int, size: int = 400, *, diff: bool = False, depth: int = 6) -> dict[str, Any]:
    """A random tree in the shape of the page's data; frames are of all kinds."""
    dice = random.Random(seed)
    parent = [-1] + [dice.randrange(max(0, node - depth), node) for node in range(1, size)]
    frames = 24
    nodes: dict[str, Any] = {
        "parent": parent,
        "frame": [-1] + [dice.randrange(frames) for _ in range(size - 1)],
        "calls": [dice.randrange(1, 9) for _ in range(size)],
    }
    for suffix in ("", "0") if diff else ("",):
        own = [round(dice.random() ** 6 * 5, 3) for _ in range(size)]
        total = [time + (dice.random() if dice.random() < 0.1 else 0) for time in own]
        for node in range(size - 1, 0, -1):
            total[parent[node]] += total[node]
        nodes[f"own{suffix}"], nodes[f"total{suffix}"] = own, total
    kinds = [frame % len(KINDS) for frame in range(frames)]
    return {
        "nodes": nodes,
        "frames": {
            "name": [
                f"f{frame}.inner" if frame % 4 == 0 else f"f{frame}" for frame in range(frames)
            ],
            "file": [frame % 3 for frame in range(frames)],
            "line": list(range(frames)),
            "layer": kinds,
            "kind": kinds,
            "row": list(range(frames)),
        },
        "files": ["a.py", "b.py", "c.py"],
        "kinds": list(KINDS),
        "layers": [{"key": key, "label": key, "tone": "django"} for key in LAYERS],
        "diff": diff,
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tree_is_read_with_its_sums(run: Run, seed: int) -> None:
    given = data(seed)
    found = run(given, "return [sound(tree), tree.total[0], sum(tree.own), tree.n]")
    assert found[0] == ""
    assert found[1] == pytest.approx(given["nodes"]["total"][0])
    assert found[2] == pytest.approx(sum(given["nodes"]["own"]))
    assert found[3] == 400


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "change",
    [
        "M.merge(tree)",
        "M.collapse(tree)",
        "M.collapse(tree, { mutual: true })",
        "M.hide(tree, (i) => tree.frame[i] % 3 === 0)",
        "M.hide(tree, () => true)",
        "flameFold.fold(M.merge(tree), F, new Set()).tree",
        "flameFold.fold(M.merge(tree), F, new Set(), { ends: true }).tree",
    ],
)
def test_whatever_is_done_to_a_tree_no_time_is_lost(run: Run, seed: int, change: str) -> None:
    body = f"const now = {change}; return [sound(now), sum(now.own), sum(now.rest), now.total[0]]"
    sound, own, rest, total = run(data(seed), body)
    raw = data(seed)["nodes"]
    assert sound == ""
    assert total == pytest.approx(raw["total"][0])
    assert own == pytest.approx(sum(raw["own"]))
    assert own + rest == pytest.approx(total)


@pytest.mark.parametrize("seed", SEEDS)
def test_merged_siblings_are_of_different_frames(run: Run, seed: int) -> None:
    body = """
      const now = M.merge(tree);
      const seen = new Set();
      for (let i = 1; i < now.n; i++) seen.add(`${now.parent[i]} ${now.frame[i]}`);
      return [seen.size, now.n - 1, sum(now.calls), sum(tree.calls)];
    """
    seen, nodes, calls, raw = run(data(seed), body)
    assert seen == nodes
    assert calls == raw


@pytest.mark.parametrize("seed", SEEDS)
def test_own_time_of_a_frame_is_the_same_after_merging(run: Run, seed: int) -> None:
    body = """
      const by = (t) => {
        const found = new Array(24).fill(0);
        for (let i = 1; i < t.n; i++) found[t.frame[i]] += t.own[i];
        return found;
      };
      return [by(M.merge(tree)), by(M.collapse(tree, { mutual: true })), by(tree)];
    """
    merged, collapsed, raw = run(data(seed), body)
    assert merged == pytest.approx(raw)
    assert collapsed == pytest.approx(raw)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_frame_is_inside_of_itself_once_recursion_is_collapsed(run: Run, seed: int) -> None:
    body = """
      const now = M.collapse(tree, { mutual: true });
      for (let i = 1; i < now.n; i++)
        for (let a = now.parent[i]; a > 0; a = now.parent[a])
          if (now.frame[a] === now.frame[i]) return i;
      return 0;
    """
    assert run(data(seed), body) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_direct_recursion_alone_leaves_what_goes_by_way_of_others(run: Run, seed: int) -> None:
    body = """
      const now = M.collapse(tree);
      for (let i = 1; i < now.n; i++) if (now.frame[now.parent[i]] === now.frame[i]) return i;
      return 0;
    """
    assert run(data(seed), body) == 0


def chain(*nodes: tuple[str, str, float], extra: float = 0.0) -> dict[str, Any]:
    """A chain of frames ``(name, kind, own ms)``, below its last one nothing; with ``extra`` the
    second frame also calls another one that took so long."""
    given = data(0, 2)
    names = [name for name, *_ in nodes]
    kinds = [KINDS.index(kind) for _, kind, _ in nodes]
    own = [0.0, *(time for *_, time in nodes)]
    parent = [-1, *range(len(nodes))]
    frame = [-1, *range(len(nodes))]
    if extra:
        names.append("beside")
        kinds.append(0)
        own.append(extra)
        parent.append(2)
        frame.append(len(nodes))
    total = list(own)
    for node in range(len(own) - 1, 0, -1):
        total[parent[node]] += total[node]
    given["nodes"] = {
        "parent": parent,
        "frame": frame,
        "own": own,
        "total": total,
        "calls": [1] * len(own),
    }
    given["frames"] = {
        "name": names,
        "file": [0] * len(names),
        "line": [1] * len(names),
        "layer": kinds,
        "kind": kinds,
        "row": list(range(len(names))),
    }
    return given


NAMES = "return [...f.tree.frame].map((x) => x < 0 ? 'root' : f.F.name[x])"
FOLD = f"const f = flameFold.fold(tree, F, new Set(values.open ?? [])); {NAMES};"


def test_frames_that_only_pass_through_become_one(run: Run) -> None:
    given = chain(*[(f"w{n}", "django", 0.01) for n in range(4)], ("view", "project", 9.0))
    assert run(given, FOLD) == ["root", "4 frames of django", "view"]


def test_two_frames_are_not_worth_folding(run: Run) -> None:
    given = chain(("a", "django", 0.01), ("b", "django", 0.01), ("view", "project", 9.0))
    assert run(given, FOLD) == ["root", "a", "b", "view"]


def test_middleware_is_called_by_its_name(run: Run) -> None:
    given = chain(
        ("inner", "django", 0.01),
        ("shop.middleware.SlowMiddleware", "middleware", 0.01),
        ("inner", "django", 0.01),
        ("view", "project", 9.0),
    )
    assert run(given, FOLD) == ["root", "SlowMiddleware", "view"]


def test_several_middlewares_are_counted(run: Run) -> None:
    given = chain(*[(f"m.M{n}", "middleware", 0.01) for n in range(7)], ("view", "project", 9.0))
    assert run(given, FOLD) == ["root", "7 middlewares", "view"]


def test_a_frame_with_time_of_its_own_is_not_folded(run: Run) -> None:
    given = chain(
        *[(f"w{n}", "django", 0.01) for n in range(3)],
        ("busy", "django", 5.0),
        *[(f"x{n}", "django", 0.01) for n in range(3)],
        ("view", "project", 9.0),
    )
    assert run(given, FOLD) == ["root", "3 frames of django", "busy", "3 frames of django", "view"]


def test_code_of_the_project_is_never_folded(run: Run) -> None:
    given = chain(*[(f"p{n}", "project", 0.0) for n in range(5)], ("view", "project", 9.0))
    assert run(given, FOLD)[1:6] == ["p0", "p1", "p2", "p3", "p4"]


def test_statements_and_templates_are_never_folded(run: Run) -> None:
    given = chain(*[("SELECT 1", "sql", 0.0), ("t", "template", 0.0)] * 3, ("x", "django", 9.0))
    assert "SELECT 1" in run(given, FOLD)


def test_what_a_folded_frame_calls_beside_stays_below_it(run: Run) -> None:
    given = chain(
        *[("inner", "django", 0.01) for _ in range(3)], ("view", "project", 9.0), extra=2.0
    )
    assert run(given, FOLD) == ["root", "3 frames of django", "view", "beside"]


def test_own_time_of_folded_frames_stays_in_them(run: Run) -> None:
    given = chain(*[(f"w{n}", "django", 0.1) for n in range(4)], ("view", "project", 20.0))
    body = "const f = flameFold.fold(tree, F, new Set()); return [f.tree.own[1], f.tree.total[1]]"
    assert run(given, body) == pytest.approx([0.4, 20.4])


def test_an_opened_run_has_its_frames_back(run: Run) -> None:
    given = chain(*[(f"w{n}", "django", 0.01) for n in range(3)], ("view", "project", 9.0))
    assert run(given, FOLD, open=[1]) == ["root", "w0", "w1", "w2", "view"]


@pytest.mark.parametrize("seed", SEEDS)
def test_callees_hold_the_time_of_the_outermost_calls(run: Run, seed: int) -> None:
    body = """
      const figures = V.functions(tree, F);
      return F.name.map((_, f) => {
        const [down, up] = [V.callees(tree, f), V.callers(tree, f)];
        return [figures.total[f], down.total[0], up.total[0], sound(down) + sound(up)];
      });
    """
    for total, down, up, sound in run(data(seed), body):
        assert down == pytest.approx(total)
        assert up == pytest.approx(total)
        assert sound == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_function_inside_of_itself_counts_once_in_its_total(run: Run, seed: int) -> None:
    given = data(seed)
    nodes = given["nodes"]
    expected = [0.0] * 24
    for node in range(1, 400):
        above, at = set(), nodes["parent"][node]
        while at > 0:
            above.add(nodes["frame"][at])
            at = nodes["parent"][at]
        if nodes["frame"][node] not in above:
            expected[nodes["frame"][node]] += nodes["total"][node]
    assert run(given, "return [...V.functions(tree, F).total]") == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sandwich_is_as_wide_above_as_below(run: Run, seed: int) -> None:
    body = """
      const p = V.sandwich(tree, F, 3);
      const rowWidth = (r) => sum([...p.byRow[r]].map((i) => p.w[i]));
      return [rowWidth(p.middle), p.middle ? rowWidth(p.middle - 1) : null, p.row[0], p.middle];
    """
    function, above, row, middle = run(data(seed), body)
    assert row == middle
    # What the root itself called has no caller.
    assert above is None or above <= function + 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_the_share_of_a_search_counts_a_match_inside_of_a_match_once(run: Run, seed: int) -> None:
    body = "const hits = V.search(F, 'a.py'); return V.matched(tree, hits)"
    given = data(seed)
    nodes = given["nodes"]
    hit = [frame >= 0 and frame % 3 == 0 for frame in nodes["frame"]]
    inside = [False] * 400
    time = 0.0
    for node in range(1, 400):
        parent = nodes["parent"][node]
        inside[node] = inside[parent] or hit[parent]
        if hit[node] and not inside[node]:
            time += nodes["total"][node]
    found = run(given, body)
    assert found["count"] == sum(hit)
    assert found["time"] == pytest.approx(time)


def test_all_words_of_a_search_must_be_there(run: Run) -> None:
    body = (
        "return [...V.search(F, values.query)].map((hit, f) => hit ? f : -1).filter((f) => f >= 0)"
    )
    assert run(data(1), body, query="F4 INNER") == [4]
    assert run(data(1), body, query="f4 c.py") == []
    assert run(data(1), "return V.search(F, '  ')") is None


def test_a_folded_frame_matches_what_is_inside(run: Run) -> None:
    given = chain(*[(f"w{n}", "django", 0.01) for n in range(4)], ("view", "project", 9.0))
    body = """
      const f = flameFold.fold(tree, F, new Set());
      return [...V.search(f.F, 'w2')].map((hit, x) => hit ? f.F.name[x] : '').filter(Boolean);
    """
    assert run(given, body) == ["w2", "4 frames of django"]


def test_what_runs_below_a_statement_is_the_database(run: Run) -> None:
    given = chain(("v", "project", 1.0), ("SELECT", "sql", 1.0), ("execute", "django", 1.0))
    body = "return [...M.layers(tree, F)].map((l) => data.layers[l]?.key ?? '')"
    assert run(given, body) == ["", "project", "database", "database"]


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_comparison_what_vanished_has_a_width(run: Run, seed: int) -> None:
    given = data(seed, diff=True)
    body = """
      const now = M.merge(tree);
      const inside = Float64Array.from(now.own, (own, i) => Math.max(own, now.own0[i]));
      for (let i = now.n - 1; i > 0; i--) inside[now.parent[i]] += now.weight[i];
      let off = 0;
      for (let i = 0; i < now.n; i++) off = Math.max(off, inside[i] - now.weight[i]);
      return [off, now.total[0], now.total0[0], sum(now.own0)];
    """
    off, total, total0, own0 = run(given, body)
    assert off < 1e-6
    assert total == pytest.approx(given["nodes"]["total"][0])
    assert total0 == pytest.approx(given["nodes"]["total0"][0])
    assert own0 == pytest.approx(sum(given["nodes"]["own0"]))


def test_bars_in_time_order_nest_and_lanes_stand_below_each_other(run: Run) -> None:
    given = data(1, 3)
    given["spans"] = {
        "start": [0, 1, 4, 1],
        "end": [10, 3, 9, 6],
        "frame": [0, 1, 2, 3],
        "lane": [0, 0, 0, 1],
        "least": 0.05,
        "omitted": 0,
    }
    body = """
      const t = V.timeTree(data.spans);
      const p = V.picture(t, F, { lanes: true });
      return [...Array(t.n).keys()].map((i) => [t.frame[i], p.x[i], p.w[i], p.row[i], t.own[i]]);
    """
    assert run(given, body) == [
        [-1, 0, 10, 0, 0],
        [0, 0, 10, 1, 3],
        [1, 1, 2, 2, 2],
        [2, 4, 5, 2, 5],
        [3, 1, 5, 4, 5],
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_folding_in_time_order_moves_no_bar(run: Run, seed: int) -> None:
    dice = random.Random(seed)
    given = data(seed, 3)
    spans: dict[str, list[Any]] = {name: [] for name in ("start", "end", "frame", "lane")}

    def bar(start: float, end: float, depth: int) -> None:
        for name, value in (("start", start), ("end", end), ("frame", dice.randrange(24))):
            spans[name].append(value)
        spans["lane"].append(0)
        at = start
        while depth and at < end - 0.1:
            stop = min(end, at + (end - at) * dice.choice((0.3, 0.99, 1.0)))
            bar(at, stop, depth - 1)
            at = stop + (end - at) * 0.05

    bar(0.0, 100.0, 7)
    given["spans"] = {**spans, "least": 0, "omitted": 0}
    body = """
      const t = V.timeTree(data.spans);
      const f = flameFold.fold(t, F, new Set());
      for (let i = 0; i < f.tree.n; i++) {
        const o = f.origin[i];
        if (f.tree.start[i] !== t.start[o] || f.tree.stop[i] !== t.stop[o]) return `moved ${i}`;
      }
      return Math.abs(sum(f.tree.own) - sum(t.own)) < 1e-6 ? '' : 'time lost';
    """
    assert run(given, body) == ""
