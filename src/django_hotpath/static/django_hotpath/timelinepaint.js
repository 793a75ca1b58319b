// Draws one track of the timeline on its canvas, and the axis above all of them.

export const ROW = 16;
const GAP = 2;
const PAD = 3;
const FONT = "11px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

export const trackHeight = (track) => track.rows * (ROW + GAP) - GAP + 2 * PAD;

// A canvas of that size in CSS pixels, ready to be drawn on.
function surface(canvas, width, height) {
  const scale = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const paint = canvas.getContext("2d");
  paint.setTransform(scale, 0, 0, scale, 0, 0);
  paint.clearRect(0, 0, width, height);
  paint.font = FONT;
  paint.textBaseline = "middle";
  return paint;
}

// Round values between `from` and `to`, so many that their labels have room.
export function ticks(from, to, width) {
  const span = to - from;
  if (!(span > 0)) return [];
  const wanted = span / Math.max(width / 90, 2);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map((by) => by * power).find((by) => by >= wanted);
  const found = [];
  for (let i = Math.ceil(from / step); i * step <= to; i += 1) found.push(i * step);
  return found;
}

export function paintAxis(canvas, { from, to }, width, colours, text) {
  const paint = surface(canvas, width, 20);
  for (const at of ticks(from, to, width)) {
    const x = ((at - from) / (to - from)) * width;
    paint.fillStyle = colours.line;
    paint.fillRect(Math.round(x), 14, 1, 6);
    paint.fillStyle = colours.quiet;
    const label = text(at);
    const half = paint.measureText(label).width / 2;
    paint.fillText(label, Math.min(Math.max(x - half, 0), width - 2 * half), 7);
  }
}

// How many bars were drawn: of several that fall on the same pixel one.
export function paintTrack(canvas, track, { from, to }, width, colours, { chosen, hovered }) {
  const paint = surface(canvas, width, trackHeight(track));
  const scale = width / (to - from);
  paint.fillStyle = colours.line;
  for (const at of ticks(from, to, width)) {
    paint.fillRect(Math.round((at - from) * scale), 0, 1, trackHeight(track));
  }
  const failed = new Set(track.failed);
  let drawn = 0;
  let row = -1;
  let end = -1;
  for (let i = 0; i < track.count; i += 1) {
    const begin = (track.start[i] - from) * scale;
    const length = Math.max(track.ms[i] * scale, 1);
    if (track.row[i] !== row) [row, end] = [track.row[i], -1];
    if (begin + length < 0 || begin > width || begin + length <= end) continue;
    const x = Math.max(begin, end, 0);
    const w = Math.max(Math.min(begin + length, width) - x - (length > 3 ? 0.5 : 0), 0.5);
    const y = PAD + row * (ROW + GAP);
    paint.fillStyle = failed.has(i) ? colours.failed : colours.fill;
    paint.fillRect(x, y, w, ROW);
    end = x + w;
    drawn += 1;
    if (w > 36) {
      paint.save();
      paint.beginPath();
      paint.rect(x, y, w - 3, ROW);
      paint.clip();
      paint.fillStyle = colours.on;
      paint.fillText(track.what(i).slice(0, Math.ceil(w / 5)), x + 4, y + ROW / 2 + 0.5);
      paint.restore();
    }
  }
  for (const [index, weight] of [[hovered, 1], [chosen, 2]]) {
    if (index === null || index === undefined) continue;
    const begin = (track.start[index] - from) * scale;
    const length = Math.max(track.ms[index] * scale, 2);
    paint.strokeStyle = colours.text;
    paint.lineWidth = weight;
    paint.strokeRect(begin - 0.5, PAD + track.row[index] * (ROW + GAP) - 0.5, length + 1, ROW + 1);
  }
  return drawn;
}

// The bar at a place of the canvas, or null; bars that are narrow may be missed by two pixels.
export function barAt(track, { from, to }, width, x, y) {
  const row = Math.floor((y - PAD) / (ROW + GAP));
  const scale = width / (to - from);
  let best = null;
  let nearest = 2.5;
  for (let i = 0; i < track.count; i += 1) {
    if (track.row[i] !== row) continue;
    const begin = (track.start[i] - from) * scale;
    const end = begin + Math.max(track.ms[i] * scale, 1);
    const away = x < begin ? begin - x : x > end ? x - end : 0;
    if (away < nearest) [best, nearest] = [i, away];
    if (away === 0) return i;
  }
  return best;
}
