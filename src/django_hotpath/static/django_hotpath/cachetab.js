// Operations of caches in order: filtered, and how many there may be.

export function start(kit) {
  const { el, bar, count, decimal, share } = kit;
  const cache = kit.data("cache-data");
  const table = document.getElementById("cache-table");
  if (!cache || !table) return;
  const { columns, keys, names, sites, errors, span } = cache;
  const keysOf = (place) => keys[columns.keys[place]];
  const nameOf = (place) => names[columns.name[place]];

  function build(place) {
    const [operation, alias] = nameOf(place);
    const shown = keysOf(place).slice(0, 5);
    const left = keysOf(place).length - shown.length + columns.more[place];
    return el(
      "tr",
      {},
      el("td", { class: "n" }, decimal(columns.start[place])),
      el("td", { class: "bars wide" }, bar([["solid", share(columns.start[place], span), share(columns.took[place], span)]])),
      el("td", { class: "n own" }, decimal(columns.took[place])),
      el("td", { class: "op" }, el("code", {}, operation), " ", el("span", { class: "quiet" }, alias), errors[place] ? el("span", { class: "mark error", title: errors[place] }, "failed") : null),
      el("td", { class: "n" }, count(columns.hits[place])),
      el("td", { class: columns.misses[place] ? "n missed" : "n" }, count(columns.misses[place])),
      el(
        "td",
        { class: "st" },
        ...shown.flatMap((key) => [el("code", { class: "wrap" }, key), " "]),
        left > 0 ? el("span", { class: "quiet" }, `and ${count(left)} more`) : null,
        el("span", { class: "under" }, kit.packedSite(sites[columns.site[place]])),
      ),
    );
  }

  const values = {
    start: (place) => columns.start[place],
    when: (place) => columns.start[place],
    took: (place) => columns.took[place],
    operation: (place) => nameOf(place).join(" "),
    hits: (place) => columns.hits[place],
    misses: (place) => columns.misses[place],
    keys: (place) => keysOf(place).join(" "),
  };
  const view = new kit.VirtualTable(table.closest(".scroll"), {
    length: columns.start.length,
    value: (place, column) => values[column](place),
    build,
    what: ["operation", "operations"],
    status: document.querySelector('[data-more="cache"]'),
    changed: write,
  });
  const tools = document.querySelector('[data-tools="cache"]');
  const field = tools.querySelector('input[type="search"]');
  const missed = tools.querySelector('input[type="checkbox"]');
  tools.hidden = false;

  function write() {
    kit.writeState("cache", { q: field.value, missed: missed.checked ? "1" : "", sort: kit.sortText(view) });
  }

  function apply() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    view.filter((place) => {
      if (missed.checked && !columns.misses[place]) return false;
      const text = `${nameOf(place).join(" ")} ${keysOf(place).join(" ")} ${(sites[columns.site[place]] ?? []).join(" ")}`;
      return words.every((word) => text.toLowerCase().includes(word));
    });
  }

  tools.addEventListener("input", () => {
    apply();
    write();
  });
  const state = kit.readState("cache");
  field.value = state.get("q") ?? "";
  missed.checked = state.has("missed");
  kit.sortFrom(view, state.get("sort"));
  if (field.value || missed.checked) apply();
}
