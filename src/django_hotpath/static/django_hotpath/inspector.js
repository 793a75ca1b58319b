// Who called a function and what it called, docked below the table.

const ROWS = 200;

let kit;

export function functionDot(key) {
  const found = kit.callTable();
  const layer = found.layer(key);
  const title = found.package(key) ? `${layer.label}: ${found.package(key)}` : layer.label;
  return kit.el("span", { class: `dot tone-${layer.tone}`, title });
}

// How often, in brackets the calls that were not recursive.
export function callCount(calls, primitive) {
  const { el, count } = kit;
  return calls === primitive ? [count(calls)] : [count(calls), " ", el("span", { class: "quiet" }, `(${count(primitive)})`)];
}

let trail = [];
let opened = null;
let view = null;

// Shows the function; `table` is the VirtualTable that it was chosen in.
export function inspectFunction(key, table) {
  if (table) {
    view = table;
    opened = key;
    trail = [];
  }
  trail.push(key);
  show(key);
}

function choose(key) {
  for (const row of view.body.rows) row.classList.toggle("chosen", +row.dataset.key === key);
}

function close() {
  const inspector = document.getElementById("inspector");
  inspector.hidden = true;
  trail = [];
  choose(-1);
  view.reveal(opened)?.querySelector("button.name")?.focus({ preventScroll: true });
}

function button(text, act, attributes = {}) {
  const found = kit.el("button", { type: "button", ...attributes }, text);
  found.addEventListener("click", act);
  return found;
}

function show(key) {
  const { el, count, ms } = kit;
  const found = kit.callTable();
  const inspector = document.getElementById("inspector");
  choose(key);
  const calls = found.calls(key);
  const title = el("h3", { tabindex: "-1" }, functionDot(key), el("code", {}, found.name(key)));
  const buttons = [
    button("Back", () => (trail.pop(), show(trail.at(-1))), { disabled: trail.length < 2 }),
    button("Show in the table", () => {
      const row = view.reveal(key);
      choose(key);
      row?.scrollIntoView({ block: "nearest" });
      row?.focus({ preventScroll: true });
    }),
    document.getElementById("flame") && button("Show in the flame graph", () => flame(key)),
    button("Close", close),
  ].filter(Boolean);
  inspector.replaceChildren(
    el(
      "div",
      { class: "inspector-head" },
      el(
        "div",
        {},
        title,
        el(
          "p",
          {},
          el("code", { class: "path" }, found.place(key)),
          el("span", { class: "quiet" }, ` ${count(calls)} ${calls === 1 ? "call" : "calls"}, own ${ms(found.own[key])}, cumulative ${ms(found.all[key])}`),
        ),
      ),
      el("div", { class: "buttons" }, ...buttons),
    ),
    el(
      "div",
      { class: "sides" },
      side("Called by", found.callers(key), "Nothing that was recorded: this is where it began."),
      side("Calls", found.callees(key), "Nothing that was recorded."),
    ),
  );
  inspector.hidden = false;
  title.focus({ preventScroll: true });
}

function flame(key) {
  (kit.chooseTab ?? kit.openTab)("flame", { focus: true });
  document.dispatchEvent(new CustomEvent("hotpath:show-frame", { detail: key }));
}

function side(title, rows, none) {
  const { el, bar, count, decimal, share } = kit;
  const found = kit.callTable();
  const whole = rows.reduce((sum, row) => sum + row.all, 0);
  const body = rows.slice(0, ROWS).map((row) =>
    el(
      "tr",
      {},
      el(
        "td",
        { class: "fn" },
        functionDot(row.key),
        button(found.name(row.key), () => inspectFunction(row.key), { class: "name" }),
        el("span", { class: "quiet at" }, ` ${found.place(row.key)}`),
      ),
      el("td", { class: "n" }, ...callCount(row.calls, row.primitive)),
      el("td", { class: "n" }, decimal(row.own)),
      el("td", { class: "n own" }, decimal(row.all)),
      el("td", { class: "bars" }, bar([["solid", 0, share(row.all, whole)]])),
    ),
  );
  const head = ["Function", "Calls", "Own, ms", "Cumulative, ms", "Share"].map((text, i) =>
    el("th", { scope: "col", class: i ? (i < 4 ? "n" : "bars") : null }, text),
  );
  return el(
    "section",
    {},
    el("h4", {}, `${title} `, el("span", { class: "figure" }, count(rows.length))),
    rows.length
      ? el("table", { class: "data" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body))
      : el("p", { class: "quiet" }, none),
    rows.length > ROWS ? el("p", { class: "more" }, `${count(rows.length - ROWS)} more with less time are not shown.`) : null,
  );
}

export function start(given) {
  kit = given;
  document.getElementById("inspector")?.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
}
