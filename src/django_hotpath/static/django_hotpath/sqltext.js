// Statements as text: formatted, with emphasis, with their parameters filled in, to the clipboard.

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

let el;

// Nodes: keywords, strings and placeholders marked.
export function highlighted(text) {
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

const ESCAPES = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", '"': '"' };

// A parameter, as Python writes it, as an SQL literal; null where only part of it is known.
export function literal(text) {
  if (/^(NULL|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(text)) return text;
  if (text === "True" || text === "False") return text.toUpperCase();
  // Not numbers for SQL, cut, masked, or an object that is known by its type alone.
  if (/^(nan|-?inf)$/i.test(text) || text.endsWith("…") || /^[<[]/.test(text) || text.includes("***")) return null;
  const quote = text[0];
  let plain = text;
  if ((quote === "'" || quote === '"') && text.length > 1) {
    if (text.at(-1) !== quote) return null;
    plain = text.slice(1, -1).replace(/\\(x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8}|.)/gs, (_, code) =>
      code.length > 1 ? String.fromCodePoint(parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
    );
  }
  return `'${plain.replaceAll("'", "''")}'`;
}

// The statement with its parameters in the places of %s, to read and to paste, never to run from
// here. null where they do not fit; those that are not known stay as they are.
export function filled(text, params) {
  const slots = text.match(/%%|%s|%\(/g)?.filter((slot) => slot !== "%%") ?? [];
  if (!params.length || slots.length !== params.length || slots.includes("%(")) return null;
  let at = 0;
  return text.replace(/%%|%s/g, (slot) => (slot === "%%" ? "%" : (literal(params[at++]) ?? slot)));
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard outside of secure contexts: the old command copies what is selected.
    const field = el("textarea", { class: "hidden", "aria-hidden": "true", tabindex: "-1" });
    field.value = text;
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    before?.focus({ preventScroll: true });
    return done;
  }
}

// `text()` is asked for when the button is pressed.
export function copyButton(label, text, title) {
  const button = el("button", { type: "button", "aria-live": "polite", title }, label);
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(text())) ? "Copied" : "Not allowed to copy";
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

export function start(kit) {
  ({ el } = kit);
}
