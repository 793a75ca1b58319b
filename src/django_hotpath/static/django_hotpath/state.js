// What a section shows (sort, filters) is kept in the address, so that a link can be shared:
// #queries&q=book&kind=write. The layer stands beside it, see layer.js.

let kit;

// The choices of that section in the address; empty when it is of another.
export function readState(tab) {
  const [name, ...rest] = location.hash.slice(1).split("&");
  return new URLSearchParams(name === tab ? rest.join("&") : "");
}

// `values`: name -> text; what is empty is left out. Remembered while other sections are shown.
export function writeState(tab, values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  kit.keepPlace(tab, String(query));
}

// How a table is sorted, "-total" for descending; empty where it is as at first.
export function sortText(table) {
  const text = `${table.descending ? "-" : ""}${table.column}`;
  return text === table.first ? "" : text;
}

export function sortFrom(table, text) {
  if (text) table.sortBy(text.replace(/^-/, ""), text.startsWith("-"));
}

export function start(given) {
  kit = given;
}
