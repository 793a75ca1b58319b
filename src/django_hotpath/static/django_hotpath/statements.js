// The recorded statements, unpacked from what querydata.py packed, and what a row of one says.

const BETWEEN = "\u001f";
const MANY = 1;
const TRANSACTION = 2;

// kit.statements(): the model, made once; null on a page without statements. By place (the number of
// the row, in the order of execution):
//   count, span, total, slow; start[place], took[place], fetch[place] in ms; rows[place], index(place),
//   group[place], text(place), short(place), params(place), kind(place): "r", "w" or "o",
//   same(place), error(place), flags(place), stack(place): frames
// and `groups`: {site, alias, members, total, rows, duplicates, found: [[number, what, title]]}
let model;
let kit;

export function statements() {
  if (model === undefined) {
    const packed = kit.data("queries-data");
    model = packed && unpack(packed);
  }
  return model;
}

function unpack(packed) {
  const { count, texts, kinds, same, cut, errors } = packed;
  const column = (name) => {
    const found = packed.columns[name];
    return Array.isArray(found) ? found : Array(count).fill(found);
  };
  const start = new Float64Array(count);
  const steps = column("start");
  let at = 0;
  for (let place = 0; place < count; place++) {
    at += steps[place];
    start[place] = at / 100;
  }
  const took = Float64Array.from(column("took"), (value) => value / 1000);
  const fetch = column("fetch").map((value) => (value === null ? null : value / 1000));
  const [group, rows, sql, bits] = [column("group"), column("rows"), column("sql"), column("bits")];
  const [params, stack] = [column("params"), column("stack")];
  const indexes = packed.columns.index === undefined ? null : column("index");
  const of = (name) => {
    const given = packed.groups[name];
    return Array.isArray(given) ? (key) => given[key] : () => given;
  };
  const [site, alias] = [of("site"), of("alias")];
  const groups = Array.from({ length: packed.groups.count }, (_, key) => ({
    site: packed.sites[site(key)],
    alias: alias(key),
    members: [],
    total: 0,
    rows: null,
    duplicates: 0,
    found: (packed.marks[key] ?? []).map((number) => packed.findings[number]),
  }));
  for (let place = 0; place < count; place++) {
    const found = groups[group[place]];
    found.members.push(place);
    found.total += took[place];
    if (rows[place] !== null) found.rows = (found.rows ?? 0) + rows[place];
    if (same[place] !== undefined) found.duplicates += 1;
  }
  const text = (place) => texts[sql[place]].at(-1);
  return {
    ...{ count, groups, group, start, took, fetch, rows, text },
    span: packed.span,
    total: packed.total,
    slow: packed.slow,
    index: (place) => (indexes ? indexes[place] : place),
    short: (place) => texts[sql[place]][0],
    cut: (place) => texts[sql[place]].length === 1 && text(place).endsWith("…"),
    kind: (place) => kinds[sql[place]],
    params: (place) => packed.params[params[place]].split(BETWEEN).filter(Boolean),
    same: (place) => same[place],
    many: (place) => Boolean(bits[place] & MANY),
    error: (place) => errors[place],
    stack: (place) => packed.stacks[stack[place]].map((number) => packed.frames[number]),
    flags: (place) =>
      [
        same[place] !== undefined && `same as #${same[place]}`,
        bits[place] & MANY && "executemany: the parameters are those of the first row",
        bits[place] & TRANSACTION && "in a transaction",
        cut[place] && `SQL cut, ${kit.count(cut[place])} characters in all`,
      ].filter(Boolean),
  };
}

// "shop/views.py:12 in book_list", the template's line first where one was being rendered.
export function packedSite(found) {
  const { el } = kit;
  if (!found) return el("span", { class: "quiet" }, "not from code of the project");
  const [place, full, name, template] = found;
  return el(
    "span",
    { class: "site" },
    ...(template ? [el("code", { class: "path" }, template), el("span", { class: "quiet" }, " template, from ")] : []),
    fileLink(place, full),
    ...(name ? [el("span", { class: "quiet" }, " in "), el("code", {}, name)] : []),
  );
}

function fileLink(place, full) {
  const code = kit.el("code", { class: "path", title: full }, place);
  const at = full.lastIndexOf(":");
  return kit.editorLink ? kit.editorLink(full.slice(0, at), +full.slice(at + 1), code) : code;
}

// What an opened row shows: the statement, how to copy it, its parameters, the stack.
export function statementDetail(place) {
  const { el } = kit;
  const found = statements();
  const text = found.text(place);
  const params = found.params(place);
  const pretty = text.length > 20000 || text.includes("\n") ? text : kit.formatted(text);
  const whole = found.many(place) ? null : kit.filled(text, params);
  const parts = [
    el("pre", { class: "sql", tabindex: "0", "aria-label": "Statement" }, ...kit.highlighted(pretty)),
    el(
      "p",
      { class: "copies" },
      kit.copyButton("Copy SQL", () => text, "As it was sent, with placeholders"),
      whole === null || whole === text
        ? null
        : kit.copyButton("Copy with parameters", () => whole, "Text for a database shell; parameters that are not known stay placeholders"),
    ),
  ];
  if (found.cut(place)) parts.push(el("p", { class: "quiet" }, "Cut here; the full text is in the JSON."));
  if (params.length) parts.push(pair("Parameters", params.join(", ")));
  if (found.error(place)) parts.push(pair("Error", found.error(place), "error"));
  const flags = found.flags(place);
  if (flags.length) parts.push(el("p", { class: "quiet" }, flags.join(", ")));
  const stack = found.stack(place);
  if (stack.length) parts.push(...stackOf(stack));
  return parts;
}

function pair(name, text, kind = "") {
  const { el } = kit;
  return el("p", { class: `pair ${kind}` }, el(kind ? "strong" : "span", { class: kind ? null : "quiet" }, name, " "), el("code", { class: "wrap" }, text));
}

function stackOf(stack) {
  const { el } = kit;
  const title = "The lines of your project and the template nodes that led here, outermost first";
  return [
    el("p", { class: "quiet" }, el("abbr", { title }, "Project stack")),
    el(
      "ol",
      { class: "stack" },
      ...stack.map(([place, full, name]) => el("li", {}, fileLink(place, full), name && el("span", { class: "quiet" }, ` ${name}`))),
    ),
  ];
}

export function start(given) {
  kit = given;
}
