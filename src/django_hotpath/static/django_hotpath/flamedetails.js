// What is known of a frame: the panel of the chosen one, the tooltip, and what is said aloud.

let kit;

const KIND = {
  sql: "SQL statement", cache: "Cache operation", template: "Template", http: "Request to another service",
  middleware: "Middleware", fold: "Folded frames",
};

// The figures of a node as pairs of text.
export function flameFigures(graph, node) {
  const { tree } = graph.picture;
  const { ms, count, percent, share } = kit;
  const caller = graph.picture.side?.[node] < 0;
  const rows = [];
  if (graph.diff) {
    rows.push(["Total", `${ms(tree.total0[node])} → ${ms(tree.total[node])}`]);
    rows.push(["Own", `${ms(tree.own0[node])} → ${ms(tree.own[node])}`]);
    rows.push(["Change of own", signed(tree.own[node] - tree.own0[node])]);
    rows.push(["Change of total", signed(tree.total[node] - tree.total0[node])]);
    return rows;
  }
  const parent = tree.parent[node];
  rows.push([caller ? "Time in it from here" : "Total", ms(tree.total[node])]);
  if (!caller) rows.push(["Own", ms(tree.own[node])]);
  rows.push(["Share", percent(share(tree.total[node], graph.total))]);
  if (parent > 0 && !caller) rows.push(["Of its caller", percent(share(tree.total[node], tree.total[parent]))]);
  if (graph.state.view !== "time" && tree.calls[node]) rows.push([graph.source.key === "samples" ? "Samples" : "Calls", count(tree.calls[node])]);
  if (graph.state.view === "time" && graph.picture.tree.start) rows.push(["Starts at", ms(tree.start[node])]);
  if (tree.wait[node] > 0.0005) rows.push(["Suspended", ms(tree.wait[node])]);
  if (tree.rest[node] > 0.0005) rows.push(["In calls left out", ms(tree.rest[node])]);
  return rows;
}

const signed = (value) => `${value > 0 ? "+" : ""}${kit.ms(value)}`;

function whereabouts(graph, node) {
  const { F, tree } = graph.picture;
  const frame = tree.frame[node];
  if (frame < 0 || F.folds.has(frame)) return ["", 0];
  return [F.files[F.file[frame]] ?? "", F.line[frame]];
}

function layerOf(graph, node) {
  return graph.F.layers[graph.picture.layers[node]];
}

export function flameSentence(graph, node) {
  if (node < 0) return "";
  const figures = flameFigures(graph, node).map(([label, text]) => `${label.toLowerCase()} ${text}`);
  const [file, line] = whereabouts(graph, node);
  const fold = graph.isFold(node) ? ", folded, Enter opens it" : "";
  return `${kit.flamePainter.shown(graph.nameOf(node))}${fold}, ${figures.join(", ")}${file ? `, ${kit.shortPath(file)} line ${line}` : ""}`;
}

function tooltip(graph, tip) {
  const { el } = kit;
  graph.on("hover", () => {
    const node = graph.hover;
    tip.hidden = node < 0 || !graph.pointer;
    if (tip.hidden) return;
    if (tip.node !== node || tip.picture !== graph.picture) {
      tip.node = node;
      tip.picture = graph.picture;
      const [file, line] = whereabouts(graph, node);
      const layer = layerOf(graph, node);
      tip.replaceChildren(
        el("strong", {}, cut(graph.nameOf(node), 300)),
        el("dl", {}, ...flameFigures(graph, node).map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text)))),
        el("p", {}, layer ? el("span", { class: `dot tone-${layer.tone}` }) : null, layer ? layer.label : "", file ? ` · ${kit.shortPath(file)}:${line}` : ""),
        ...(graph.isFold(node) ? [el("p", {}, "Click to open what is folded here.")] : []),
      );
    }
    const [x, y] = graph.pointer;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(Math.min(x + 14, innerWidth - box.width - 8), 4)}px`;
    tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(y - box.height - 12, 4) : y + 18}px`;
  });
}

const cut = (text, length) => (text.length > length ? `${text.slice(0, length)}…` : text);

function action(label, run, title) {
  const button = kit.el("button", { type: "button", title }, label);
  button.addEventListener("click", run);
  return button;
}

function actions(graph, node) {
  const { F, tree } = graph.picture;
  const frame = tree.frame[node];
  const kind = kit.flameModel.kindOf(F, frame);
  const found = [];
  if (kind === "fold") found.push(action("Open these frames", () => graph.unfold(node)));
  else if (node > 0) {
    found.push(action("Zoom in", () => graph.zoomTo(node)));
    if (graph.state.view !== "sandwich" || frame !== graph.state.focus) found.push(action("Callers and callees", () => graph.sandwich(frame)));
  }
  if (graph.runOf(node) >= 0) found.push(action("Fold again", () => graph.foldAgain(node)));
  if (kind === "sql" && document.getElementById("queries")) found.push(action("Show in Queries", () => queries(F.name[frame])));
  return found;
}

// The Queries tab, filtered by the statement.
function queries(text) {
  const field = document.querySelector('[data-tools="queries"] [data-filter="q"], #queries-filter');
  (kit.chooseTab ?? kit.openTab)?.("queries", { focus: true });
  if (!field) return;
  // What the frame was cut at is no part of the statement; the filter takes words.
  field.value = text.replace(/…$/, "").slice(0, 120).replace(/\S*$/, (last) => (text.length > 120 ? "" : last)).trim();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// Those that call the function most, anywhere, as buttons that choose them.
function callers(graph, frame) {
  const tree = graph.shaped();
  const by = new Map();
  for (const node of kit.flameViews.outermost(tree, frame)) {
    const caller = tree.frame[tree.parent[node]];
    if (caller >= 0) by.set(caller, (by.get(caller) ?? 0) + tree.total[node]);
  }
  return [...by].sort((a, b) => b[1] - a[1]);
}

function panel(graph, place) {
  const { el } = kit;
  const hint = () => el("p", { class: "quiet" }, "Choose a frame to see its figures, its callers and its source. Double-click or Enter zooms in.");
  place.replaceChildren(hint());
  graph.on("select", () => {
    const node = graph.selected;
    place.classList.toggle("chosen", node >= 0);
    if (node < 0) return place.replaceChildren(hint());
    const { F, tree } = graph.picture;
    const frame = tree.frame[node];
    const [file, line] = whereabouts(graph, node);
    const layer = layerOf(graph, node);
    const kind = kit.flameModel.kindOf(F, frame);
    const name = graph.nameOf(node);
    const shut = action("Close", () => {
      graph.select(-1);
      graph.canvas.focus();
    });
    const facts = flameFigures(graph, node);
    place.replaceChildren(
      el(
        "div",
        { class: "flame-chosen" },
        el("h3", {}, layer ? el("span", { class: `dot tone-${layer.tone}`, title: layer.label }) : null, KIND[kind] ? el("span", { class: "mark" }, KIND[kind]) : null, el("code", {}, cut(name, 2000))),
        el("div", { class: "buttons" }, ...actions(graph, node), shut),
      ),
      el(
        "dl",
        { class: "facts" },
        ...facts.map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text))),
        layer ? el("div", {}, el("dt", {}, "Layer"), el("dd", {}, layer.label)) : null,
        file ? el("div", {}, el("dt", {}, "Defined in"), el("dd", {}, kit.site ? kit.site(file, line) : el("code", {}, `${kit.shortPath(file)}:${line}`))) : null,
      ),
      F.folds.has(frame) ? inside(F, frame) : null ?? "",
      frame >= 0 && !F.folds.has(frame) ? calledBy(graph, frame) : "",
    );
    if (file) place.append(kit.flameSource(graph, F.row[frame]));
  });
}

function inside(F, frame) {
  const { el } = kit;
  const frames = F.folds.get(frame);
  return el(
    "details",
    { class: "flame-inside" },
    el("summary", {}, `What is folded here, from the outside in`),
    el("ol", {}, ...frames.map((f) => el("li", {}, el("code", {}, cut(F.name[f], 300)), el("span", { class: "quiet" }, F.files[F.file[f]] ? ` ${kit.shortPath(F.files[F.file[f]])}:${F.line[f]}` : "")))),
  );
}

function calledBy(graph, frame) {
  const { el, ms } = kit;
  const found = callers(graph, frame);
  if (!found.length) return "";
  const shown = found.slice(0, 4).map(([caller, time]) => {
    const button = el("button", { type: "button", class: "link", title: "Show its callers and callees" }, cut(graph.F.name[caller], 80));
    button.addEventListener("click", () => graph.sandwich(caller));
    return el("li", {}, button, ` ${ms(time)}`);
  });
  const more = found.length > 4 ? el("li", { class: "quiet" }, `and ${found.length - 4} more`) : null;
  return el("div", { class: "flame-callers" }, el("span", { class: "quiet" }, "Called by"), el("ul", {}, ...shown, more));
}

export function flameDetails(graph, { details, tip, live }) {
  panel(graph, details);
  tooltip(graph, tip);
  graph.on("select", () => {
    live.textContent = flameSentence(graph, graph.selected);
  });
}

export function start(offered) {
  kit = offered;
}
