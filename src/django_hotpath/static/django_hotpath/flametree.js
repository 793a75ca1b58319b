// The flame graph as a table: a tree grid whose rows are made when they are opened.

let kit;

export function flameTree(graph, place) {
  const { el, decimal, percent, count } = kit;
  const columns = graph.diff
    ? ["Function", "Before, ms", "After, ms", "Change of own, ms"]
    : ["Function", "Total, ms", "Own, ms", "Share", "Calls"];
  const body = el("tbody");
  const table = el(
    "table",
    { role: "treegrid", class: "data flame-grid", "aria-label": "Calls, as a tree" },
    el("thead", {}, el("tr", {}, ...columns.map((text, i) => el("th", { scope: "col", role: "columnheader", class: i ? "n" : null }, text)))),
    body,
  );
  place.append(el("p", { class: "quiet" }, "→ opens a row, ← closes it, ↑ and ↓ move. Siblings stand in the order of their time."), el("div", { class: "flame-grid-scroll" }, table));
  let picture = null;

  const children = (node) => {
    const found = [];
    const { end } = picture.tree;
    for (let c = node + 1; c < end[node]; c = end[c]) found.push(c);
    return found;
  };
  // Of a sandwich the callers come after the function's own part of the nodes.
  const callers = () => {
    const found = [];
    if (picture.side) for (let i = 1; i < picture.n; i++) if (picture.side[i] < 0 && picture.tree.parent[i] === 0) found.push(i);
    return found;
  };

  function row(node, level, at, of) {
    const { tree, F } = picture;
    const below = node === 0 && picture.side ? [...children(0), ...callers()] : children(node);
    const caller = picture.side?.[node] < 0;
    const frame = tree.frame[node];
    const file = F.files[F.file[frame]];
    const name = graph.nameOf(node);
    const layer = F.layers[picture.layers[node]];
    const figures = graph.diff
      ? [decimal(tree.total0[node]), decimal(tree.total[node]), decimal(tree.own[node] - tree.own0[node])]
      : [decimal(tree.total[node]), caller ? "" : decimal(tree.own[node]), percent(tree.total[node] / graph.total), tree.calls[node] ? count(tree.calls[node]) : ""];
    const mark = el("span", { class: "flame-twist", "aria-hidden": "true" }, below.length ? "▸" : "");
    const cell = el(
      "td",
      { role: "gridcell", class: "fn" },
      el(
        "span",
        { class: "call" },
        mark,
        layer ? el("span", { class: `dot tone-${layer.tone}`, title: layer.label }) : null,
        el("span", {}, caller ? el("span", { class: "quiet" }, "called by ") : null, el("code", {}, name.length > 300 ? `${name.slice(0, 300)}…` : name), file ? el("span", { class: "at quiet" }, ` ${kit.shortPath(file)}:${F.line[frame]}`) : null),
      ),
    );
    cell.firstChild.style.paddingLeft = `${Math.min(level - 1, 30) * 14}px`;
    const tr = el(
      "tr",
      {
        role: "row", "aria-level": level, "aria-posinset": at + 1, "aria-setsize": of, tabindex: "-1",
        "aria-expanded": below.length ? "false" : null, "data-node": node,
      },
      cell,
      ...figures.map((text) => el("td", { role: "gridcell", class: "n" }, text)),
    );
    tr.below = below;
    return tr;
  }

  const level = (tr) => +tr.getAttribute("aria-level");

  function expand(tr, open) {
    if (!tr.below.length || (tr.getAttribute("aria-expanded") === "true") === open) return;
    tr.setAttribute("aria-expanded", String(open));
    tr.querySelector(".flame-twist").textContent = open ? "▾" : "▸";
    if (open) tr.after(...tr.below.map((node, i) => row(node, level(tr) + 1, i, tr.below.length)));
    else while (tr.nextElementSibling && level(tr.nextElementSibling) > level(tr)) tr.nextElementSibling.remove();
  }

  function parentOf(tr) {
    let found = tr.previousElementSibling;
    while (found && level(found) >= level(tr)) found = found.previousElementSibling;
    return found;
  }

  function focus(tr) {
    if (!tr) return;
    for (const other of body.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    tr.tabIndex = 0;
    tr.focus();
  }

  table.addEventListener("keydown", (event) => {
    const tr = event.target.closest("tbody tr");
    if (!tr || event.ctrlKey || event.altKey || event.metaKey) return;
    const open = tr.getAttribute("aria-expanded");
    const { key } = event;
    if (key === "ArrowDown") focus(tr.nextElementSibling);
    else if (key === "ArrowUp") focus(tr.previousElementSibling);
    else if (key === "Home") focus(body.firstElementChild);
    else if (key === "End") focus(body.lastElementChild);
    else if (key === "ArrowRight") open === "false" ? expand(tr, true) : open === "true" && focus(tr.nextElementSibling);
    else if (key === "ArrowLeft") open === "true" ? expand(tr, false) : focus(parentOf(tr));
    else if (key === "Enter" || key === " ") choose(tr);
    else return;
    event.preventDefault();
  });
  table.addEventListener("click", (event) => {
    const tr = event.target.closest("tbody tr");
    if (!tr) return;
    focus(tr);
    choose(tr);
  });

  function choose(tr) {
    expand(tr, tr.getAttribute("aria-expanded") !== "true");
    graph.select(+tr.dataset.node);
  }

  // Opens along the heaviest path, as far as it says something.
  function fill() {
    picture = graph.picture;
    if (!picture.n) return body.replaceChildren();
    let tr = row(0, 1, 0, 1);
    body.replaceChildren(tr);
    tr.tabIndex = 0;
    for (let depth = 0; depth < 3 && tr?.below.length; depth++) {
      expand(tr, true);
      tr = tr.nextElementSibling;
    }
  }

  graph.on("change", () => {
    if (!place.hidden && graph.picture !== picture) fill();
  });
  return (shown) => {
    place.hidden = !shown;
    if (shown && graph.picture !== picture) fill();
  };
}

export function start(offered) {
  kit = offered;
}
