// Moving in a VirtualTable by keyboard: one row is a stop for the Tab key, arrows lead to the others.

// The row of the table that a node is in, not one of a table within it.
function rowOf(table, node) {
  let row = node.closest?.("tr");
  while (row && row.parentElement !== table.body) row = row.parentElement.closest("tr");
  return row;
}

// `active`: whether the row is the stop; what can be opened in it is one as well then.
export function tabStops(row, active) {
  row.tabIndex = active ? 0 : -1;
  for (const control of row.querySelectorAll(":scope > td > button, :scope > td > details > summary, :scope > td a"))
    control.tabIndex = active ? 0 : -1;
}

function press(table, event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("input, textarea, select, pre, [contenteditable]")) return;
  const row = rowOf(table, target);
  if (!row?.dataset.key) return;
  if ((event.key === "Enter" || event.key === " ") && target === row) {
    row.querySelector("summary, button.name")?.click();
    event.preventDefault();
    return;
  }
  move(table, event, table.found.indexOf(+row.dataset.key));
}

// `here`: the number of the row to go from; -1 for none.
function move(table, event, here) {
  const last = table.found.length - 1;
  const page = Math.max(Math.floor(table.room / table.estimate) - 1, 1);
  const to = {
    ArrowDown: here + 1,
    ArrowUp: here - 1,
    PageDown: here + page,
    PageUp: here - page,
    Home: 0,
    End: last,
  }[event.key];
  if (to === undefined || last < 0) return;
  event.preventDefault();
  table.go(Math.min(Math.max(to, 0), last));
}

export function rowKeys(table) {
  table.body.addEventListener("keydown", (event) => press(table, event));
  table.body.addEventListener("focusin", (event) => {
    const row = rowOf(table, event.target);
    if (row?.dataset.key) table.activate(+row.dataset.key);
  });
  // From the table itself, which scrolls by these keys, the arrows lead into its rows.
  table.box.addEventListener("keydown", (event) => {
    if (event.target !== table.box || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const here = table.active === null ? table.at(table.box.scrollTop) - 1 : table.found.indexOf(table.active);
    move(table, event, here);
  });
}
