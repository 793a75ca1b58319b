// The table of functions: sorted, filtered, by layer.

export function start(kit) {
  const { el, bar, count, decimal, percent, share } = kit;
  const found = kit.callTable();
  const table = document.getElementById("calls-table");
  if (!found || !table) return;
  const { total, own, all } = found;
  const note = document.getElementById("calls-layer");

  // While a layer is chosen, own time is that within it.
  const chosen = () => kit.currentLayer?.() ?? null;
  const ownOf = (key) => (chosen() === null ? own[key] : layers().reduce((sum, layer) => sum + found.ownIn(key, layer), 0));
  let members = null;

  // The chosen layer, or those that the bar sums up in it.
  function layers() {
    if (!members) {
      const keys = new Set(Array.from({ length: found.count }, (_, key) => found.layer(key).key));
      keys.add(chosen());
      members = [...keys].filter((key) => (kit.inLayer ? kit.inLayer(key) : key === chosen()));
    }
    return members;
  }

  function build(key) {
    const mine = ownOf(key);
    const part = share(mine, total);
    return el(
      "tr",
      { class: part >= 0.05 ? "hot" : null },
      el("td", { class: "fn" }, kit.functionDot(key), opener(key)),
      el("td", { class: "pl" }, placeOf(key)),
      el("td", { class: "n" }, ...kit.callCount(found.calls(key), found.primitive(key))),
      el("td", { class: "n own" }, decimal(mine)),
      el("td", { class: "n rest" }, decimal(found.calls(key) ? own[key] / found.calls(key) : 0, 3)),
      el("td", { class: "n" }, decimal(all[key])),
      el("td", { class: "bars" }, bar([["pale", 0, share(all[key], total)], ["solid", 0, part]]), el("span", { class: "pc" }, percent(part))),
    );
  }

  function placeOf(key) {
    const code = el("code", { title: found.path(key) || found.name(key) }, found.place(key));
    return found.path(key) && kit.editorLink ? kit.editorLink(found.path(key), found.line(key), code) : code;
  }

  function opener(key) {
    const button = el("button", { type: "button", class: "name", title: found.name(key) }, found.name(key));
    button.addEventListener("click", () => kit.inspectFunction(key, view));
    return button;
  }

  const values = {
    function: found.name,
    place: found.place,
    calls: found.calls,
    own: ownOf,
    per_call: (key) => (found.calls(key) ? own[key] / found.calls(key) : 0),
    cumulative: (key) => all[key],
    share: ownOf,
  };
  const tools = document.querySelector('[data-tools="calls"]');
  const filter = document.getElementById("calls-filter");
  const kind = document.getElementById("calls-kind");
  const view = new kit.VirtualTable(table.closest(".scroll"), {
    length: found.count,
    value: (key, column) => values[column](key),
    build,
    what: ["function", "functions"],
    status: document.querySelector('[data-more="calls"]'),
    changed: write,
  });
  tools.hidden = false;

  function write() {
    kit.writeState("calls", { q: filter.value, kind: kind.value, sort: kit.sortText(view) });
  }

  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const layer = chosen();
    const matches = (key) => {
      if (kind.value && found.kind(key) !== kind.value) return false;
      if (layer !== null && !ownOf(key)) return false;
      const text = `${found.name(key)} ${found.path(key)} ${found.package(key)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    view.filter(words.length || kind.value || layer !== null ? matches : null);
    document.getElementById("calls-none").hidden = view.found.length > 0;
  }

  function read() {
    const state = kit.readState("calls");
    filter.value = state.get("q") ?? "";
    kind.value = state.get("kind") ?? "";
    kit.sortFrom(view, state.get("sort"));
    if (filter.value || kind.value) apply();
  }

  tools.addEventListener("input", () => {
    apply();
    write();
  });
  document.querySelector("#calls-none button").addEventListener("click", () => {
    filter.value = kind.value = "";
    if (chosen() !== null) kit.chooseLayer(null);
    else apply();
    write();
    filter.focus();
  });
  document.addEventListener("hotpath:layer", () => {
    members = null;
    note.hidden = chosen() === null;
    view.rebuild();
    view.sort();
    apply();
  });
  read();
}
