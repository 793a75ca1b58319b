// A table of many rows of which only those in view are in the page.

const ESTIMATE = 46;
const OVERSCAN = 600;
const SETTLE = 4;

let kit;

//   box      the element that scrolls, with a <table> in it; its headers name columns by data-col
//   length   how many rows there are
//   value    (key, column name) -> number or text to sort by
//   build    key -> <tr>
//   what     [one, many]: what a row is called
//   status   where to say how many there are
//   changed  called when the reader sorts
export class VirtualTable {
  constructor(box, { length, value, build, what, status, changed = () => {} }) {
    Object.assign(this, { box, length, value, build, what, status, changed });
    this.table = box.querySelector("table");
    this.body = this.table.tBodies[0];
    this.columns = this.table.tHead.rows[0].cells.length;
    this.heights = new Float64Array(length);
    this.estimate = ESTIMATE;
    this.matches = null;
    this.drawn = new Map();
    // Rows that somebody opened stay as they are when they leave the view.
    this.kept = new Map();
    this.active = null;
    this.pending = 0;
    this.before = spacer(this.columns);
    this.after = spacer(this.columns);
    box.classList.add("virtual");
    this.body.replaceChildren(this.before, this.after);
    this.table.tHead.rows[0].setAttribute("aria-rowindex", "1");
    const sorted = this.table.tHead.querySelector("[aria-sort]");
    this.column = sorted.dataset.col;
    this.descending = sorted.getAttribute("aria-sort") === "descending";
    this.first = `${this.descending ? "-" : ""}${this.column}`;
    kit.sortHeaders(this.table, (th, _, descending) => {
      this.sortBy(th.dataset.col, descending);
      this.changed();
    });
    this.listen();
    this.sort();
    this.render();
  }

  listen() {
    const later = () => this.schedule();
    this.box.addEventListener("scroll", later, { passive: true });
    this.body.addEventListener("toggle", later, true);
    kit.rowKeys(this);
    let width = 0;
    new ResizeObserver(() => {
      if (this.box.clientWidth !== width) {
        width = this.box.clientWidth;
        this.heights.fill(0);
        this.stale = true;
      }
      later();
    }).observe(this.box);
    new ResizeObserver(later).observe(this.table);
  }

  // Order and selection

  sortBy(column, descending) {
    const header = [...this.table.tHead.rows[0].cells].find((th) => th.dataset.col === column);
    if (!header) return;
    for (const th of this.table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    Object.assign(this, { column, descending });
    this.sort();
    this.box.scrollTop = 0;
    this.render();
  }

  sort() {
    const values = Array.from({ length: this.length }, (_, key) => this.value(key, this.column));
    const turned = this.descending;
    this.order = [...values.keys()].sort((a, b) => {
      const [x, y] = [values[a], values[b]];
      return (turned && x !== null && y !== null ? kit.compareValues(y, x) : kit.compareValues(x, y)) || a - b;
    });
    this.refilter();
  }

  refilter() {
    this.found = this.matches ? this.order.filter(this.matches) : this.order;
    this.stale = true;
    this.table.setAttribute("aria-rowcount", String(this.found.length + 1));
    this.say();
  }

  // `matches`: key -> whether to show it; null for all.
  filter(matches) {
    this.matches = matches;
    this.refilter();
    this.box.scrollTop = 0;
    this.render();
  }

  say() {
    const [one, many] = this.what;
    const { length } = this.found;
    const named = `${kit.count(length)} ${length === 1 ? one : many}`;
    this.status.setAttribute("role", "status");
    this.status.textContent = length === this.length ? named : `${named}, of ${kit.count(this.length)} in all`;
  }

  // Places

  // Where each row begins, in pixels below the header; the last entry is where all end.
  tops() {
    if (this.stale) {
      const tops = new Float64Array(this.found.length + 1);
      for (let i = 0; i < this.found.length; i++) tops[i + 1] = tops[i] + (this.heights[this.found[i]] || this.estimate);
      this.starts = tops;
      this.stale = false;
    }
    return this.starts;
  }

  // The row at so many pixels.
  at(y) {
    const tops = this.tops();
    let [low, high] = [0, this.found.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tops[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, Math.max(this.found.length - 1, 0));
  }

  get room() {
    return Math.max(this.box.clientHeight - this.table.tHead.offsetHeight, ESTIMATE);
  }

  // Drawing

  schedule() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.render();
    });
  }

  get visible() {
    return this.box.offsetParent !== null || this.box.getClientRects().length > 0;
  }

  render() {
    if (!this.visible) return;
    for (let round = 0; round < SETTLE; round++) {
      const top = this.box.scrollTop;
      const anchor = this.at(top);
      const within = top - this.tops()[anchor];
      this.draw(top);
      if (!this.measure()) break;
      // What was estimated above the view turned out otherwise: stay where the reader looks.
      const wanted = this.tops()[anchor] + within;
      if (Math.abs(wanted - this.box.scrollTop) > 1) this.box.scrollTop = wanted;
    }
  }

  draw(top) {
    const last = this.found.length;
    const view = Math.max(this.box.clientHeight, innerHeight);
    const from = last ? this.at(Math.max(top - OVERSCAN, 0)) : 0;
    const to = last ? this.at(top + view + OVERSCAN) + 1 : 0;
    const wanted = new Set(this.found.slice(from, to));
    for (const [key, row] of this.drawn) if (!wanted.has(key)) this.drop(key, row);
    const tops = this.tops();
    pad(this.before, tops[from] ?? 0);
    pad(this.after, tops[last] - (tops[to] ?? tops[last]));
    let next = this.before.nextElementSibling;
    for (let i = from; i < to; i++) {
      const row = this.row(this.found[i]);
      row.setAttribute("aria-rowindex", String(i + 2));
      if (row === next) next = row.nextElementSibling;
      else this.body.insertBefore(row, next);
    }
  }

  drop(key, row) {
    if (row.querySelector("details[open]")) this.kept.set(key, row);
    // Keyboard users go on from the same row: the focus waits at the table.
    if (row.contains(document.activeElement)) this.box.focus({ preventScroll: true });
    row.remove();
    this.drawn.delete(key);
  }

  row(key) {
    let row = this.drawn.get(key);
    if (row) return row;
    row = this.kept.get(key) ?? this.build(key);
    this.kept.delete(key);
    row.dataset.key = key;
    this.drawn.set(key, row);
    kit.tabStops(row, key === this.active);
    return row;
  }

  // Says whether any row was another height than assumed.
  measure() {
    let changed = false;
    let [sum, number] = [0, 0];
    for (const [key, row] of this.drawn) {
      const { height } = row.getBoundingClientRect();
      if (!height) continue;
      sum += height;
      number += 1;
      if (Math.abs(this.heights[key] - height) < 0.5) continue;
      changed ||= Math.abs((this.heights[key] || this.estimate) - height) >= 0.5;
      this.heights[key] = height;
    }
    if (number && !this.known) {
      this.known = true;
      this.estimate = sum / number;
      changed = true;
    }
    if (changed) this.stale = true;
    return changed;
  }

  // Draws all rows anew: what `build` shows has changed.
  rebuild() {
    for (const [key, row] of [...this.drawn]) {
      row.remove();
      this.drawn.delete(key);
    }
    this.kept.clear();
    this.heights.fill(0);
    this.stale = true;
    this.render();
  }

  // Moving: see rowkeys.js

  activate(key) {
    if (key === this.active) return;
    const old = this.drawn.get(this.active);
    if (old) kit.tabStops(old, false);
    this.active = key;
    const row = this.drawn.get(key);
    if (row) kit.tabStops(row, true);
  }

  // Brings the row of that number into view and, unless told otherwise, to the focus.
  go(position, { focus = true } = {}) {
    const key = this.found[position];
    for (let round = 0; round < SETTLE; round++) {
      const tops = this.tops();
      const { scrollTop } = this.box;
      const end = tops[position + 1] - this.room;
      // A row that is higher than the view shows its beginning.
      if (tops[position] < scrollTop || end > tops[position]) this.box.scrollTop = tops[position];
      else if (end > scrollTop) this.box.scrollTop = end;
      this.render();
      if (!this.stale && Math.abs(this.box.scrollTop - scrollTop) < 1) break;
    }
    this.activate(key);
    const row = this.drawn.get(key);
    if (focus) row?.focus({ preventScroll: true });
    return row;
  }

  // Shows the row of that key, whatever is filtered.
  reveal(key) {
    if (!this.found.includes(key)) this.filter(null);
    return this.go(this.found.indexOf(key), { focus: false });
  }
}

function spacer(columns) {
  const cell = document.createElement("td");
  cell.colSpan = columns;
  const row = document.createElement("tr");
  row.className = "spacer";
  row.setAttribute("aria-hidden", "true");
  row.append(cell);
  return row;
}

function pad(row, height) {
  row.hidden = height < 1;
  row.firstChild.style.height = `${Math.max(height, 0)}px`;
}

export function start(given) {
  kit = given;
}
