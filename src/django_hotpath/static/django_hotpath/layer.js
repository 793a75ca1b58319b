// Which layer of the time the reader looks at: chosen in the bar "Where the time went", followed by
// every section.
//
//   kit.chooseLayer(key)   a key as in analysis/layers.py, or null for all; the chosen one again: all
//   kit.currentLayer()     the chosen key, or null
//   kit.inLayer(key)       whether what belongs to layer `key` is to be shown: nothing is chosen, it is
//                          the chosen one, or one of those that the bar sums up ("other libraries")
//   "hotpath:layer"        an event on the document for each change, detail: the chosen key or null
//
// Elements with data-layer="<key>" need no code: they get the class "off" while another is chosen.
// The choice is kept in the fragment of the address, beside the tab: #queries&layer=orm.

let chosen = null;
let members = new Set();

export const currentLayer = () => chosen;
export const inLayer = (key) => chosen === null || key === chosen || members.has(key);

// The tab and the layer that the address names.
export function place() {
  const [tab, ...rest] = location.hash.slice(1).split("&");
  return { tab, layer: new URLSearchParams(rest.join("&")).get("layer") };
}

// Writes the tab into the address, with the layer; the page does not jump to it.
export function remember(tab) {
  const kept = [sections.get(tab), chosen !== null && `layer=${encodeURIComponent(chosen)}`];
  const query = kept.filter(Boolean).map((text) => `&${text}`).join("");
  history.replaceState(null, "", tab || query ? `#${tab}${query}` : location.href.split("#")[0]);
}

// What a section keeps there beside the layer, such as "q=book&kind=write"; see state.js.
const sections = new Map();

export function keepPlace(tab, query) {
  sections.set(tab, query);
  if (document.getElementById(tab)?.classList.contains("current")) remember(tab);
}

const buttons = () => document.querySelectorAll("[data-choose-layer]");

function button(key) {
  return [...buttons()].find((found) => found.dataset.chooseLayer === key);
}

export function chooseLayer(key) {
  show(key === chosen ? null : key);
  remember(place().tab);
}

function show(key) {
  const found = key === null ? undefined : button(key);
  chosen = found ? key : null;
  members = new Set(JSON.parse(found?.dataset.members ?? "[]"));
  for (const each of buttons())
    each.setAttribute("aria-pressed", String(each.dataset.chooseLayer === chosen));
  dim(document);
  for (const chip of document.querySelectorAll("[data-layer-chip]")) {
    chip.hidden = chosen === null;
    chip.querySelector("[data-layer-name]").textContent = found?.dataset.label ?? "";
  }
  document.querySelector(".shares")?.classList.toggle("choosing", chosen !== null);
  document.dispatchEvent(new CustomEvent("hotpath:layer", { detail: chosen }));
}

// For rows that were made after the choice.
export function dim(root) {
  for (const node of root.querySelectorAll("[data-layer]"))
    node.classList.toggle("off", !inLayer(node.dataset.layer));
}

// One stop of the Tab key for the bar: arrows move along its parts.
function rove(bar) {
  const parts = [...bar.querySelectorAll("[data-choose-layer]")];
  parts.forEach((part, i) => part.setAttribute("tabindex", i ? "-1" : "0"));
  bar.addEventListener("keydown", (event) => {
    const at = parts.indexOf(event.target);
    const last = parts.length - 1;
    const to = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    if (event.key === "Enter" || event.key === " ") chooseLayer(event.target.dataset.chooseLayer);
    else if (to === undefined) return;
    else {
      for (const part of parts) part.setAttribute("tabindex", "-1");
      parts[to].setAttribute("tabindex", "0");
      parts[to].focus();
    }
    event.preventDefault();
  });
}

export function start() {
  if (!buttons().length) return;
  document.querySelectorAll("[data-layer-bar]").forEach(rove);
  document.addEventListener("click", ({ target }) => {
    const part = target.closest?.("[data-choose-layer]");
    if (part) chooseLayer(part.dataset.chooseLayer);
    else if (target.closest?.("[data-all-layers]")) chooseLayer(null);
  });
  for (const found of document.querySelectorAll(".legend [disabled]")) found.disabled = false;
  addEventListener("hashchange", () => {
    if (place().layer !== chosen) show(place().layer);
  });
  // When every section listens.
  queueMicrotask(() => place().layer && show(place().layer));
}
