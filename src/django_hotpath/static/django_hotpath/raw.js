// The capture as it is stored: a tree that is unfolded step by step, never all at once.

const CHUNK = 100;
const FOUND = 200;
const LONG = 400;

let kit;

const isBranch = (value) => value !== null && typeof value === "object";

function label(name) {
  return name === null ? "capture" : String(name);
}

function summaryOf(value) {
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}${kit.count(size)}${close}`;
}

function leaf(value) {
  const text = JSON.stringify(value) ?? "null";
  const kind = value === null ? "null" : typeof value;
  if (text.length <= LONG) return kit.el("code", { class: `json-${kind}` }, text);
  const node = kit.el("code", { class: `json-${kind}` }, `${text.slice(0, LONG)}…`);
  const more = kit.el("button", { type: "button", class: "link" }, `all ${kit.count(text.length)} characters`);
  more.addEventListener("click", () => {
    node.textContent = text;
    more.remove();
  });
  return kit.el("span", {}, node, " ", more);
}

// One entry; what is below it is made when it is unfolded.
function entry(name, value) {
  const { el } = kit;
  const key = el("span", { class: "key" }, label(name));
  if (!isBranch(value)) return el("li", { "data-key": label(name) }, key, ": ", leaf(value));
  const details = el("details", {}, el("summary", {}, key, " ", el("span", { class: "quiet" }, summaryOf(value))));
  details.addEventListener("toggle", () => details.open && fill(details, value));
  return el("li", { "data-key": label(name) }, details);
}

function fill(details, value) {
  if (details.lastChild.tagName === "UL") return;
  const list = kit.el("ul");
  details.append(list);
  const pairs = Array.isArray(value) ? value.map((item, i) => [i, item]) : Object.entries(value);
  let shown = 0;
  const more = kit.el("button", { type: "button" });
  const add = (until) => {
    const next = pairs.slice(shown, until).map(([name, item]) => entry(name, item));
    more.remove();
    list.append(...next);
    shown = Math.min(until, pairs.length);
    if (shown === pairs.length) return;
    more.textContent = `${kit.count(Math.min(CHUNK, pairs.length - shown))} more of ${kit.count(pairs.length - shown)}`;
    list.append(more);
  };
  more.addEventListener("click", () => add(shown + CHUNK));
  details.addAll = (index) => index >= shown && add(index + 1);
  add(CHUNK);
}

// Unfolds the way to a value.
function reveal(root, path, top) {
  let at = root;
  let value = top;
  for (const name of path) {
    const details = at.querySelector(":scope > details");
    details.open = true;
    fill(details, value);
    const place = Array.isArray(value) ? name : Object.keys(value).indexOf(name);
    details.addAll?.(place);
    value = value[name];
    at = details.lastChild.children[place];
  }
  at.tabIndex = -1;
  at.focus({ preventScroll: true });
  at.scrollIntoView({ block: "center" });
}

// Keys and values that contain the text: paths, at most FOUND. Without recursion, deep data is no problem.
function search(top, text) {
  const found = [];
  const wanted = text.toLowerCase();
  const waiting = [[[], top]];
  let number = 0;
  while (waiting.length && found.length < FOUND) {
    const [path, value] = waiting.pop();
    number += 1;
    const name = path.at(-1);
    const hit = typeof name === "string" && name.toLowerCase().includes(wanted);
    if (isBranch(value)) {
      if (hit) found.push([path, summaryOf(value)]);
      const pairs = Array.isArray(value) ? value.map((item, i) => [i, item]) : Object.entries(value);
      for (let i = pairs.length - 1; i >= 0; i--) waiting.push([[...path, pairs[i][0]], pairs[i][1]]);
    } else if (hit || String(value).toLowerCase().includes(wanted)) found.push([path, String(value)]);
  }
  return { found, more: waiting.length > 0, number };
}

function pathText(path) {
  return path.map((name, i) => (typeof name === "number" ? `[${name}]` : `${i ? "." : ""}${name}`)).join("");
}

function offerSearch(box, tree, top) {
  const { el } = kit;
  const field = el("input", { type: "search", placeholder: "key or value", autocomplete: "off", spellcheck: "false" });
  const state = el("span", { class: "quiet", role: "status" });
  const list = el("ul", { class: "hits" });
  let timer = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = field.value.trim();
      const { found, more } = text ? search(top, text) : { found: [], more: false };
      state.textContent = text ? `${more ? "the first " : ""}${kit.count(found.length)} ${found.length === 1 ? "place" : "places"}` : "";
      list.replaceChildren(
        ...found.map(([path, value]) => {
          const button = el("button", { type: "button", class: "name" }, pathText(path) || "capture");
          button.addEventListener("click", () => reveal(tree, path, top));
          return el("li", {}, button, " ", el("code", { class: "quiet" }, value.length > 120 ? `${value.slice(0, 120)}…` : value));
        }),
      );
    }, 150);
  });
  box.append(el("label", {}, "Search ", field), state);
  return list;
}

async function load(box, url) {
  const { el } = kit;
  const state = el("p", { class: "quiet", role: "status" }, "Loading…");
  box.replaceChildren(state);
  try {
    const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`The server answered with status ${answer.status}.`);
    const text = await answer.text();
    const top = JSON.parse(text);
    const tree = el("div", { class: "json" });
    const whole = entry(null, top);
    tree.append(el("ul", {}, whole));
    const tools = el("div", { class: "tools" });
    const hits = offerSearch(tools, whole, top);
    tools.append(
      kit.copyButton("Copy the JSON", () => text, `${kit.count(text.length)} characters`),
      el("a", { href: url, download: "" }, "Download"),
    );
    box.replaceChildren(tools, hits, tree);
    whole.querySelector("details").open = true;
  } catch (error) {
    state.replaceChildren(el("strong", {}, "Not loaded. "), `${error.message} `, retry(box, url, "Try again"));
  }
}

function retry(box, url, text) {
  const button = kit.el("button", { type: "button" }, text);
  button.addEventListener("click", () => load(box, url));
  return button;
}

export function start(given) {
  kit = given;
  const box = document.querySelector("[data-raw]");
  // A file that was saved has no server to ask.
  if (!box || location.protocol === "file:") return;
  box.replaceChildren(retry(box, box.dataset.raw, "Show it here"));
}
