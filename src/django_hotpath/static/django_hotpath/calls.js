// The function table, and who called a function and what it called.

// What stands where in the arrays of the data.
const [NAME, FILE, LINE, KIND, PACKAGE, CALLS, PRIMITIVE, OWN, CUMULATIVE] = Array(9).keys();
const [PATH, TONE] = Array(2).keys();
const [CALLER, CALLEE, EDGE_CALLS, EDGE_PRIMITIVE, EDGE_OWN, EDGE_CUMULATIVE] = Array(6).keys();

export function start(kit) {
  const { el, bar, count, decimal, ms, percent, share, shortPath } = kit;
  const calls = kit.data("calls-data");
  const table = document.getElementById("calls-table");
  if (!calls || !table) return;
  const { functions, files, edges, total } = calls;

  const place = (key) => {
    const f = functions[key];
    const path = files[f[FILE]][PATH];
    return path ? `${shortPath(path)}:${f[LINE]}` : f[PACKAGE];
  };
  const values = {
    function: (f) => f[NAME],
    place: (f, key) => place(key),
    calls: (f) => f[CALLS],
    own: (f) => f[OWN],
    per_call: (f) => (f[CALLS] ? f[OWN] / f[CALLS] : 0),
    cumulative: (f) => f[CUMULATIVE],
    share: (f) => f[OWN],
  };
  const dot = (f) =>
    el("span", { class: `dot tone-${files[f[FILE]][TONE]}`, title: f[PACKAGE] ? `${f[KIND]}: ${f[PACKAGE]}` : f[KIND] });
  const primitive = (all, first) =>
    all === first ? [] : [" ", el("span", { class: "quiet" }, `(${count(first)})`)];

  function build(key) {
    const f = functions[key];
    const own = share(f[OWN], total);
    return el(
      "tr",
      { class: own >= 0.05 ? "hot" : null },
      el("td", { class: "fn" }, dot(f), opener(key, f[NAME])),
      el("td", { class: "pl" }, el("code", { title: files[f[FILE]][PATH] }, place(key))),
      el("td", { class: "n" }, count(f[CALLS]), ...primitive(f[CALLS], f[PRIMITIVE])),
      el("td", { class: "n own" }, decimal(f[OWN])),
      el("td", { class: "n" }, decimal(values.per_call(f), 3)),
      el("td", { class: "n" }, decimal(f[CUMULATIVE])),
      el(
        "td",
        { class: "bars" },
        bar([["pale", 0, share(f[CUMULATIVE], total)], ["solid", 0, own]]),
        el("span", { class: "pc" }, percent(own)),
      ),
    );
  }

  function opener(key, name) {
    const button = el("button", { type: "button", class: "name" }, name);
    button.addEventListener("click", () => inspect(key, button));
    return button;
  }

  for (const code of table.querySelectorAll("code[data-function]"))
    code.replaceWith(opener(+code.dataset.function, code.textContent));

  const view = new kit.DataTable(table, document.querySelector('[data-more="calls"]'), {
    length: functions.length,
    value: (key, column) => values[column](functions[key], key),
    build,
    page: 50,
    all: true,
    what: ["function", "functions"],
  });

  const tools = document.querySelector('[data-tools="calls"]');
  const filter = document.getElementById("calls-filter");
  const kind = document.getElementById("calls-kind");
  tools.hidden = false;
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    view.filter((key) => {
      const f = functions[key];
      if (kind.value && f[KIND] !== kind.value) return false;
      const text = `${f[NAME]} ${files[f[FILE]][PATH]} ${f[PACKAGE]}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  };
  filter.addEventListener("input", apply);
  kind.addEventListener("change", apply);

  const inspector = document.getElementById("inspector");
  let callers, callees;
  let trail = [];
  let opened = null;

  function index() {
    callers = new Map();
    callees = new Map();
    for (const edge of edges) {
      for (const [found, key] of [[callers, edge[CALLEE]], [callees, edge[CALLER]]]) {
        if (!found.has(key)) found.set(key, []);
        found.get(key).push(edge);
      }
    }
  }

  function close() {
    inspector.hidden = true;
    trail = [];
    for (const row of table.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    opened?.focus();
  }

  function inspect(key, from) {
    if (!callers) index();
    if (from) {
      opened = from;
      trail = [];
    }
    trail.push(key);
    show(key);
  }

  function show(key) {
    const f = functions[key];
    for (const row of table.tBodies[0].rows) row.classList.toggle("chosen", +row.dataset.key === key);
    const back = el("button", { type: "button", disabled: trail.length < 2 }, "Back");
    back.addEventListener("click", () => {
      trail.pop();
      show(trail.at(-1));
    });
    const reveal = el("button", { type: "button" }, "Show in the table");
    reveal.addEventListener("click", () => {
      const row = view.reveal(key);
      row.classList.add("chosen");
      row.scrollIntoView({ block: "center" });
    });
    const shut = el("button", { type: "button" }, "Close");
    shut.addEventListener("click", close);
    const title = el("h3", { tabindex: "-1" }, dot(f), el("code", {}, f[NAME]));
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
            el("code", { class: "path" }, place(key)),
            el(
              "span",
              { class: "quiet" },
              ` ${count(f[CALLS])} ${f[CALLS] === 1 ? "call" : "calls"}, own ${ms(f[OWN])}, cumulative ${ms(f[CUMULATIVE])}`,
            ),
          ),
        ),
        el("div", { class: "buttons" }, back, reveal, shut),
      ),
      el(
        "div",
        { class: "sides" },
        side("Called by", callers.get(key) ?? [], CALLER, "Nothing that was recorded: this is where it began."),
        side("Calls", callees.get(key) ?? [], CALLEE, "Nothing that was recorded."),
      ),
    );
    inspector.hidden = false;
    title.focus({ preventScroll: true });
  }

  function side(title, found, end, none) {
    const sorted = [...found].sort((a, b) => b[EDGE_CUMULATIVE] - a[EDGE_CUMULATIVE]);
    const whole = sorted.reduce((sum, edge) => sum + edge[EDGE_CUMULATIVE], 0);
    const body = sorted.slice(0, 200).map((edge) => {
      const button = el("button", { type: "button", class: "name" }, functions[edge[end]][NAME]);
      button.addEventListener("click", () => inspect(edge[end]));
      return el(
        "tr",
        {},
        el("td", { class: "fn" }, dot(functions[edge[end]]), button, el("span", { class: "quiet at" }, ` ${place(edge[end])}`)),
        el("td", { class: "n" }, count(edge[EDGE_CALLS]), ...primitive(edge[EDGE_CALLS], edge[EDGE_PRIMITIVE])),
        el("td", { class: "n" }, decimal(edge[EDGE_OWN])),
        el("td", { class: "n own" }, decimal(edge[EDGE_CUMULATIVE])),
        el("td", { class: "bars" }, bar([["solid", 0, share(edge[EDGE_CUMULATIVE], whole)]])),
      );
    });
    const head = ["Function", "Calls", "Own, ms", "Cumulative, ms", ""].map((text, i) =>
      el("th", { scope: "col", class: i ? (text ? "n" : "bars") : null }, text),
    );
    return el(
      "section",
      {},
      el("h4", {}, `${title} `, el("span", { class: "figure" }, count(sorted.length))),
      sorted.length
        ? el("table", { class: "data" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body))
        : el("p", { class: "quiet" }, none),
    );
  }

  inspector.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
}
