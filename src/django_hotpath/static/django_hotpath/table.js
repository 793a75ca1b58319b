// Tables that sort by their headers: those that are whole in the page, and those whose rows
// are built on demand from data.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function compare(a, b) {
  const empty = (value) => value === null || value === undefined || value === "";
  if (empty(a) || empty(b)) return empty(a) - empty(b);
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
}

// Turns the text of each header into a button; calls back with the column and its direction.
function headers(table, onSort) {
  const cells = [...table.tHead.rows[0].cells];
  cells.forEach((th, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...th.childNodes);
    th.replaceChildren(button);
    button.addEventListener("click", () => {
      const was = th.getAttribute("aria-sort");
      // Numbers show the largest first, texts start at A.
      const first = th.classList.contains("n") || th.classList.contains("bars");
      const descending = was ? was === "ascending" : first;
      for (const other of cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", descending ? "descending" : "ascending");
      onSort(th, column, descending);
    });
  });
}

// Makes every table below `root` sortable that is whole in the page; numbers are in data-v.
export function sortable(root) {
  for (const table of root.querySelectorAll("table[data-sortable]")) {
    const body = table.tBodies[0];
    headers(table, (th, column, descending) => {
      const keyed = [...body.rows].map((row) => {
        const cell = row.cells[column];
        const value = cell.dataset.v;
        return [value === undefined ? cell.textContent.trim() : value === "" ? null : +value, row];
      });
      keyed.sort(([a], [b]) => (descending && a !== null && b !== null ? compare(b, a) : compare(a, b)));
      body.append(...keyed.map(([, row]) => row));
    });
  }
}

// Shows some of many rows. Rows that the server sent are reused, others are built when needed.
//   length   how many rows there are
//   value    (key, column name) -> number or text to sort by
//   build    key -> <tr>
//   page     how many rows to add at a time
//   all      offer to show all of them at once
//   what     [one, many]: what a row is called
export class DataTable {
  constructor(table, more, { length, value, build, page, all = false, what }) {
    Object.assign(this, { table, more, length, value, build, page, all, what });
    this.rows = new Map([...table.tBodies[0].rows].map((row) => [+row.dataset.key, row]));
    const sorted = table.tHead.querySelector("[aria-sort]");
    this.column = sorted.dataset.col;
    this.descending = sorted.getAttribute("aria-sort") === "descending";
    this.shown = Math.max(this.rows.size, 1);
    this.matches = () => true;
    this.sort();
    this.foot();
    headers(table, (th, _, descending) => {
      this.column = th.dataset.col;
      this.descending = descending;
      this.sort();
      this.render();
    });
  }

  sort() {
    const { column, descending } = this;
    const values = Array.from({ length: this.length }, (_, key) => this.value(key, column));
    this.order = [...values.keys()].sort((a, b) => {
      const [x, y] = [values[a], values[b]];
      const turned = descending && x !== null && y !== null;
      return (turned ? compare(y, x) : compare(x, y)) || a - b;
    });
    this.refilter();
  }

  refilter() {
    this.found = this.order.filter((key) => this.matches(key));
  }

  filter(matches) {
    this.matches = matches;
    this.shown = this.page;
    this.refilter();
    this.render();
  }

  row(key) {
    let row = this.rows.get(key);
    if (!row) {
      row = this.build(key);
      row.dataset.key = key;
      this.rows.set(key, row);
    }
    return row;
  }

  // Makes the row visible, whatever the filter and the number of rows shown are.
  reveal(key) {
    if (!this.found.includes(key)) this.filter(() => true);
    this.shown = Math.max(this.shown, this.found.indexOf(key) + 1);
    this.render();
    return this.row(key);
  }

  render() {
    const rows = this.found.slice(0, this.shown).map((key) => this.row(key));
    this.table.tBodies[0].replaceChildren(...rows);
    this.foot();
  }

  foot() {
    const number = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
    const [one, many] = this.what;
    const shown = Math.min(this.shown, this.found.length);
    const of = this.found.length === this.length ? "" : `, of ${number(this.length)} in all`;
    const text = document.createElement("span");
    text.textContent = `${number(shown)} of ${number(this.found.length)} ${this.found.length === 1 ? one : many}${of}`;
    const buttons = [];
    const left = this.found.length - shown;
    if (left > 0) buttons.push([`Show ${number(Math.min(left, this.page))} more`, this.page]);
    if (left > this.page && this.all) buttons.push([`Show all ${number(this.found.length)}`, left]);
    this.more.setAttribute("role", "status");
    this.more.replaceChildren(
      text,
      ...buttons.map(([label, step]) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = label;
        button.addEventListener("click", () => {
          const first = this.found[shown];
          this.shown = shown + step;
          this.render();
          // The button that was pressed is gone: keyboard users go on at the first new row.
          const row = this.row(first);
          row.tabIndex = -1;
          row.focus({ preventScroll: true });
        });
        return button;
      }),
    );
  }
}

export function start() {
  sortable(document);
}
