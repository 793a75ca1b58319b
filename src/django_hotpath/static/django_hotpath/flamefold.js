// Frames that only pass through, as one: the thirty wrappers between the server and the view.

let model;

// Code of others; what is named (a statement, a template) is never hidden in a run.
const PLUMBING = new Set(["django", "library", "stdlib", "builtin", "middleware"]);
// These pass on by their nature, whatever else runs beside: most of their time must be in one call.
const WRAPPERS =
  /(^|\.)(inner|wrapper|wrapped|_wrapper_view|_wrapped_view|view_wrapper|__call__|__acall__|get_response|get_response_async|_get_response|_get_response_async|render_annotated|rendered_content|dispatch|as_view\.<locals>\.view|instrumented_test_render|thread_handler|main_wrap|run_in_context)$|^(SyncToAsync|AsyncToSync|NodeList|Context)\./;
const MOST = 0.95;
const MOST_OF_WRAPPER = 0.5;
const OWN = 0.05;
const OWN_OF_WRAPPER = 0.15;
// So many frames at least are worth a run; of middleware that is known by name, two.
const RUN = 3;

// Of each frame: 0 no plumbing, 1 code of others, 2 a wrapper.
const WRAPS = 2;
function plumbing(F) {
  return Uint8Array.from(F.name, (name, frame) => {
    const kind = model.kindOf(F, frame);
    if (!PLUMBING.has(kind)) return 0;
    return kind === "middleware" || WRAPPERS.test(name) ? WRAPS : 1;
  });
}

// Whether a node only passes on to its heaviest child, which is given too.
function passes(tree, kinds, node) {
  const kind = kinds[tree.frame[node]];
  const whole = tree.weight[node];
  if (!kind || whole <= 0) return -1;
  let heavy = -1;
  for (let c = node + 1; c < tree.end[node]; c = tree.end[c])
    if (heavy < 0 || tree.weight[c] > tree.weight[heavy]) heavy = c;
  if (heavy < 0) return -1;
  const wraps = kind === WRAPS;
  const own = tree.own[node] + tree.rest[node];
  if (tree.weight[heavy] < whole * (wraps ? MOST_OF_WRAPPER : MOST)) return -1;
  return own <= whole * (wraps ? OWN_OF_WRAPPER : OWN) ? heavy : -1;
}

// The chains of such nodes, each from its outermost on; at least as long as is worth it.
// With `ends` a frame that calls nothing may be the last of a chain.
function runs(tree, F, ends = false) {
  const inside = new Uint8Array(tree.n);
  const kinds = plumbing(F);
  const found = [];
  for (let i = 1; i < tree.n; i++) {
    if (inside[i]) continue;
    const chain = [];
    let node = i;
    for (let next; (next = passes(tree, kinds, node)) >= 0; node = next) {
      chain.push(node);
      inside[node] = 1;
    }
    if (ends && kinds[tree.frame[node]] && tree.end[node] === node + 1) chain.push(node);
    const named = chain.filter((node) => model.kindOf(F, tree.frame[node]) === "middleware").length;
    if (chain.length >= RUN || (named && chain.length >= 2)) found.push(chain);
  }
  return found;
}

const shortName = (name) => name.slice(name.lastIndexOf(".") + 1);
const PARTS = { orm: "django ORM", template: "django templates", cache: "django cache", middleware: "django middleware" };

function nameOf(tree, F, chain) {
  const frames = chain.map((node) => tree.frame[node]);
  const middleware = frames.filter((frame) => model.kindOf(F, frame) === "middleware");
  if (middleware.length === 1) return shortName(F.name[middleware[0]]);
  if (middleware.length) return `${middleware.length} middlewares`;
  const keys = [...new Set(frames.map((frame) => F.layers[F.layer[frame]].key))];
  const packages = keys.map((key) =>
    key.startsWith("package:") ? key.slice(8) : key === "stdlib" || key === "generated" ? "Python" : "django",
  );
  const of = keys.length === 1 && PARTS[keys[0]] ? PARTS[keys[0]] : [...new Set(packages)].join(", ");
  return `${chain.length} frames of ${of}`;
}

function commonest(values) {
  const seen = new Map();
  for (const value of values) seen.set(value, (seen.get(value) ?? 0) + 1);
  return [...seen].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

// The tree in which each run is one node, except those whose first node is in `open`.
// Gives {tree, F, origin, runs}: `origin` has for each node the one that it was (of a run the
// outermost); `runs` has the nodes of each run by its outermost node. What runs call beside the
// chain stays below them, and their own time stays theirs.
function fold(tree, F, open, { ends } = {}) {
  const all = runs(tree, F, ends);
  const closed = all.filter((chain) => !open.has(chain[0]));
  const target = new Int32Array(tree.n).fill(-1);
  const extended = {
    ...F, name: [...F.name], file: [...F.file], line: [...F.line], layer: [...F.layer], kind: [...F.kind],
    row: [...F.row], encloses: [...F.encloses], texts: [...F.texts], folds: new Map(F.folds),
  };
  const frameOf = new Map();
  for (const chain of closed) {
    for (const node of chain) target[node] = chain[0];
    const frame = extended.name.length;
    extended.name.push(nameOf(tree, F, chain));
    for (const name of ["file", "kind", "row", "encloses"]) extended[name].push(-1);
    extended.line.push(0);
    extended.layer.push(commonest(chain.map((node) => F.layer[tree.frame[node]])));
    extended.folds.set(frame, chain.map((node) => tree.frame[node]));
    frameOf.set(chain[0], frame);
  }
  const heads = new Map();
  const origins = [];
  const folded = model.rebuild(
    tree,
    (i, p, columns) => {
      const head = target[i];
      if (head >= 0 && head !== i) return model.into(heads.get(head));
      const node = columns.n;
      if (head === i) heads.set(i, node);
      origins[node] = i;
      return head === i ? frameOf.get(i) : tree.frame[i];
    },
    { merge: false },
  );
  origins[0] = 0;
  const origin = folded.from.map((node) => origins[node]);
  return { tree: folded, F: extended, origin, runs: new Map(all.map((chain) => [chain[0], chain])) };
}

// A run's calls are those of its outermost frame.
function foldWithCalls(tree, F, open, options) {
  const found = fold(tree, F, open, options);
  for (let i = 0; i < found.tree.n; i++)
    if (found.F.folds.has(found.tree.frame[i])) found.tree.calls[i] = tree.calls[found.origin[i]];
  return found;
}

export const flameFold = { fold: foldWithCalls, runs };

export function start(kit) {
  model = kit.flameModel;
}
