// The function table, and who called a function and what it called.

const NAME = 0, FILE = 1, LINE = 2, KIND = 3, PACKAGE = 4, CALLS = 5, PRIMITIVE = 6, OWN = 7, CUMULATIVE = 8;

export function start(kit) {
  const { el, bar, count, decimal, ms, percent, share, shortPath } = kit;
  const calls = kit.data("calls-data");
  const table = document.getElementById("calls-table");
  if (!calls || !table) return;
  const { functions, files, edges, total } = calls;

  const place = (key) => {
    const f = functions[key];
    return files[f[FILE]] ? `${shortPath(files[f[FILE]])}:${f[LINE]}` : f[PACKAGE];
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
    el("span", { class: `dot tone-${f[KIND]}`, title: f[PACKAGE] ? `${f[KIND]}: ${f[PACKAGE]}` : f[KIND] });
  const primitive = (all, first) =>
    all === first ? [] : [" ", el("span", { class: "quiet" }, `(${count(first)})`)];

  function build(key) {
    const f = functions[key];
    const own = share(f[OWN], total);
    return el(
      "tr",
      { class: own >= 0.05 ? "hot" : null },
      el("td", { class: "fn" }, dot(f), opener(key, f[NAME])),
      el("td", { class: "pl" }, el("code", { title: files[f[FILE]] }, place(key))),
      el("td", { class: "n" }, count(f[CALLS]), ...primitive(f[CALLS], f[PRIMITIVE])),
      el("td", { class: "n own" }, decimal(f[OWN])),
      el("td", { class: "n" }, decimal(values.per_call(f), 4)),
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
      const text = `${f[NAME]} ${files[f[FILE]]} ${f[PACKAGE]}`.toLowerCase();
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
      if (!callers.has(edge[1])) callers.set(edge[1], []);
      callers.get(edge[1]).push(edge);
      if (!callees.has(edge[0])) callees.set(edge[0], []);
      callees.get(edge[0]).push(edge);
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
        side("Called by", callers.get(key) ?? [], 0, "Nothing that was recorded: this is where it began."),
        side("Calls", callees.get(key) ?? [], 1, "Nothing that was recorded."),
      ),
    );
    inspector.hidden = false;
    title.focus({ preventScroll: true });
  }

  function side(title, found, end, none) {
    const sorted = [...found].sort((a, b) => b[5] - a[5]);
    const whole = sorted.reduce((sum, edge) => sum + edge[5], 0);
    const body = sorted.slice(0, 200).map((edge) => {
      const button = el("button", { type: "button", class: "name" }, functions[edge[end]][NAME]);
      button.addEventListener("click", () => inspect(edge[end]));
      return el(
        "tr",
        {},
        el("td", { class: "fn" }, dot(functions[edge[end]]), button, el("span", { class: "quiet at" }, ` ${place(edge[end])}`)),
        el("td", { class: "n" }, count(edge[2]), ...primitive(edge[2], edge[3])),
        el("td", { class: "n" }, decimal(edge[4])),
        el("td", { class: "n own" }, decimal(edge[5])),
        el("td", { class: "bars" }, bar([["solid", 0, share(edge[5], whole)]])),
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
