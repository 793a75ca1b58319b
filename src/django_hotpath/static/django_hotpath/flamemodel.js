// Call trees as typed arrays, without a page: reading, rebuilding, arranging, searching.
//
// A tree's nodes are in preorder: node 0 is the root, a node's descendants are those after it up
// to (not including) `end[node]`. Times are milliseconds. `rest` is time of nodes that were left
// out of the page: total = own + rest + the children's totals. `weight` is what a bar's width
// stands for: the total, and in a comparison the larger of before and after, summed up from own
// times, so that what vanished has a width and children never exceed their parent.

// What runs below one of these is part of it: the driver, the client, the socket.
const ENCLOSING = { sql: "database", cache: "cache", http: "http" };
export const NAMED = ["sql", "cache", "template", "http", "middleware"];

// The frames of the page's data; views append frames of their own to copies.
function frames(data) {
  const { name, file, line, layer, kind, row } = data.frames;
  const layerOf = Object.fromEntries(data.layers.map(({ key }, i) => [key, i]));
  const encloses = kind.map((k) => layerOf[ENCLOSING[data.kinds?.[k]]] ?? -1);
  return {
    name, file, line, layer, kind, row: row ?? name.map(() => -1), encloses,
    files: data.files, kinds: data.kinds ?? [], layers: data.layers,
    tools: layerOf.tools ?? -1, count: name.length, folds: new Map(), texts: [],
  };
}

const kindOf = (F, frame) => (frame < 0 ? "" : F.folds.has(frame) ? "fold" : (F.kinds[F.kind[frame]] ?? ""));

// Columns for up to `room` nodes; `diff` has figures from before, `timed` places on the time axis.
function raw(room, { diff = false, timed = false } = {}) {
  const columns = { n: 0 };
  for (const name of ["parent", "frame"]) columns[name] = new Int32Array(room);
  const figures = ["own", "rest", "calls", "wait", ...(diff ? ["own0", "rest0"] : []), ...(timed ? ["start", "stop"] : [])];
  for (const name of figures) columns[name] = new Float64Array(room);
  if (timed) columns.lane = new Int32Array(room);
  return columns;
}

function put(columns, parent, frame) {
  const node = columns.n++;
  columns.parent[node] = parent;
  columns.frame[node] = frame;
  return node;
}

// From the columns of the page to a tree.
function read(nodes, waits = []) {
  const n = nodes.parent.length;
  const diff = Boolean(nodes.own0);
  const left = (own, total) => {
    const rest = Float64Array.from(total);
    for (let i = 0; i < n; i++) {
      rest[i] -= own[i];
      if (nodes.parent[i] >= 0) rest[nodes.parent[i]] -= total[i];
    }
    // Differences of rounded figures are not exactly 0.
    return rest.map((value) => (value > 0.0005 ? value : 0));
  };
  const wait = new Float64Array(n);
  for (const [node, ms] of waits) wait[node] = ms;
  const columns = { ...nodes, n, rest: left(nodes.own, nodes.total), wait, calls: nodes.calls ?? new Float64Array(n) };
  if (diff) columns.rest0 = left(nodes.own0, nodes.total0);
  return arrange(columns);
}

// The order of preorder, children by weight, the largest first (on a time axis by start).
function arrange(columns) {
  const { n, parent, own, rest, own0, rest0, start, stop } = columns;
  const total = new Float64Array(n);
  const total0 = own0 ? new Float64Array(n) : null;
  const weight = new Float64Array(n);
  const first = new Int32Array(n + 1);
  for (let i = n - 1; i >= 0; i--) {
    if (start) weight[i] = total[i] = stop[i] - start[i];
    else {
      weight[i] += own0 ? Math.max(own[i], own0[i]) + Math.max(rest[i], rest0[i]) : own[i] + rest[i];
      total[i] += own[i] + rest[i];
      if (own0) total0[i] += own0[i] + rest0[i];
    }
    const p = parent[i];
    if (p < 0) continue;
    first[p + 1]++;
    if (start) continue;
    weight[p] += weight[i];
    total[p] += total[i];
    if (own0) total0[p] += total0[i];
  }
  for (let i = 0; i < n; i++) first[i + 1] += first[i];
  const children = new Int32Array(Math.max(n - 1, 0));
  const at = first.slice(0, n);
  for (let i = 0; i < n; i++) if (parent[i] >= 0) children[at[parent[i]]++] = i;
  const before = start ? (a, b) => start[a] - start[b] || a - b : (a, b) => weight[b] - weight[a] || a - b;
  const from = new Int32Array(n);
  const tree = {
    n, from,
    parent: new Int32Array(n).fill(-1), frame: new Int32Array(n), depth: new Int32Array(n), end: new Int32Array(n),
    own: new Float64Array(n), rest: new Float64Array(n), total: new Float64Array(n), calls: new Float64Array(n),
    wait: new Float64Array(n), weight: new Float64Array(n), x: new Float64Array(n),
    own0: own0 && new Float64Array(n), rest0: own0 && new Float64Array(n), total0,
    start: start && new Float64Array(n), stop: start && new Float64Array(n), lane: start && new Int32Array(n),
  };
  if (own0) tree.total0 = new Float64Array(n);
  const stack = n ? [0, -1, 0] : [];
  let next = 0;
  while (stack.length) {
    const x = stack.pop();
    const p = stack.pop();
    const i = stack.pop();
    const node = next++;
    from[node] = i;
    tree.parent[node] = p;
    tree.depth[node] = p < 0 ? 0 : tree.depth[p] + 1;
    tree.x[node] = start ? start[i] : x;
    tree.frame[node] = columns.frame[i];
    tree.own[node] = own[i];
    tree.rest[node] = rest[i];
    tree.calls[node] = columns.calls[i];
    tree.wait[node] = columns.wait[i];
    tree.total[node] = total[i];
    tree.weight[node] = weight[i];
    if (own0) {
      tree.own0[node] = own0[i];
      tree.rest0[node] = rest0[i];
      tree.total0[node] = total0[i];
    }
    if (start) {
      tree.start[node] = start[i];
      tree.stop[node] = stop[i];
      tree.lane[node] = columns.lane[i];
    }
    const below = children.subarray(first[i], first[i + 1]);
    if (below.length > 1) below.sort(before);
    let right = x + weight[i];
    if (!start) {
      right = x;
      for (const child of below) right += weight[child];
    }
    for (let k = below.length - 1; k >= 0; k--) {
      right -= weight[below[k]];
      stack.push(below[k], node, right);
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    tree.end[i] = Math.max(tree.end[i], i + 1);
    if (i) tree.end[tree.parent[i]] = Math.max(tree.end[tree.parent[i]], tree.end[i]);
  }
  return tree;
}

// A tree like the old one, in which siblings of the same frame are one node. `decide(node, parent,
// columns)` says where a node goes, `parent` being the new node of its parent: a frame number (a
// node of that frame), ABSORB (its time to the parent) or into(node).
const ABSORB = -1;
const into = (node) => -2 - node;
function rebuild(tree, decide, { merge = true } = {}) {
  const columns = raw(tree.n, { diff: Boolean(tree.own0), timed: Boolean(tree.start) });
  const to = new Int32Array(tree.n);
  const known = new Map();
  for (let i = 0; i < tree.n; i++) {
    const p = i ? to[tree.parent[i]] : -1;
    const decided = i ? decide(i, p, columns) : tree.frame[0];
    let node;
    if (i && decided < 0) node = decided === ABSORB ? p : -2 - decided;
    else {
      const key = p * 4194304 + decided;
      node = merge ? known.get(key) : undefined;
      if (node === undefined) {
        node = put(columns, p, decided);
        if (merge) known.set(key, node);
        if (tree.start) {
          columns.start[node] = tree.start[i];
          columns.stop[node] = tree.stop[i];
          columns.lane[node] = tree.lane[i];
        }
      }
    }
    to[i] = node;
    addTo(columns, node, tree, i);
    if (i && decided === ABSORB) continue;
    columns.calls[node] += tree.calls[i];
    columns.wait[node] += tree.wait[i];
  }
  return arrange(columns);
}

function addTo(columns, node, tree, i) {
  columns.own[node] += tree.own[i];
  columns.rest[node] += tree.rest[i];
  if (!tree.own0) return;
  columns.own0[node] += tree.own0[i];
  columns.rest0[node] += tree.rest0[i];
}

const merge = (tree) => rebuild(tree, (i) => tree.frame[i]);

// Whose time each node is: what encloses it, else its frame's layer; -1 for the root.
function layers(tree, F) {
  const found = new Int32Array(tree.n).fill(-1);
  const around = new Int32Array(tree.n).fill(-1);
  for (let i = 0; i < tree.n; i++) {
    const f = tree.frame[i];
    const p = tree.parent[i];
    if (f < 0) continue;
    const here = F.encloses[f] >= 0 ? F.encloses[f] : p >= 0 ? around[p] : -1;
    around[i] = here;
    found[i] = here < 0 || F.layer[f] === F.tools ? F.layer[f] : here;
  }
  return found;
}

// Hides nodes: their time goes to whoever called them.
const hide = (tree, hidden, options) => rebuild(tree, (i) => (hidden(i) ? ABSORB : tree.frame[i]), options);

// A call of a function from itself becomes part of it; with `mutual` also by way of others.
function collapse(tree, { mutual = false, merge = true } = {}) {
  return rebuild(
    tree,
    (i, p, columns) => {
      const f = tree.frame[i];
      for (let a = p; a > 0; a = columns.parent[a]) {
        if (columns.frame[a] === f) return into(a);
        if (!mutual) break;
      }
      return f;
    },
    { merge },
  );
}

export const flameModel = {
  ABSORB, addTo, arrange, collapse, frames, hide, into, kindOf, layers, merge, put, raw, read, rebuild,
};
