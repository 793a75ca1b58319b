// The tab of statements: grouped and in order, filtered, with what an opened row shows.

export function start(kit) {
  const { el, bar, count, decimal, percent, share } = kit;
  const found = kit.statements();
  const box = document.getElementById("groups-table")?.closest(".scroll");
  if (!found || !box) return;
  const { groups, span, total } = found;
  const manyAliases = new Set(groups.map((group) => group.alias)).size > 1;

  function lazy(attributes, text, under, fill) {
    const details = el(
      "details",
      attributes,
      el("summary", {}, el("code", { class: "line" }, ...kit.highlighted(text))),
    );
    details.addEventListener("toggle", () => details.append(...fill()), { once: true });
    // Links are no part of what opens the row.
    return [details, el("span", { class: "under" }, ...under)];
  }

  // Marks of findings lead to them.
  const findingMark = ([number, what, title]) => el("a", { class: "mark found", href: `#finding-${number}`, title }, what);

  const marks = (place) => [
    ...groups[found.group[place]].found.map(findingMark),
    found.error(place) && el("span", { class: "mark error" }, "failed"),
    found.kind(place) === "w" && el("span", { class: "mark" }, "write"),
    manyAliases && el("span", { class: "mark" }, groups[found.group[place]].alias),
  ];

  function buildGroup(key) {
    const group = groups[key];
    const number = group.members.length;
    const first = group.members[0];
    const part = share(group.total, total);
    const words = [
      kit.packedSite(group.site),
      ...marks(first),
      group.duplicates > 0 && el("span", { class: "mark", title: "Same connection, SQL and parameters as an earlier statement" }, `${count(group.duplicates)} duplicate${group.duplicates === 1 ? "" : "s"}`),
    ].filter(Boolean);
    return el(
      "tr",
      { id: `group-${key}`, class: part >= 0.2 ? "hot" : null },
      el("td", { class: "n count" }, `${count(number)} ×`),
      el("td", { class: "n own" }, decimal(group.total)),
      el("td", { class: "n" }, decimal(group.total / number)),
      el("td", { class: "n rest" }, count(group.rows)),
      el("td", { class: "bars" }, bar([["solid", 0, part]]), el("span", { class: "pc" }, percent(part))),
      el("td", { class: "bars wide" }, when(group)),
      el(
        "td",
        { class: "st" },
        ...lazy({ "data-group": key }, found.short(first), words, () => [
          ...kit.statementDetail(first),
          el("div", { class: "members" }, ...membersOf(group)),
        ]),
      ),
    );
  }

  // All statements of a group on the axis of the request: at most so many bars as can be told apart.
  function when(group) {
    const parts = [];
    let end = -1;
    for (const place of group.members) {
      const from = share(found.start[place], span);
      const to = from + share(found.took[place], span);
      if (parts.length && from - end < 0.004) parts.at(-1)[2] = Math.max(to, end) - parts.at(-1)[1];
      else parts.push(["solid", from, to - from]);
      end = Math.max(end, to);
    }
    return bar(parts);
  }

  function buildQuery(place) {
    const fetch = found.fetch[place];
    const took = found.took[place];
    const words = [
      kit.packedSite(groups[found.group[place]].site),
      ...marks(place),
      found.same(place) !== undefined && el("span", { class: "mark" }, `same as #${found.same(place)}`),
    ].filter(Boolean);
    return el(
      "tr",
      { class: took >= found.slow ? "hot" : null },
      el("td", { class: "n" }, String(found.index(place))),
      el("td", { class: "n" }, decimal(found.start[place])),
      el("td", { class: "bars wide" }, bar([["solid", share(found.start[place], span), share(took, span)]])),
      el("td", { class: "n own" }, decimal(took)),
      el("td", { class: "n rest" }, fetch === null ? "–" : percent(share(fetch, took))),
      el("td", { class: "n" }, count(found.rows[place])),
      el("td", { class: "st" }, ...lazy({ "data-query": place }, found.short(place), words, () => kit.statementDetail(place))),
    );
  }

  // Each statement of a group: when, how long, with which parameters.
  function membersOf(group) {
    if (group.members.length < 2) return [];
    const head = [["#", "n"], ["Start, ms", "n"], ["When and how long", "bars wide"], ["Took, ms", "n"], ["Rows", "n"], ["Parameters", ""]];
    const body = el("tbody");
    const button = el("button", { type: "button" }, "Show 200 more");
    const more = el("p", { class: "more" }, button);
    let shown = 0;
    const add = () => {
      body.append(...group.members.slice(shown, shown + 200).map(member));
      shown = Math.min(shown + 200, group.members.length);
      more.hidden = shown === group.members.length;
    };
    button.addEventListener("click", add);
    add();
    return [
      el("p", { class: "quiet" }, `All ${count(group.members.length)} statements of this group`),
      el("table", { class: "data" }, el("thead", {}, el("tr", {}, ...head.map(([text, kind]) => el("th", { scope: "col", class: kind || null }, text)))), body),
      more,
    ];
  }

  function member(place) {
    const same = found.same(place);
    return el(
      "tr",
      {},
      el("td", { class: "n" }, String(found.index(place))),
      el("td", { class: "n" }, decimal(found.start[place])),
      el("td", { class: "bars wide" }, bar([["solid", share(found.start[place], span), share(found.took[place], span)]])),
      el("td", { class: "n own" }, decimal(found.took[place])),
      el("td", { class: "n" }, count(found.rows[place])),
      el("td", {}, el("code", { class: "wrap" }, found.params(place).join(", ") || "–"), same === undefined ? "" : el("span", { class: "quiet" }, ` same as #${same}`)),
    );
  }

  const groupValues = {
    count: (group) => group.members.length,
    total: (group) => group.total,
    mean: (group) => group.total / group.members.length,
    rows: (group) => group.rows,
    share: (group) => group.total,
    when: (group) => found.start[group.members[0]],
    sql: (group) => found.short(group.members[0]),
  };
  const rowValues = {
    index: found.index,
    start: (place) => found.start[place],
    bar: (place) => found.start[place],
    ms: (place) => found.took[place],
    fetch: (place) => (found.fetch[place] === null ? null : share(found.fetch[place], found.took[place])),
    rows: (place) => found.rows[place],
    sql: found.short,
  };
  const tables = {
    groups: new kit.VirtualTable(box, {
      length: groups.length,
      value: (key, column) => groupValues[column](groups[key]),
      build: buildGroup,
      what: ["group", "groups"],
      status: document.querySelector('[data-more="groups"]'),
      changed: () => filters.write(),
    }),
    order: new kit.VirtualTable(document.getElementById("order-table").closest(".scroll"), {
      length: found.count,
      value: (place, column) => rowValues[column](place),
      build: buildQuery,
      what: ["statement", "statements"],
      status: document.querySelector('[data-more="order"]'),
      changed: () => filters.write(),
    }),
  };
  const filters = kit.queryFilters(found, tables);

  document.getElementById("queries").addEventListener("click", (event) => {
    const link = event.target.closest("a.found");
    const card = link && document.querySelector(link.getAttribute("href"));
    if (!card) return;
    event.preventDefault();
    card.open = true;
    card.scrollIntoView({ block: "start" });
    card.querySelector("summary").focus({ preventScroll: true });
  });
}
