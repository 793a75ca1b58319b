// The functions to choose from in the sandwich view: by own time, a click shows who calls one.

let kit;
const PAGE = 100;

export function flameList(graph, place) {
  const { el, decimal, percent } = kit;
  const filter = el("input", { type: "search", placeholder: "function or file", "aria-label": "Filter functions", autocomplete: "off", spellcheck: "false" });
  const body = el("tbody");
  const heads = [["own", "Own, ms"], ["total", "Total, ms"], ["name", "Function"]];
  let order = "own";
  const sorts = heads.map(([column, label]) => {
    const button = el("button", { type: "button", class: "sort" }, label);
    const th = el("th", { scope: "col", class: column === "name" ? null : "n", "aria-sort": column === order ? "descending" : null }, button);
    button.addEventListener("click", () => {
      order = column;
      for (const other of sorts) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", column === "name" ? "ascending" : "descending");
      fill();
    });
    return th;
  });
  const table = el("table", { class: "data" }, el("thead", {}, el("tr", {}, ...sorts)), body);
  const more = el("p", { class: "more" });
  place.append(
    el("div", { class: "flame-list-tools" }, filter),
    el("div", { class: "flame-list-scroll", tabindex: "0", role: "region", "aria-label": "Functions" }, table),
    more,
  );
  let figures = null;
  let shown = PAGE;

  function fill() {
    const { F } = graph;
    const hits = kit.flameViews.search(F, filter.value);
    const found = [];
    for (let f = 0; f < F.count; f++) if (figures.total[f] > 0 && (!hits || hits[f])) found.push(f);
    const by = { own: (a, b) => figures.own[b] - figures.own[a], total: (a, b) => figures.total[b] - figures.total[a], name: (a, b) => (F.name[a] < F.name[b] ? -1 : 1) };
    found.sort((a, b) => by[order](a, b) || a - b);
    body.replaceChildren(...found.slice(0, shown).map((f) => row(f)));
    more.replaceChildren(`${Math.min(shown, found.length)} of ${found.length} functions`);
    if (found.length > shown) {
      const button = el("button", { type: "button" }, "Show more");
      button.addEventListener("click", () => {
        shown += PAGE * 5;
        fill();
      });
      more.append(button);
    }
  }

  function row(f) {
    const { F } = graph;
    const layer = F.layers[F.layer[f]];
    const name = F.name[f].length > 120 ? `${F.name[f].slice(0, 120)}…` : F.name[f];
    const button = el("button", { type: "button", class: "name", "aria-pressed": String(f === graph.state.focus), title: F.files[F.file[f]] ? `${F.files[F.file[f]]}:${F.line[f]}` : null }, name);
    button.addEventListener("click", () => graph.sandwich(f, { focus: false }));
    const share = (value) => percent(value / graph.total);
    return el(
      "tr",
      { class: f === graph.state.focus ? "chosen" : null, "data-frame": f },
      el("td", { class: "n own", title: share(figures.own[f]) }, decimal(figures.own[f])),
      el("td", { class: "n", title: share(figures.total[f]) }, decimal(figures.total[f])),
      el("td", { class: "fn" }, el("span", { class: `dot tone-${layer.tone}`, title: layer.label }), button),
    );
  }

  filter.addEventListener("input", () => {
    shown = PAGE;
    fill();
  });
  let tree = null;
  graph.on("change", () => {
    place.hidden = graph.state.view !== "sandwich";
    if (place.hidden) return;
    if (tree !== graph.shaped(false)) {
      tree = graph.shaped(false);
      figures = graph.functions();
      fill();
    }
    for (const tr of body.rows) {
      const chosen = +tr.dataset.frame === graph.state.focus;
      tr.classList.toggle("chosen", chosen);
      tr.querySelector("button").setAttribute("aria-pressed", String(chosen));
    }
  });
}

export function start(offered) {
  kit = offered;
}
