// Puts flame graphs into the page: one into every <div data-flame="<id of its data>">.

let kit;
let made = 0;

// Draws `data` (see report/viewmodels/flame.py) into an element and gives the graph. `options`:
//   source    URL of the source lines of function 0, which ends in /0/; without it there are none
//   height    how high at most, in pixels
//   rootName  what the whole is called
export function mountFlame(root, data, options = {}) {
  const { el } = kit;
  const number = ++made;
  const graph = new kit.FlameGraph(data, options);
  const canvas = el("canvas", {
    class: "flame-canvas", tabindex: "0", role: "application",
    "aria-roledescription": "flame graph", "aria-label": label(graph), "aria-describedby": `flame-keys-${number}`,
  });
  const parts = {
    tools: el("div", { class: "tools flame-tools" }),
    note: el("p", { class: "flame-note quiet" }),
    crumbs: el("nav", { class: "flame-path", "aria-label": "Zoom" }),
    list: el("div", { class: "flame-list", hidden: true }),
    map: el("canvas", { class: "flame-map", "aria-hidden": "true", title: "Drag to zoom to a range" }),
    canvas,
    space: el("div", { class: "flame-space" }),
    details: el("aside", { class: "flame-details", "aria-label": "The chosen frame" }),
    grid: el("div", { class: "flame-table", id: `flame-table-${number}`, hidden: true }),
    live: el("p", { class: "hidden", "aria-live": "polite" }),
    tip: el("div", { class: "flame-tip", "aria-hidden": "true", hidden: true }),
    probe: el("span", { class: "flame-probe", hidden: true }),
  };
  parts.scroll = el("div", { class: "flame-scroll", tabindex: "-1" }, canvas, parts.space);
  const drawing = el("div", { class: "flame-drawing" }, parts.map, parts.scroll);
  const keys = el("p", { class: "hidden", id: `flame-keys-${number}` }, "Arrow keys move between frames, Enter zooms in or opens folded frames, Escape zooms out, slash searches. “Show as table” has the same as text.");
  const main = el("div", { class: "flame-main" }, parts.list, drawing, parts.grid);
  root.replaceChildren(parts.tools, parts.crumbs, parts.note, main, parts.details, parts.live, keys, parts.tip, parts.probe);

  kit.flameControls(graph, parts);
  kit.flameDetails(graph, parts);
  kit.flameList(graph, parts.list);
  const showTable = kit.flameTree(graph, parts.grid);
  for (const [event, shown] of [["table", true], ["canvas", false]])
    graph.on(event, () => {
      drawing.hidden = shown;
      showTable(shown);
      graph.resize();
    });
  graph.on("change", () => root.classList.toggle("with-list", graph.state.view === "sandwich"));
  graph.attach(parts);
  kit.flameControl(graph);
  graph.compute({ keep: false });
  root.flame = graph;
  return graph;
}

function label(graph) {
  const names = graph.F;
  const { own } = graph.functions();
  const worst = [...own.keys()].sort((a, b) => own[b] - own[a]).slice(0, 3).filter((f) => own[f] > 0);
  const text = worst.map((f) => `${names.name[f].slice(0, 60)} ${kit.ms(own[f])}`).join(", ");
  return `Flame graph, ${kit.ms(graph.total)} in all. Most own time: ${text}`;
}

export function start(offered) {
  kit = offered;
  for (const root of document.querySelectorAll("[data-flame]")) {
    const data = kit.data(root.dataset.flame);
    if (data) mountFlame(root, data, { source: root.dataset.source, rootName: root.dataset.root });
  }
  // Other sections ask for a row of the function table.
  document.addEventListener("hotpath:show-frame", ({ detail }) => {
    const graph = document.querySelector("#flame [data-flame]")?.flame;
    const frame = graph?.F.row.indexOf(detail) ?? -1;
    if (frame >= 0) graph.show(frame);
  });
}
