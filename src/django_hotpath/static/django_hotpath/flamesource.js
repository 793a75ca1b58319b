// The source lines of a function, fetched when somebody asks for them.

let kit;

export function flameSource(graph, row) {
  const { el } = kit;
  const { source } = graph.options;
  if (!source || row < 0) {
    const why = source
      ? "No source: this is no function of a file that was measured."
      : "Source lines are not part of this page: open the capture from the server that stored it to see them.";
    return el("p", { class: "quiet flame-nosource" }, why);
  }
  const body = el("div", { class: "flame-lines" });
  const details = el("details", { class: "flame-source" }, el("summary", {}, "Source lines"), body);
  // Who opened it once wants it for the next frame as well.
  details.open = graph.sourceOpen ?? false;
  const load = async () => {
    if (body.firstChild) return;
    body.replaceChildren(el("p", { class: "quiet" }, "Reading…"));
    try {
      show(body, await read(graph, source, row));
    } catch (error) {
      body.replaceChildren(el("p", { class: "quiet" }, `The source cannot be shown: ${error.message}`));
    }
  };
  details.addEventListener("toggle", () => {
    graph.sourceOpen = details.open;
    if (details.open) load();
  });
  if (details.open) load();
  return details;
}

async function read(graph, url, row) {
  graph.sources_ ??= new Map();
  if (!graph.sources_.has(row)) {
    const answer = await fetch(url.replace(/\/0\/$/, `/${row}/`), { headers: { Accept: "application/json" }, credentials: "same-origin" });
    const type = answer.headers.get("Content-Type") ?? "";
    if (!type.startsWith("application/json")) throw new Error(`the server answered with status ${answer.status}.`);
    graph.sources_.set(row, await answer.json());
  }
  const found = graph.sources_.get(row);
  if (found.error) throw new Error(found.error);
  return found;
}

function show(body, found) {
  const { el, decimal, count } = kit;
  const timed = found.measured === "ms";
  const most = Math.max(...found.lines.map((line) => line.ms ?? 0), 0);
  const head = timed
    ? [el("thead", {}, el("tr", {}, ...[["Line", "n"], ["Hits", "n"], ["ms", "n"], ["Source", ""]].map(([text, c]) => el("th", { scope: "col", class: c }, text))))]
    : [];
  const rows = found.lines.map((line) => {
    const hot = most > 0 && (line.ms ?? 0) >= most * 0.2;
    const figures = timed ? [el("td", { class: "n" }, line.hits ? count(line.hits) : ""), el("td", { class: "n" }, line.ms === undefined || line.ms === null ? "" : decimal(line.ms))] : [];
    return el(
      "tr",
      { class: [hot ? "hot" : "", line.line === found.line ? "def" : ""].join(" ").trim() || null },
      el("td", { class: "n line" }, kit.editorLink ? kit.editorLink(found.file, line.line, String(line.line)) : String(line.line)),
      ...figures,
      el("td", { class: "code" }, el("code", {}, line.text)),
    );
  });
  body.replaceChildren(
    el("div", { class: "flame-code", tabindex: "0", role: "region", "aria-label": `Source of ${found.function}` }, el("table", { class: "data" }, ...head, el("tbody", {}, ...rows))),
    ...(found.note ? [el("p", { class: "quiet" }, found.note)] : []),
  );
}

export function start(offered) {
  kit = offered;
}
