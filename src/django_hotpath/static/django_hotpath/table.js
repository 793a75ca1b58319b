// Tables that are whole in the page sort by their headers. Those of many rows are in virtual.js.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function compareValues(a, b) {
  const empty = (value) => value === null || value === undefined || value === "";
  if (empty(a) || empty(b)) return empty(a) - empty(b);
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
}

// Turns the text of each header into a button; calls back with the column and its direction.
export function sortHeaders(table, onSort) {
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
    sortHeaders(table, (th, column, descending) => {
      const keyed = [...body.rows].map((row) => {
        const cell = row.cells[column];
        const value = cell.dataset.v;
        return [value === undefined ? cell.textContent.trim() : value === "" ? null : +value, row];
      });
      keyed.sort(([a], [b]) => (descending && a !== null && b !== null ? compareValues(b, a) : compareValues(a, b)));
      body.append(...keyed.map(([, row]) => row));
    });
  }
}

export function start() {
  sortable(document);
}
