// One flame graph: what it shows (state) and how that becomes a picture. Drawing it is in
// flamecanvas.js. Controls, keys, details and the table listen to it:
// graph.on("change" | "select" | "hover" | "zoom" | "search", f).

let kit;
// What "only your code" leaves: the project, and what it asked others for.
const OURS = new Set(["project", "sql", "cache", "template", "http"]);

export class FlameGraph {
  constructor(data, options = {}) {
    const { flameModel } = kit;
    this.data = data;
    this.options = options;
    this.diff = Boolean(data.diff);
    this.F = flameModel.frames(data);
    const [first = {}, ...others] = data.sources ?? [];
    this.sources = [{ label: "", note: "", ...data, ...first }, ...others];
    this.state = {
      source: 0, view: "heavy", fold: true, hidden: new Set(), only: false, recursion: "", focus: -1, query: "",
    };
    this.listeners = {};
    this.cache = new Map();
    this.open = [new Set(), new Set()];
    this.selected = this.hover = -1;
    this.zoomed = 0;
    this.bars = 0;
  }

  on(name, listener) {
    (this.listeners[name] ??= []).push(listener);
  }

  emit(name) {
    for (const listener of this.listeners[name] ?? []) listener(this);
  }

  get source() {
    return this.sources[this.state.source];
  }

  get total() {
    return this.shaped().total[0] || 1;
  }

  remember(key, make) {
    if (!this.cache.has(key)) {
      if (this.cache.size > 8) this.cache.clear();
      this.cache.set(key, make());
    }
    return this.cache.get(key);
  }

  base(timed) {
    const { flameModel, flameViews } = kit;
    return this.remember(`base ${this.state.source} ${timed}`, () =>
      timed ? flameViews.timeTree(this.source.spans) : flameModel.read(this.source.nodes, this.source.waits),
    );
  }

  // The tree with what is hidden and collapsed; not folded.
  shaped(timed = this.state.view === "time") {
    const { hidden, only, recursion, source } = this.state;
    const key = `shaped ${source} ${timed} ${[...hidden]} ${only} ${recursion}`;
    return this.remember(key, () => {
      const { flameModel } = kit;
      let tree = this.base(timed);
      const merge = { merge: !timed };
      if (only || hidden.size) {
        const layers = flameModel.layers(tree, this.F);
        const away = (i) => hidden.has(layers[i]) || (only && !OURS.has(flameModel.kindOf(this.F, tree.frame[i])));
        tree = flameModel.hide(tree, away, merge);
      }
      if (recursion) tree = flameModel.collapse(tree, { mutual: recursion === "mutual", ...merge });
      return tree;
    });
  }

  // Makes the picture anew; keeps the selection where what is selected is still there.
  compute({ keep = true } = {}) {
    const { flameViews, flameFold, flamePainter } = kit;
    const { view, focus, fold } = this.state;
    const selected = keep && this.selected >= 0 ? this.picture.origin[this.selected] : -1;
    const zoomed = keep && this.zoomed > 0 ? this.picture.origin[this.zoomed] : 0;
    if (!keep) for (const open of this.open) open.clear();
    const whole = this.shaped();
    this.runs = [new Map(), new Map()];
    const folded = (tree, F, side) => {
      if (!fold) return { tree, F, origin: tree.parent.map((_, i) => i) };
      // The outermost callers call no more of what is shown: they may be folded as well.
      const found = flameFold.fold(tree, F, this.open[side], { ends: side === 1 });
      this.runs[side] = found.runs;
      return found;
    };
    if (view === "sandwich") {
      if (focus < 0) this.state.focus = this.heaviest();
      this.picture = flameViews.sandwich(whole, this.F, this.state.focus, folded);
    } else {
      const { tree, F, origin } = folded(whole, this.F, 0);
      this.picture = { ...flameViews.picture(tree, F, { lanes: view === "time" }), origin };
    }
    this.fills = flamePainter.fills(this.picture, this.diff);
    const find = (origin) => (view === "sandwich" ? -1 : this.picture.origin.indexOf(origin));
    this.selected = selected >= 0 ? find(selected) : -1;
    this.hover = -1;
    this.zoomed = zoomed > 0 ? Math.max(find(zoomed), 0) : 0;
    [this.from, this.to] = this.zoomed ? this.spanOf(this.zoomed) : this.everything();
    this.match();
    this.resize();
    this.pointer = null;
    for (const event of ["change", "select", "hover"]) this.emit(event);
  }

  change(values, options) {
    Object.assign(this.state, values);
    this.compute(options);
  }

  heaviest() {
    const { own } = kit.flameViews.functions(this.shaped(false), this.F);
    return own.reduce((best, value, f) => (best < 0 || value > own[best] ? f : best), -1);
  }

  functions() {
    return kit.flameViews.functions(this.shaped(false), this.F);
  }

  everything() {
    const { left, width } = this.picture;
    return [left, left + (width || 1)];
  }

  spanOf(node) {
    const { x, w } = this.picture;
    return [x[node], x[node] + Math.max(w[node], 1e-6)];
  }

  match() {
    const { flameViews } = kit;
    this.hits = flameViews.search(this.picture.F, this.state.query);
    if (!this.hits) return (this.found = null);
    const tree = this.shaped();
    const all = flameViews.matched(tree, flameViews.search(this.F, this.state.query));
    this.matches = [];
    for (let i = 1; i < this.picture.n; i++) if (this.hits[this.picture.tree.frame[i]]) this.matches.push(i);
    this.found = { count: all.count, share: all.time / (tree.total[0] || 1) };
    return this.found;
  }

  // Who calls a function, and what it calls.
  sandwich(frame, { focus = true } = {}) {
    this.change({ view: "sandwich", focus: frame }, { keep: false });
    this.select(0);
    if (focus) this.canvas?.focus();
  }

  // The bar in which a function took most, opened where it is folded.
  show(frame) {
    const heaviest = () => {
      const { tree, n } = this.picture;
      let best = -1;
      for (let i = 1; i < n; i++) if (tree.frame[i] === frame && (best < 0 || tree.weight[i] > tree.weight[best])) best = i;
      return best;
    };
    if (this.state.view !== "heavy") this.change({ view: "heavy" }, { keep: false });
    if (heaviest() < 0 && this.state.fold) this.change({ fold: false }, { keep: false });
    this.select(heaviest());
  }

  setQuery(query) {
    this.state.query = query;
    this.match();
    this.draw();
    this.emit("search");
  }

  // To the next match; by == -1: to the one before.
  jump(by) {
    if (!this.hits || !this.matches.length) return;
    const at = this.matches.indexOf(this.selected);
    const n = this.matches.length;
    this.select(this.matches[at < 0 ? (by > 0 ? 0 : n - 1) : (at + by + n) % n]);
  }

  select(node, { reveal = true } = {}) {
    this.selected = node;
    if (reveal && node >= 0) this.reveal(node);
    this.draw();
    this.emit("select");
  }

  // Brings a node into sight: zooms out as far as needed, scrolls to its row.
  reveal(node) {
    const [left, right] = this.spanOf(node);
    if (left < this.from - 1e-9 || right > this.to + 1e-9) {
      if (right - left > this.to - this.from || right <= this.from || left >= this.to) {
        let around = this.zoomed;
        while (around > 0 && !(around <= node && node < this.picture.tree.end[around])) around = this.picture.tree.parent[around];
        const [from, to] = around > 0 ? this.spanOf(around) : this.everything();
        this.zoomed = Math.max(around, 0);
        [this.from, this.to] = [from, to];
        this.emit("zoom");
      }
    }
    if (!this.scroll) return;
    const { ROW, RULER } = kit.flamePainter;
    const top = this.picture.row[node] * ROW;
    const room = this.height - RULER;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = Math.max(top - ROW, 0);
    else if (top + 2 * ROW > this.scroll.scrollTop + room) this.scroll.scrollTop = top + 2 * ROW - room;
  }

  zoomTo(node) {
    this.zoomed = Math.max(node, 0);
    [this.from, this.to] = node > 0 ? this.spanOf(node) : this.everything();
    if (node >= 0) this.reveal(node);
    this.draw();
    this.emit("zoom");
  }

  zoomOut() {
    const [from, to] = this.zoomed ? this.spanOf(this.zoomed) : this.everything();
    const moved = Math.abs(from - this.from) > 1e-9 || Math.abs(to - this.to) > 1e-9;
    if (moved) this.zoomTo(this.zoomed);
    else if (this.zoomed) {
      // Parents that are about as wide would not be seen to make a difference.
      const { parent } = this.picture.tree;
      let node = parent[this.zoomed];
      while (node > 0 && this.picture.w[node] <= this.picture.w[this.zoomed] * 1.005) node = parent[node];
      this.zoomTo(node);
    } else return false;
    return true;
  }

  // A range of the axis, kept inside of what there is.
  range(from, to) {
    const [least, most] = this.everything();
    const span = Math.min(Math.max(to - from, (most - least) * 1e-7), most - least);
    this.from = Math.min(Math.max(from, least), most - span);
    this.to = this.from + span;
    this.draw();
    this.emit("zoom");
  }

  scaleAt(px, factor) {
    const at = this.from + (px / this.width) * (this.to - this.from);
    this.range(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  isFold(node) {
    return node >= 0 && this.picture.F.folds.has(this.picture.tree.frame[node]);
  }

  sideOf(node) {
    return this.picture.side?.[node] ? 1 : 0;
  }

  // Opens the run that a node stands for.
  unfold(node) {
    const origin = this.picture.origin[node];
    this.open[this.sideOf(node)].add(origin);
    this.compute();
    if (this.selected < 0) this.select(this.picture.origin.indexOf(origin), { reveal: true });
  }

  // The outermost node of the opened run that a node is in, or -1.
  runOf(node) {
    if (node < 0) return -1;
    const side = this.sideOf(node);
    const origin = this.picture.origin[node];
    for (const head of this.open[side]) if (this.runs[side].get(head)?.includes(origin)) return head;
    return -1;
  }

  foldAgain(node) {
    const head = this.runOf(node);
    this.open[this.sideOf(node)].delete(head);
    this.selected = -1;
    this.compute();
    const found = this.picture.origin.indexOf(head);
    if (found >= 0 && this.state.view !== "sandwich") this.select(found);
  }

  nameOf(node) {
    const { tree, F } = this.picture;
    return tree.frame[node] < 0 ? (this.options.rootName ?? "everything") : F.name[tree.frame[node]];
  }

  // The dims of layers that the page's bar chooses; null: none.
  dims() {
    if (!kit.currentLayer?.()) return null;
    const keys = this.F.layers.map(({ key }) => key);
    const off = keys.map((key) => !(kit.inLayer ? kit.inLayer(key) : key === kit.currentLayer()));
    return off.includes(false) ? off : null;
  }
}

export function start(offered) {
  kit = offered;
}
