// Elements and figures. The figures follow the same rules as report/formats.py.

const NBSP = "\u00a0";
const THIN = "\u202f";
const MISSING = "–";
const SVG = "http://www.w3.org/2000/svg";

// el("td", {class: "n"}, "text", node): attributes, never markup, so that no text can become HTML.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// bar([["solid", start, width]]): shares from 0 to 1.
export function bar(parts) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["class", "bar"],
    ["viewBox", "0 0 100 8"],
    ["preserveAspectRatio", "none"],
    ["aria-hidden", "true"],
  ])
    svg.setAttribute(key, value);
  for (const [tone, start, width] of parts) {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", tone);
    rect.setAttribute("x", (start * 100).toFixed(2));
    rect.setAttribute("width", width ? Math.max(width * 100, 0.4).toFixed(2) : "0");
    rect.setAttribute("height", "8");
    svg.append(rect);
  }
  return svg;
}

export function data(id) {
  const node = document.getElementById(id);
  return node ? JSON.parse(node.textContent) : null;
}

function grouped(text) {
  const [whole, fraction] = text.replace("-", "−").split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
  return fraction ? `${spaced}.${fraction}` : spaced;
}

export function decimal(value, digits = 2) {
  return value === null || value === undefined ? MISSING : grouped(value.toFixed(digits));
}

export function count(value) {
  return decimal(value, 0);
}

export function ms(value) {
  if (value === null || value === undefined) return MISSING;
  const size = Math.abs(value);
  if (size >= 10000) return `${decimal(value / 1000, 1)}${NBSP}s`;
  const digits = size >= 99.95 || size === 0 ? 0 : size >= 9.995 ? 1 : size >= 0.01 ? 2 : 3;
  return `${decimal(value, digits)}${NBSP}ms`;
}

export function percent(value) {
  if (value === null || value === undefined) return MISSING;
  if (value > 0 && value < 0.001) return `<${THIN}0.1${NBSP}%`;
  return `${(value * 100).toFixed(value < 0.9995 ? 1 : 0)}${NBSP}%`;
}

export function share(part, whole) {
  return part > 0 && whole > 0 ? Math.min(part / whole, 1) : 0;
}

export function shortPath(path) {
  const slashes = path.replaceAll("\\", "/");
  for (const marker of ["/site-packages/", "/dist-packages/"]) {
    const at = slashes.lastIndexOf(marker);
    const tail = slashes.slice(at + marker.length);
    if (at >= 0 && tail) return tail;
  }
  const at = slashes.lastIndexOf("/lib/python3");
  const cut = at < 0 ? -1 : slashes.indexOf("/", at + 12);
  return cut < 0 ? slashes : slashes.slice(cut + 1) || slashes;
}
