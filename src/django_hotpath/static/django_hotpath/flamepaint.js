// Draws a picture of bars on a canvas. Whatever the number of nodes, it draws at most about two
// bars for each pixel of a row: what is narrower is one bar with its neighbours.

const ROW = 20;
const RULER = 20;
const PAD = 6;
const FONT = 12;
// Bars become stronger in colour with the time spent in the function itself, in so many steps.
const STEPS = 5;
const LEAST_TEXT = 26;

// The colours of the page as they are now, light or dark; `probe` is an element to try them on.
function palette(probe, layers) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.canvas.width = canvas.canvas.height = 1;
  const rgb = (variable, fallback = "var(--stdlib)") => {
    probe.style.color = `var(${variable}, ${fallback})`;
    canvas.fillStyle = "#888";
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const mix = (a, b, share) => `rgb(${a.map((v, i) => Math.round(v * share + b[i] * (1 - share))).join(" ")})`;
  const surface = rgb("--surface");
  const text = rgb("--text");
  const css = (value) => mix(value, value, 1);
  const tones = layers.map(({ tone }) => rgb(`--${tone}`));
  const dark = surface[0] < 128;
  const strength = Array.from({ length: STEPS }, (_, i) => (dark ? 0.24 : 0.22) + (i / (STEPS - 1)) * (dark ? 0.26 : 0.36));
  const grew = rgb("--flame-grew");
  const shrank = rgb("--flame-shrank");
  const change = [0.15, 0.3, 0.45, 0.6];
  return {
    surface: css(surface), text: css(text), quiet: css(rgb("--quiet")), line: css(rgb("--line")),
    strong: css(rgb("--line-strong")), accent: css(rgb("--accent")), sunken: css(rgb("--sunken")),
    tones: tones.map(css),
    fills: tones.map((tone) => strength.map((share) => mix(tone, surface, share))),
    // Small and without text, as in the overview, they may be stronger.
    bold: tones.map((tone) => strength.map((share) => mix(tone, surface, share * 1.5 + 0.1))),
    plain: css(rgb("--sunken")),
    change: [...change.map((s) => mix(shrank, surface, s)).reverse(), mix(rgb("--stdlib"), surface, 0.2), ...change.map((s) => mix(grew, surface, s))],
    sans: getComputedStyle(probe).fontFamily,
  };
}

// The fill of each node as a number: painting only looks it up.
function fills(picture, diff) {
  const { tree, layers, n } = picture;
  const found = new Int16Array(n);
  let most = 0;
  for (let i = 1; i < n; i++) most = Math.max(most, diff ? Math.abs(tree.own[i] - tree.own0[i]) : tree.own[i]);
  for (let i = 0; i < n; i++) {
    if (diff) found[i] = step(tree.own[i] - tree.own0[i], most);
    else found[i] = layers[i] < 0 ? -1 : layers[i] * STEPS + (most > 0 ? Math.round(Math.sqrt(Math.min(tree.own[i] / most, 1)) * (STEPS - 1)) : 0);
  }
  return found;
}

// -4…4: how much shorter or longer, as a share of the greatest change.
function step(change, most) {
  const share = most > 0 ? Math.abs(change) / most : 0;
  const size = share < 0.01 ? 0 : share < 0.1 ? 1 : share < 0.3 ? 2 : share < 0.6 ? 3 : 4;
  return change < 0 ? -size : size;
}

const widths = new Map();
function widthOf(ctx, text) {
  const key = ctx.font + text;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 20000) widths.clear();
    width = ctx.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

// As much of the text as fits, with an ellipsis; "" where not even two letters do.
function fitted(ctx, text, room) {
  if (widthOf(ctx, text) <= room) return text;
  let low = 1;
  let high = text.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(ctx, `${text.slice(0, middle)}…`) <= room) low = middle;
    else high = middle - 1;
  }
  const cut = `${text.slice(0, low)}…`;
  return low >= 2 && widthOf(ctx, cut) <= room ? cut : "";
}

// Control characters would not show, direction marks would turn what follows: they are drawn as dots.
const shown = (text) => text.slice(0, 300).replace(/\s+/g, " ").replace(/[\u0000-\u001f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "·");

const TAGS = { sql: "SQL", cache: "cache", template: "template", http: "HTTP", middleware: "middleware" };

// The first node of a row that ends beyond `at`.
function firstAfter(picture, ids, at) {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (picture.x[ids[middle]] + picture.w[ids[middle]] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Draws rows of bars. `view`: from, to (ms), top (px), width, height, row (px), text (bool), colours,
// fills, hits (by frame, or null), dims (by layer, or null), selected, hover, focused, least (px: what
// is narrower is drawn with its neighbours). Gives how many bars it drew.
function paint(ctx, picture, view) {
  const { tree, F, x, w } = picture;
  const { colours, hits, dims, least = 1 } = view;
  const scale = view.width / (view.to - view.from);
  const begin = Math.max(Math.floor(view.top / view.row), 0);
  const end = Math.min(Math.ceil((view.top + view.height) / view.row), picture.rows);
  const height = view.row > 4 ? view.row - 1 : view.row;
  const texts = [];
  let bars = 0;
  let fill = null;
  let faded = false;
  const bright = hits || dims ? (node) => (!hits || hits[tree.frame[node]]) && !(dims && dims[picture.layers[node]]) : null;
  for (let r = begin; r < end; r++) {
    const ids = picture.byRow[r];
    const y = r * view.row - view.top;
    let k = firstAfter(picture, ids, view.from);
    while (k < ids.length) {
      const node = ids[k];
      if (x[node] >= view.to) break;
      const left = Math.max((x[node] - view.from) * scale, 0);
      const right = Math.min((x[node] + w[node] - view.from) * scale, view.width);
      let next = k + 1;
      let stop = right;
      if (right - left < least) {
        // What is as narrow and begins within this pixel is one bar; of a search it shows if any matches.
        const edge = (Math.floor(left / least) + 1) * least;
        const pixel = view.from + edge / scale;
        while (next < ids.length && x[ids[next]] < pixel && w[ids[next]] * scale < least && next - k < 64) next++;
        if (next - k >= 64) next = Math.max(firstAfter(picture, ids, pixel), next);
        const last = ids[next - 1];
        stop = Math.min(Math.max((x[last] + w[last] - view.from) * scale, edge), view.width);
      }
      const colour = colours[view.diff ? "change" : view.text ? "fills" : "bold"];
      const key = view.fills[node];
      const wanted = view.diff ? colour[key + 4] : key < 0 ? colours.plain : colour[(key / STEPS) | 0][key % STEPS];
      if (wanted !== fill) ctx.fillStyle = fill = wanted;
      const faint = bright && !bright(node) && (next === k + 1 || !any(ids, k, next, bright));
      if (faint !== faded) ctx.globalAlpha = (faded = faint) ? 0.28 : 1;
      const gap = stop - left > 3 ? 1 : 0;
      ctx.fillRect(left, y, stop - left - gap, height);
      bars++;
      if (view.text) {
        const kind = F.kinds[F.kind[tree.frame[node]]];
        if (TAGS[kind] && stop - left > 4) {
          ctx.fillStyle = fill = colours.tones[picture.layers[node]] ?? colours.quiet;
          ctx.fillRect(left, y, 3, height);
        }
        if (stop - left >= LEAST_TEXT) texts.push(node, left, stop - gap, y, faint);
      }
      k = next;
    }
  }
  ctx.globalAlpha = 1;
  if (view.text) {
    write(ctx, picture, view, texts);
    outline(ctx, picture, view, scale);
  }
  return bars;
}

function any(ids, from, to, test) {
  for (let k = from; k < to; k++) if (test(ids[k])) return true;
  return false;
}

function write(ctx, { tree, F }, view, texts) {
  ctx.textBaseline = "middle";
  ctx.direction = "ltr";
  for (let t = 0; t < texts.length; t += 5) {
    const [node, left, right, y, faint] = texts.slice(t, t + 5);
    const frame = tree.frame[node];
    const kind = F.folds.has(frame) ? "fold" : F.kinds[F.kind[frame]];
    let at = left + PAD;
    const room = () => right - at - 3;
    ctx.globalAlpha = faint ? 0.5 : 1;
    if (kind === "fold" || TAGS[kind]) {
      const tag = kind === "fold" ? "+" : TAGS[kind];
      ctx.font = `600 ${FONT - 1}px ${view.colours.sans}`;
      ctx.fillStyle = view.colours.text;
      const width = widthOf(ctx, tag);
      if (width + 4 <= room()) {
        ctx.fillText(tag, at, y + view.row / 2);
        at += width + 6;
      }
    }
    ctx.font = `${kind === "fold" ? "italic " : ""}${FONT}px ${view.colours.sans}`;
    ctx.fillStyle = view.colours.text;
    const name = frame < 0 ? view.rootName : shown(F.name[frame]);
    const text = fitted(ctx, name, room());
    if (!text) continue;
    ctx.fillText(text, at, y + view.row / 2);
    if (text !== name) continue;
    // How long it took, where there is room beside the name.
    at += widthOf(ctx, text) + 10;
    const figure = view.figure(node);
    const width = widthOf(ctx, figure);
    if (width > room() || right - left < 120) continue;
    ctx.globalAlpha = faint ? 0.4 : 0.72;
    ctx.fillText(figure, right - width - PAD, y + view.row / 2);
  }
  ctx.globalAlpha = 1;
}

function outline(ctx, picture, view, scale) {
  for (const [node, colour, width] of [
    [view.hover, view.colours.text, 1],
    [view.selected, view.colours.accent, 2],
  ]) {
    if (node < 0) continue;
    const left = Math.max((picture.x[node] - view.from) * scale, 0);
    const right = Math.min((picture.x[node] + picture.w[node] - view.from) * scale, view.width);
    if (right < 0 || left > view.width) continue;
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    const inset = width / 2;
    const y = picture.row[node] * view.row - view.top;
    ctx.strokeRect(left + inset, y + inset, Math.max(right - left - width, 1), view.row - 1 - width);
  }
  ctx.fillStyle = view.colours.quiet;
  ctx.font = `${FONT - 1}px ${view.colours.sans}`;
  for (const { row, text } of picture.labels ?? []) ctx.fillText(text, PAD, (row + 1) * view.row - view.top - view.row / 2);
}

// Round times along the top: about one for each 110 pixels.
function ruler(ctx, view, text) {
  const span = view.to - view.from;
  const rough = span / Math.max(view.width / 110, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const every = power * [1, 2, 5, 10].find((times) => power * times >= rough);
  ctx.font = `${FONT - 1}px ${view.colours.sans}`;
  ctx.textBaseline = "middle";
  ctx.fillStyle = view.colours.quiet;
  for (let at = Math.ceil((view.from - view.zero) / every) * every; at <= view.to - view.zero; at += every) {
    const x = Math.round(((at + view.zero - view.from) / span) * view.width) + 0.5;
    ctx.fillRect(x - 0.5, 0, 1, RULER);
    const label = text(at, every);
    if (x + ctx.measureText(label).width + 6 < view.width) ctx.fillText(label, x + 4, RULER / 2);
  }
}

// The node at a place, or -1.
function at(picture, view, px, py) {
  const row = Math.floor((py + view.top) / view.row);
  const ids = picture.byRow[row];
  if (!ids || row < 0) return -1;
  const time = view.from + (px / view.width) * (view.to - view.from);
  const node = ids[firstAfter(picture, ids, time)];
  if (node === undefined) return -1;
  // A bar that is not a pixel wide can be hit all the same.
  const slack = (view.to - view.from) / view.width;
  return picture.x[node] <= time + slack ? node : -1;
}

export const flamePainter = { ROW, RULER, at, fills, paint, palette, ruler, shown, step };
