// Which statements are shown: by text, connection, kind, slow, duplicate, failed, of a finding.

let kit;

// 1,2,3,7 as "1-3,7", and back.
function ranges(list) {
  const found = [];
  for (const number of list.sort((a, b) => a - b)) {
    if (found.length && number === found.at(-1)[1] + 1) found.at(-1)[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}

function numbers(text) {
  return text.split(",").flatMap((part) => {
    const [from, to = from] = part.split("-").map(Number);
    return Array.from({ length: Math.min(Math.max(to - from + 1, 0), 100000) || 0 }, (_, i) => from + i);
  });
}

// `tables`: {groups, order} of VirtualTable, keys of the first are groups, of the second places.
export function queryFilters(found, tables) {
  const { el } = kit;
  const tools = document.querySelector('[data-tools="queries"]');
  const field = (name) => tools.querySelector(`[data-filter="${name}"]`);
  const text = field("q");
  const chip = document.getElementById("queries-only");
  const views = [...document.querySelectorAll("[data-queries-view]")];
  const buttons = [...tools.querySelectorAll("[data-view]")];
  const marks = {
    slow: (place) => found.took[place] >= found.slow,
    duplicate: (place) => found.same(place) !== undefined,
    failed: (place) => found.error(place) !== undefined,
    finding: (place) => found.groups[found.group[place]].found.length > 0,
  };
  let view = "groups";
  let only = null;
  let words = [];
  const haystacks = [];

  // What is searched of a statement, made when somebody searches.
  function haystack(place) {
    const { site } = found.groups[found.group[place]];
    return (haystacks[place] ??= `${found.text(place)} ${found.params(place).join(" ")} ${(site ?? []).join(" ")}`.toLowerCase());
  }

  function matcher() {
    const tests = [];
    if (only) tests.push((place) => only.has(found.index(place)));
    for (const [name, test] of Object.entries(marks)) if (field(name)?.checked) tests.push(test);
    const kind = field("kind")?.value;
    if (kind) tests.push((place) => found.kind(place) === kind);
    const alias = field("alias")?.value;
    if (alias) tests.push((place) => found.groups[found.group[place]].alias === alias);
    words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) tests.push((place) => words.every((word) => haystack(place).includes(word)));
    return tests.length ? (place) => tests.every((test) => test(place)) : null;
  }

  function apply() {
    const matches = matcher();
    tables.groups.filter(matches && ((key) => found.groups[key].members.some(matches)));
    tables.order.filter(matches);
    const nothing = matches && !tables.order.found.length;
    document.getElementById("queries-none").hidden = !nothing;
    write();
  }

  function show(name) {
    view = name === "order" ? "order" : "groups";
    for (const part of views) part.hidden = part.dataset.queriesView !== view;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    tables[view].render();
  }

  function write() {
    const checked = Object.keys(marks).filter((name) => field(name)?.checked);
    kit.writeState("queries", {
      view: view === "groups" ? "" : view,
      q: text.value,
      kind: field("kind")?.value,
      alias: field("alias")?.value,
      is: checked.join(","),
      of: only ? ranges([...only]) : "",
      sort: kit.sortText(tables[view]),
    });
  }

  function read() {
    const state = kit.readState("queries");
    show(state.get("view"));
    text.value = state.get("q") ?? "";
    for (const name of ["kind", "alias"]) if (field(name)) field(name).value = state.get(name) ?? "";
    const checked = (state.get("is") ?? "").split(",");
    for (const name of Object.keys(marks)) if (field(name)) field(name).checked = checked.includes(name);
    const chosen = state.get("of");
    restrict(chosen ? numbers(chosen) : null, "the statements of a link");
    kit.sortFrom(tables[view], state.get("sort"));
    if ([...state.keys()].some((key) => key !== "layer")) apply();
  }

  function restrict(indexes, title) {
    only = indexes && new Set(indexes);
    chip.hidden = !only;
    if (!only) return;
    const clear = el("button", { type: "button" }, "Show all");
    clear.addEventListener("click", () => {
      restrict(null);
      apply();
      text.focus();
    });
    chip.replaceChildren(el("span", {}, `Only: ${title}`), clear);
  }

  function reset() {
    restrict(null);
    text.value = "";
    for (const input of tools.querySelectorAll("select")) input.value = "";
    for (const input of tools.querySelectorAll('input[type="checkbox"]')) input.checked = false;
  }

  // "Show the N queries" of a finding.
  function follow(link) {
    reset();
    if (kit.currentLayer() !== null) kit.chooseLayer(null);
    restrict(link.dataset.showQueries.split(",").map(Number), link.dataset.showTitle);
    show("groups");
    kit.openTab("queries", { focus: true });
    apply();
    const first = tables.groups.found.length === 1 && tables.groups.reveal(tables.groups.found[0]);
    const details = first && first.querySelector("details");
    if (details) details.open = true;
    tools.scrollIntoView({ block: "start" });
  }

  tools.hidden = false;
  for (const button of buttons)
    button.addEventListener("click", () => {
      show(button.dataset.view);
      write();
    });
  tools.addEventListener("input", apply);
  document.querySelector("#queries-none button").addEventListener("click", () => {
    reset();
    apply();
    text.focus();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-show-queries]");
    if (!link) return;
    event.preventDefault();
    follow(link);
  });
  read();
  addEventListener("hashchange", read);
  return { write };
}

export function start(given) {
  kit = given;
}
