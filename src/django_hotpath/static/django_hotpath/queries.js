// Statements, grouped and in order; rows beyond the first ones are built from the data.

const KEYWORDS =
  "SELECT|DISTINCT|FROM|WHERE|AND|OR|NOT|IN|IS|NULL|LIKE|BETWEEN|EXISTS|INNER|LEFT|RIGHT|FULL|OUTER|CROSS|JOIN|ON|USING|AS|ORDER|GROUP|BY|HAVING|LIMIT|OFFSET|UNION|INTERSECT|EXCEPT|ALL|INSERT|INTO|VALUES|UPDATE|SET|DELETE|RETURNING|CASE|WHEN|THEN|ELSE|END|WITH|ASC|DESC|EXPLAIN|SAVEPOINT|RELEASE|ROLLBACK|TO|BEGIN|COMMIT|CREATE|ALTER|DROP|TABLE|INDEX|FOR";
const TOKENS = new RegExp(
  `('(?:[^']|'')*')|("[^"]*"|\`[^\`]*\`)|(%\\([^)]*\\)s|%s|\\$\\d+)|\\b(${KEYWORDS})\\b`,
  "gi",
);
const CLAUSES =
  "FROM WHERE INNER LEFT RIGHT FULL CROSS JOIN ORDER GROUP HAVING LIMIT UNION INTERSECT EXCEPT VALUES SET RETURNING";
const BEGINS = new Set(CLAUSES.split(" "));
const JOINED = new Set(["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"]);
const BREAKS = new RegExp(
  `'(?:[^']|'')*'|"[^"]*"|\`[^\`]*\`|[(),]|\\b(?:SELECT|BETWEEN|AND|OR|OUTER|${CLAUSES.replaceAll(" ", "|")})\\b`,
  "gi",
);

// The statement with a line for each clause, selected column and condition, outside of quotes and
// brackets: formatted() of viewmodels/sql.py.
export function formatted(text) {
  let depth = 0;
  let line = 0;
  let clause = "";
  let before = "";
  let lines = "";
  for (const match of text.matchAll(BREAKS)) {
    const word = match[0].toUpperCase();
    if (word === "(") depth += 1;
    else if (word === ")") depth -= 1;
    if (depth > 0 || !/^(,|[A-Z]+)$/.test(word)) continue;
    let indent = null;
    let place = match.index;
    if (word === ",") {
      if (clause === "SELECT") [indent, place] = [7, place + 1];
    } else if (BEGINS.has(word) && !(word === "JOIN" && JOINED.has(before))) indent = 0;
    else if ((word === "AND" || word === "OR") && before !== "BETWEEN" && clause !== "SELECT") indent = 2;
    const piece = indent === null ? "" : text.slice(line, place).trim();
    if (piece) {
      lines += `${piece}\n${" ".repeat(indent)}`;
      line = place;
    }
    if (word === "SELECT" || BEGINS.has(word)) clause = word;
    before = word;
  }
  return lines + text.slice(line).trim();
}

export function start(kit) {
  const { el, bar, count, decimal, percent, share } = kit;
  const queries = kit.data("queries-data");
  const groupsTable = document.getElementById("groups-table");
  if (!queries || !groupsTable) return;
  const { columns, groups, texts, frames, stacks, span, total, flags, errors } = queries;
  const manyAliases = new Set(groups.map((group) => group.alias)).size > 1;

  for (const group of groups) {
    group.total = group.members.reduce((sum, place) => sum + columns.ms[place], 0);
  }

  function highlighted(text) {
    if (text.length > 20000) return [text];
    const nodes = [];
    let plain = 0;
    for (const match of text.matchAll(TOKENS)) {
      if (match[2]) continue;
      nodes.push(text.slice(plain, match.index));
      nodes.push(match[4] ? el("b", {}, match[0]) : el("i", { class: match[1] ? "string" : "slot" }, match[0]));
      plain = match.index + match[0].length;
    }
    return [...nodes, text.slice(plain)].filter(Boolean);
  }

  const site = (found) =>
    found &&
    el(
      "span",
      { class: "site" },
      ...(found[3] ? [el("code", { class: "path" }, found[3]), el("span", { class: "quiet" }, " template, from ")] : []),
      el("code", { class: "path", title: found[1] }, found[0]),
      ...(found[2] ? [el("span", { class: "quiet" }, " in "), el("code", {}, found[2])] : []),
    );

  function detail(place) {
    const [short, full] = texts[columns.sql[place]];
    const text = full ?? short;
    const pretty = text.length > 20000 || text.includes("\n") ? text : formatted(text);
    const parts = [el("pre", { class: "sql", "data-copy": true, tabindex: "0" }, ...highlighted(pretty))];
    if (!full && short.endsWith("…")) parts.push(el("p", { class: "quiet" }, "Cut here; the full text is in the JSON."));
    if (columns.params[place])
      parts.push(el("p", { class: "pair" }, el("span", { class: "quiet" }, "Parameters "), el("code", { class: "wrap" }, columns.params[place])));
    if (errors[place])
      parts.push(el("p", { class: "pair error" }, el("strong", {}, "Error "), el("code", { class: "wrap" }, errors[place])));
    if (flags[place]) parts.push(el("p", { class: "quiet" }, flags[place].join(", ")));
    const stack = stacks[columns.stack[place]];
    if (stack.length)
      parts.push(
        el("p", { class: "quiet" }, "Project stack"),
        el(
          "ol",
          { class: "stack" },
          ...stack.map((index) => {
            const [where, full, name] = frames[index];
            return el("li", {}, el("code", { class: "path", title: full }, where), name && el("span", { class: "quiet" }, ` ${name}`));
          }),
        ),
      );
    return parts;
  }

  function lazy(attributes, text, under, fill) {
    const details = el(
      "details",
      attributes,
      el("summary", {}, el("code", { class: "line" }, ...highlighted(text)), el("span", { class: "under" }, ...under)),
    );
    details.addEventListener(
      "toggle",
      () => {
        details.append(...fill());
        kit.copyable(details);
      },
      { once: true },
    );
    return details;
  }

  const marks = (place, alias) => [
    manyAliases && el("span", { class: "mark" }, alias),
    errors[place] && el("span", { class: "mark error" }, "failed"),
  ].filter(Boolean);

  function buildGroup(key) {
    const group = groups[key];
    const first = group.members[0];
    const part = share(group.total, total);
    const members = el("div", { class: "members" });
    return el(
      "tr",
      { id: `group-${key}`, class: part >= 0.2 ? "hot" : null },
      el("td", { class: "n count" }, `${count(group.members.length)} ×`),
      el("td", { class: "n own" }, decimal(group.total)),
      el("td", { class: "n" }, decimal(group.total / group.members.length)),
      el("td", { class: "bars" }, bar([["solid", 0, part]]), el("span", { class: "pc" }, percent(part))),
      el(
        "td",
        { class: "st" },
        lazy({ "data-group": key }, texts[columns.sql[first]][0], [site(group.site) ?? "", ...marks(first, group.alias)], () => {
          fillMembers(members, group);
          return [...detail(first), members];
        }),
      ),
    );
  }

  function buildQuery(place) {
    const group = groups[columns.group[place]];
    const took = columns.ms[place];
    const fetch = columns.fetch[place];
    return el(
      "tr",
      {},
      el("td", { class: "n" }, String(columns.index[place])),
      el("td", { class: "n" }, decimal(columns.start[place])),
      el("td", { class: "bars wide" }, bar([["solid", share(columns.start[place], span), share(took, span)]])),
      el("td", { class: "n own" }, decimal(took)),
      el("td", { class: "n" }, fetch === null ? "–" : percent(share(fetch, took))),
      el("td", { class: "n" }, count(columns.rows[place])),
      el(
        "td",
        { class: "st" },
        lazy({ "data-query": place }, texts[columns.sql[place]][0], [site(group.site) ?? "", ...marks(place, group.alias)], () => detail(place)),
      ),
    );
  }

  // Each statement of a group: when, how long, with which parameters.
  function fillMembers(box, group) {
    if (group.members.length < 2) return;
    const body = el("tbody");
    const more = el("p", { class: "more" });
    const head = [["#", "n"], ["Start, ms", "n"], ["When and how long", "bars wide"], ["Took, ms", "n"], ["Rows", "n"], ["Parameters", ""]];
    box.replaceChildren(
      el("p", { class: "quiet" }, `All ${count(group.members.length)} statements of this group`),
      el("table", { class: "data" }, el("thead", {}, el("tr", {}, ...head.map(([text, kind]) => el("th", { scope: "col", class: kind || null }, text)))), body),
      more,
    );
    let shown = 0;
    const add = () => {
      body.append(
        ...group.members.slice(shown, shown + 200).map((place) =>
          el(
            "tr",
            {},
            el("td", { class: "n" }, String(columns.index[place])),
            el("td", { class: "n" }, decimal(columns.start[place])),
            el("td", { class: "bars wide" }, bar([["solid", share(columns.start[place], span), share(columns.ms[place], span)]])),
            el("td", { class: "n own" }, decimal(columns.ms[place])),
            el("td", { class: "n" }, count(columns.rows[place])),
            el("td", {}, el("code", { class: "wrap" }, columns.params[place] || "–"), flags[place] ? el("span", { class: "quiet" }, ` ${flags[place].join(", ")}`) : ""),
          ),
        ),
      );
      shown = Math.min(shown + 200, group.members.length);
      more.hidden = shown === group.members.length;
    };
    const button = el("button", { type: "button" }, "Show 200 more");
    button.addEventListener("click", add);
    more.append(button);
    add();
  }

  for (const details of groupsTable.querySelectorAll("details[data-group]"))
    details.addEventListener(
      "toggle",
      () => fillMembers(details.querySelector(".members"), groups[+details.dataset.group]),
      { once: true },
    );

  const groupValues = {
    count: (group) => group.members.length,
    total: (group) => group.total,
    mean: (group) => group.total / group.members.length,
    share: (group) => group.total,
    sql: (group) => texts[columns.sql[group.members[0]]][0],
  };
  const grouped = new kit.DataTable(groupsTable, document.querySelector('[data-more="groups"]'), {
    length: groups.length,
    value: (key, column) => groupValues[column](groups[key]),
    build: buildGroup,
    page: 50,
    all: true,
    what: ["group", "groups"],
  });
  const rowValues = {
    index: (place) => columns.index[place],
    start: (place) => columns.start[place],
    bar: (place) => columns.ms[place],
    ms: (place) => columns.ms[place],
    fetch: (place) => (columns.fetch[place] === null ? null : share(columns.fetch[place], columns.ms[place])),
    rows: (place) => columns.rows[place],
    sql: (place) => texts[columns.sql[place]][0],
  };
  const ordered = new kit.DataTable(document.getElementById("order-table"), document.querySelector('[data-more="order"]'), {
    length: columns.index.length,
    value: (place, column) => rowValues[column](place),
    build: buildQuery,
    page: 200,
    what: ["statement", "statements"],
  });

  const tools = document.querySelector('[data-tools="queries"]');
  const filter = document.getElementById("queries-filter");
  const chip = document.getElementById("queries-only");
  const views = [...document.querySelectorAll("[data-queries-view]")];
  const buttons = [...tools.querySelectorAll("[data-view]")];
  let only = null;
  tools.hidden = false;

  function show(name) {
    for (const view of views) view.hidden = view.dataset.queriesView !== name;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === name));
  }
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.view));
  show("groups");

  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (place) => {
      if (only && !only.has(columns.index[place])) return false;
      if (!words.length) return true;
      const where = groups[columns.group[place]].site ?? [];
      const text = `${(texts[columns.sql[place]][1] ?? texts[columns.sql[place]][0])} ${columns.params[place]} ${where.join(" ")}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const all = !only && !words.length;
    grouped.filter(all ? () => true : (key) => groups[key].members.some(matches));
    ordered.filter(all ? () => true : matches);
  }
  filter.addEventListener("input", apply);

  // "Show the N queries" of a finding.
  for (const link of document.querySelectorAll("a[data-show-queries]"))
    link.addEventListener("click", (event) => {
      event.preventDefault();
      only = new Set(link.dataset.showQueries.split(",").map(Number));
      filter.value = "";
      const clear = el("button", { type: "button" }, "Show all");
      clear.addEventListener("click", () => {
        only = null;
        chip.hidden = true;
        apply();
        filter.focus();
      });
      chip.replaceChildren(el("span", {}, `Only: ${link.dataset.showTitle}`), clear);
      chip.hidden = false;
      apply();
      kit.openTab("queries", { focus: true });
      history.replaceState(null, "", "#queries");
      show("groups");
      const details = grouped.found.length === 1 && grouped.row(grouped.found[0]).querySelector("details");
      if (details) details.open = true;
      tools.scrollIntoView({ block: "start" });
    });
}
