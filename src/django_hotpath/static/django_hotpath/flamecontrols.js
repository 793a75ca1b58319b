// What stands above a flame graph: views, search, what is hidden, the path of the zoom.

let kit;

const VIEWS = [
  ["heavy", "Left heavy", "All calls of a function from one place are one bar, the longest first"],
  ["time", "Time order", "Every call where it happened in time"],
  ["sandwich", "Sandwich", "One function: who calls it above, what it calls below"],
];

function button(label, run, attributes = {}) {
  const made = kit.el("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", run);
  return made;
}

function views(graph) {
  const possible = () => VIEWS.filter(([key]) => key !== "time" || graph.source.spans);
  const group = kit.el("div", { class: "segmented", role: "group", "aria-label": "View" });
  graph.on("change", () => {
    const shown = possible();
    if (group.children.length !== shown.length)
      group.replaceChildren(...shown.map(([key, label, title]) => button(label, () => graph.change({ view: key }, { keep: false }), { "data-view": key, title })));
    for (const one of group.children) one.setAttribute("aria-pressed", String(one.dataset.view === graph.state.view));
  });
  return group;
}

function sources(graph) {
  if (graph.sources.length < 2) return null;
  const { el } = kit;
  const select = el("select", {}, ...graph.sources.map(({ label }, i) => el("option", { value: i }, label)));
  select.addEventListener("change", () => {
    const source = +select.value;
    const view = graph.state.view === "time" && !graph.sources[source].spans ? "heavy" : graph.state.view;
    graph.change({ source, view, focus: -1 }, { keep: false });
  });
  return el("label", {}, "From ", select);
}

function search(graph) {
  const { el, percent } = kit;
  const field = el("input", { type: "search", placeholder: "function, file, SQL", autocomplete: "off", spellcheck: "false", "aria-label": "Search the flame graph" });
  const found = el("span", { class: "flame-found", role: "status" });
  const previous = button("↑", () => graph.jump(-1), { "aria-label": "Previous match", title: "Previous match (N)" });
  const next = button("↓", () => graph.jump(1), { "aria-label": "Next match", title: "Next match (n)" });
  previous.hidden = next.hidden = true;
  const tell = () => {
    previous.hidden = next.hidden = !graph.found?.count;
    if (!graph.found) found.textContent = "";
    else if (!graph.found.count) found.textContent = "no match";
    else found.textContent = `${kit.count(graph.found.count)} ${graph.found.count === 1 ? "match" : "matches"}, ${percent(graph.found.share)} of the time`;
  };
  field.addEventListener("input", () => graph.setQuery(field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") graph.jump(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") {
      field.value = "";
      graph.setQuery("");
      graph.canvas.focus();
    } else return;
    event.preventDefault();
  });
  graph.on("search", tell);
  graph.on("change", tell);
  graph.searchField = field;
  return el("span", { class: "flame-search" }, field, previous, next, found);
}

function folding(graph) {
  const made = button("", () => graph.change({ fold: !graph.state.fold }, { keep: false }));
  graph.on("change", () => {
    made.textContent = graph.state.fold ? "Open all folded frames" : "Fold plumbing";
    made.title = "Frames of packages that only pass a call on stand as one frame; its own time stays in it";
  });
  return made;
}

// What to leave out; the time of what is hidden goes to whoever called it.
function filters(graph) {
  const { el } = kit;
  const only = el("input", { type: "checkbox" });
  only.addEventListener("change", () => graph.change({ only: only.checked }, { keep: false }));
  const recursion = el(
    "select",
    {},
    el("option", { value: "" }, "as it is"),
    el("option", { value: "direct" }, "direct calls collapsed"),
    el("option", { value: "mutual" }, "collapsed, by way of others too"),
  );
  recursion.addEventListener("change", () => graph.change({ recursion: recursion.value }, { keep: false }));
  const boxes = graph.F.layers.map(({ label, tone, key }, i) => {
    const box = el("input", { type: "checkbox", checked: true, "data-layer-box": key });
    box.addEventListener("change", () => {
      const hidden = new Set(graph.state.hidden);
      if (box.checked) hidden.delete(i);
      else hidden.add(i);
      graph.change({ hidden }, { keep: false });
    });
    return el("label", {}, box, el("span", { class: `dot tone-${tone}` }), label);
  });
  const summary = el("summary", {}, "Filter");
  const details = el(
    "details",
    { class: "flame-filters" },
    summary,
    el(
      "div",
      { class: "flame-menu" },
      el("label", {}, only, "Only your code, and what it asked of others"),
      el("label", { class: "flame-recursion" }, "Recursion ", recursion),
      el("fieldset", {}, el("legend", {}, "Show"), ...boxes),
      el("p", { class: "quiet" }, "The time of hidden frames counts for whoever called them."),
    ),
  );
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    summary.focus();
    event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    // By the path: from within a shadow root the target is its host.
    if (details.open && !event.composedPath().includes(details)) details.open = false;
  });
  graph.on("change", () => {
    const { hidden, only: ours, recursion: how } = graph.state;
    const active = hidden.size + Number(ours) + Number(Boolean(how));
    summary.textContent = active ? `Filter (${active})` : "Filter";
  });
  return details;
}

function path(graph, place) {
  const { el } = kit;
  const show = () => {
    const { tree } = graph.picture;
    const nodes = [];
    for (let node = graph.zoomed; node > 0; node = tree.parent[node]) nodes.unshift(node);
    const [from, to] = graph.everything();
    const all = !nodes.length && Math.abs(graph.from - from) < 1e-9 && Math.abs(graph.to - to) < 1e-9;
    const kept = nodes.length > 5 ? nodes.slice(-4) : nodes;
    const crumb = (node, label, last) => {
      if (last) return el("li", { "aria-current": "location" }, label);
      return el("li", {}, button(label, () => graph.zoomTo(node), { class: "link" }));
    };
    const short = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
    place.replaceChildren(
      el(
        "ol",
        {},
        crumb(0, "Everything", all),
        nodes.length > kept.length ? el("li", { class: "quiet" }, `${nodes.length - kept.length} more`) : null,
        ...kept.map((node, i) => crumb(node, short(graph.nameOf(node)), i === kept.length - 1)),
      ),
      ...(all ? [] : [button("Reset zoom", () => graph.zoomTo(0))]),
    );
  };
  graph.on("zoom", show);
  graph.on("change", show);
}

// In words: what the picture leaves out, and what it cannot know.
function notes(graph, place) {
  const { el, ms, count } = kit;
  graph.on("change", () => {
    const { source, state } = graph;
    const found = [];
    if (source.note) found.push(el("strong", {}, source.note));
    if (state.view === "time" && source.spans) {
      const { least, omitted } = source.spans;
      if (least) found.push(`Calls shorter than ${ms(least)} are part of their caller's bar${omitted ? `: ${count(omitted)} of them` : ""}.`);
      else if (omitted) found.push(`${count(omitted)} bars are left out.`);
    } else if (source.omitted?.nodes) {
      found.push(`${count(source.omitted.nodes)} of the smallest frames are left out, ${ms(source.omitted.ms)} in all; their time is in their callers' totals.`);
    }
    if (state.hidden.size || state.only) found.push("Hidden frames' time counts for whoever called them.");
    if (state.recursion) found.push("A function inside of itself is drawn as one: its time counts once, for the outermost call.");
    if (graph.diff) found.push("A bar is as wide as the longer of before and after, summed up from own times. Its colour is the change of own time.");
    place.replaceChildren(...found.flatMap((part) => [part, " "]));
  });
}

function legend(graph) {
  if (!graph.diff) return null;
  const { el } = kit;
  const step = (name) => el("span", { class: `flame-step ${name}` });
  return el("p", { class: "flame-legend" }, step("less2"), step("less1"), " faster ", step("same"), " the same ", step("more1"), step("more2"), " slower");
}

export function flameControls(graph, { tools, crumbs, note, grid }) {
  const table = button("Show as table", () => {
    const shown = table.getAttribute("aria-pressed") !== "true";
    table.setAttribute("aria-pressed", String(shown));
    graph.emit(shown ? "table" : "canvas");
  }, { "aria-pressed": "false", "aria-controls": grid.id });
  tools.append(...[views(graph), sources(graph), search(graph), filters(graph), folding(graph), table, legend(graph)].filter(Boolean));
  path(graph, crumbs);
  notes(graph, note);
}

export function start(offered) {
  kit = offered;
}
