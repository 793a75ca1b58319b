// Which layer of the time the reader looks at: chosen in the bar, followed by every section.

let chosen = null;

export const currentLayer = () => chosen;

// `key` as in analysis/layers.py, or null for all. Sections listen to "hotpath:layer" on the document.
export function chooseLayer(key) {
  chosen = key === chosen ? null : key;
  document.dispatchEvent(new CustomEvent("hotpath:layer", { detail: chosen }));
}
