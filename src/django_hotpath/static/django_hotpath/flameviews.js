// What a flame graph shows of a tree: in time order, merged, or around one function.

let model;

// Bars in time order as a tree; `spans` as in the page's data: by lane, then by start, the outer
// before the inner one.
function timeTree(spans) {
  const columns = model.raw(spans.start.length + 1, { timed: true });
  const root = model.put(columns, -1, -1);
  const stack = [];
  let lane = -1;
  for (let i = 0; i < spans.start.length; i++) {
    if (spans.lane[i] !== lane) {
      lane = spans.lane[i];
      stack.length = 0;
    }
    while (stack.length && (columns.stop[stack.at(-1)] <= spans.start[i] || spans.end[i] > columns.stop[stack.at(-1)])) stack.pop();
    const node = model.put(columns, stack.at(-1) ?? root, spans.frame[i]);
    columns.start[node] = spans.start[i];
    columns.stop[node] = spans.end[i];
    columns.lane[node] = lane;
    columns.calls[node] = 1;
    stack.push(node);
  }
  columns.start[root] = spans.start.reduce((least, at) => Math.min(least, at), 0);
  for (const stop of spans.end) if (stop > columns.stop[root]) columns.stop[root] = stop;
  // A parent's own time is what none of its calls took, whatever is inside of those.
  const spent = new Float64Array(columns.n);
  for (let i = 1; i < columns.n; i++)
    if (columns.lane[i] === 0 || columns.parent[i] !== root) spent[columns.parent[i]] += columns.stop[i] - columns.start[i];
  for (let i = 0; i < columns.n; i++) columns.own[i] = Math.max(columns.stop[i] - columns.start[i] - spent[i], 0);
  return model.arrange(columns);
}

// Outermost calls of each frame: calls, own and total, a call inside a call of itself counted once.
function functions(tree, F) {
  const n = F.name.length;
  const figures = { own: new Float64Array(n), total: new Float64Array(n), calls: new Float64Array(n) };
  const until = new Int32Array(n);
  for (let i = 1; i < tree.n; i++) {
    const f = tree.frame[i];
    if (f < 0) continue;
    figures.own[f] += tree.own[i];
    figures.calls[f] += tree.calls[i];
    if (i < until[f]) continue;
    until[f] = tree.end[i];
    figures.total[f] += tree.total[i];
  }
  return figures;
}

function outermost(tree, frame) {
  const found = [];
  for (let i = 1; i < tree.n; i++)
    if (tree.frame[i] === frame) {
      found.push(i);
      i = tree.end[i] - 1;
    }
  return found;
}

function child(columns, known, parent, frame) {
  const key = parent * 4194304 + frame;
  let node = known.get(key);
  if (node === undefined) {
    node = model.put(columns, parent, frame);
    known.set(key, node);
  }
  return node;
}

// What a function calls, over all of its calls.
function callees(tree, frame) {
  const columns = model.raw(tree.n, { diff: Boolean(tree.own0) });
  const known = new Map();
  const root = model.put(columns, -1, frame);
  const to = new Int32Array(tree.n);
  for (const top of outermost(tree, frame))
    for (let i = top; i < tree.end[top]; i++) {
      to[i] = i === top ? root : child(columns, known, to[tree.parent[i]], tree.frame[i]);
      model.addTo(columns, to[i], tree, i);
      columns.calls[to[i]] += tree.calls[i];
    }
  return model.arrange(columns);
}

// Who calls it: a tree from the function to its callers, to theirs. The total of a node is the time
// that the function took when called by way of it.
function callers(tree, frame) {
  const tops = outermost(tree, frame);
  const room = tops.reduce((sum, top) => sum + tree.depth[top], 1);
  const columns = model.raw(room, { diff: Boolean(tree.own0) });
  const known = new Map();
  const root = model.put(columns, -1, frame);
  for (const top of tops) {
    let node = root;
    columns.calls[root] += tree.calls[top];
    for (let i = tree.parent[top]; i > 0; i = tree.parent[i]) {
      node = child(columns, known, node, tree.frame[i]);
      columns.calls[node] += tree.calls[top];
    }
    columns.own[node] += tree.total[top];
    if (tree.own0) columns.own0[node] += tree.total0[top];
  }
  return model.arrange(columns);
}

// A picture: nodes with their places, and in each row their order from left to right.
function picture(tree, F, { lanes = false } = {}) {
  const row = Int32Array.from(tree.depth);
  const labels = [];
  if (lanes) {
    const deepest = [];
    for (let i = 1; i < tree.n; i++) deepest[tree.lane[i]] = Math.max(deepest[tree.lane[i]] ?? 0, tree.depth[i]);
    let at = 0;
    const offset = [];
    deepest.forEach((depth, lane) => {
      offset[lane] = at;
      if (lane) labels.push({ row: at, text: `at the same time: task or thread ${lane}` });
      at += depth + (lane ? 0 : 1);
    });
    for (let i = 1; i < tree.n; i++) row[i] += offset[tree.lane[i]];
  }
  return placed({ tree, F, n: tree.n, row, x: tree.x, w: tree.weight, side: null, labels });
}

// Callers above, the function, its callees below. `fold(tree, F, side)` gives {tree, F, origin}, as
// flameFold.fold; side 0 is below, 1 above.
function sandwich(tree, F0, frame, fold = (tree, F) => ({ tree, F, origin: tree.from.map((_, i) => i) })) {
  const { tree: below, F: F1, origin } = fold(callees(tree, frame), F0, 0);
  const { tree: above, F, origin: originAbove } = fold(callers(tree, frame), F1, 1);
  const n = below.n + above.n - 1;
  const joined = { n };
  for (const name of ["parent", "frame", "end", "own", "rest", "total", "calls", "wait", "weight", "x", "own0", "total0", "rest0"]) {
    if (!below[name]) continue;
    joined[name] = new below[name].constructor(n);
    joined[name].set(below[name]);
    joined[name].set(above[name].subarray(1), below.n);
  }
  const middle = above.depth.reduce((most, depth) => Math.max(most, depth), 0);
  const row = new Int32Array(n);
  const side = new Int8Array(n);
  for (let i = 0; i < below.n; i++) row[i] = middle + below.depth[i];
  for (let i = 1; i < above.n; i++) {
    const node = below.n + i - 1;
    row[node] = middle - above.depth[i];
    side[node] = -1;
    joined.parent[node] = above.parent[i] ? below.n + above.parent[i] - 1 : 0;
    joined.end[node] = below.n + above.end[i] - 1;
    joined.own[node] = joined.rest[node] = 0;
    // Above and below are as wide as the function, whatever the sums of floats say.
    if (above.weight[0] > 0) {
      joined.x[node] = (above.x[i] / above.weight[0]) * below.weight[0];
      joined.weight[node] = (above.weight[i] / above.weight[0]) * below.weight[0];
    }
  }
  const origins = Int32Array.from([...origin, ...originAbove.slice(1)]);
  return placed({ tree: joined, F, n, row, x: joined.x, w: joined.weight, side, origin: origins, labels: [], middle });
}

function placed(picture) {
  const { n, row, x, w } = picture;
  let rows = 0;
  for (let i = 0; i < n; i++) rows = Math.max(rows, row[i] + 1);
  const counts = new Int32Array(rows);
  for (let i = 0; i < n; i++) counts[row[i]]++;
  const byRow = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  // Preorder is from left to right already, within a row.
  for (let i = 0; i < n; i++) byRow[row[i]][counts[row[i]]++] = i;
  return { ...picture, rows, byRow, left: n ? x[0] : 0, width: n ? w[0] : 0, layers: layersOf(picture) };
}

function layersOf({ tree, F, side }) {
  const found = model.layers(tree, F);
  // A caller of a statement is not inside of it.
  if (side) for (let i = 0; i < tree.n; i++) if (side[i] < 0) found[i] = F.layer[tree.frame[i]];
  return found;
}

// Which frames match all words, in their name, file or layer; null: no words.
function search(F, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const text = (f) => (F.texts[f] ??= `${F.name[f]} ${F.files[F.file[f]] ?? ""} ${F.layers[F.layer[f]]?.label ?? ""}`.toLowerCase());
  const hits = new Uint8Array(F.name.length);
  for (let f = 0; f < hits.length; f++) {
    const texts = F.folds.has(f) ? F.folds.get(f).map(text) : [text(f)];
    hits[f] = Number(texts.some((one) => words.every((word) => one.includes(word))));
  }
  return hits;
}

// How many nodes match, and the time in them; a match inside of a match counts once.
function matched(tree, hits) {
  let count = 0;
  let time = 0;
  let until = 0;
  for (let i = 1; i < tree.n; i++) {
    if (!hits[tree.frame[i]]) continue;
    count++;
    if (i < until) continue;
    until = tree.end[i];
    time += tree.total[i];
  }
  return { count, time };
}

export const flameViews = { callees, callers, functions, matched, outermost, picture, sandwich, search, timeTree };

export function start(kit) {
  model = kit.flameModel;
}
