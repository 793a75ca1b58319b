// Which captures to compare: two, or a set before and a set after, which may lie on several pages.

const KEY = "hotpath-before";

function kept() {
  try {
    const ids = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => /^[0-9A-Z]{26}$/.test(id)) : [];
  } catch {
    return [];
  }
}

function keep(ids) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(ids));
  } catch {
    // Kept for this page only.
  }
}

const captures = (number) => `${number} ${number === 1 ? "capture" : "captures"}`;

export function start(kit) {
  const bar = document.querySelector(".chosen[data-compare]");
  const table = document.querySelector("table.history");
  if (!bar || !table) return;
  for (const cell of table.querySelectorAll(".choose")) cell.hidden = false;
  const part = (name) => bar.querySelector(`.${name}`);
  let before = kept();

  const chosen = () =>
    [...table.querySelectorAll("tbody .choose input:checked")].map((box) => box.value);

  // Ids sort by time: of two, the older one is "before".
  function sides(ids) {
    if (before.length) return ids.length ? [before, ids] : null;
    return ids.length === 2 ? [[ids.toSorted()[0]], [ids.toSorted()[1]]] : null;
  }

  function show() {
    const ids = chosen();
    const found = sides(ids);
    bar.hidden = !ids.length && !before.length;
    part("number").textContent = ids.length ? `${captures(ids.length)} chosen` : "Choose what to compare with";
    part("go").hidden = !found;
    if (found) {
      const [a, b] = found.map((side) => side.toSorted().join(","));
      part("go").href = `${bar.dataset.compare}?a=${a}&b=${b}`;
      part("go").textContent = before.length
        ? `Compare with the ${captures(before.length)} before`
        : "Compare";
    }
    part("keep").hidden = !ids.length || before.length > 0;
    part("before").hidden = !before.length;
    part("before").textContent = `Before: ${captures(before.length)}`;
    part("none").textContent = before.length ? "Start again" : "Choose none";
  }

  table.addEventListener("change", show);
  part("keep").addEventListener("click", () => {
    before = chosen();
    keep(before);
    clear();
  });
  part("none").addEventListener("click", () => {
    before = [];
    keep(before);
    clear();
    table.querySelector("tbody .choose input")?.focus();
  });

  function clear() {
    for (const box of table.querySelectorAll("tbody .choose input")) box.checked = false;
    show();
  }
  show();
}
