// Everything on the timeline as a table, made when it is opened.

let kit;

export function timelineTable(tracks) {
  const details = document.getElementById("timeline-all");
  details.hidden = false;
  details.addEventListener("toggle", () => fill(tracks), { once: true });
}

function fill(tracks) {
  const { el, decimal } = kit;
  const table = document.getElementById("timeline-table");
  const bars = tracks.flatMap((track) => Array.from({ length: track.count }, (_, i) => [track, i]));
  const values = {
    start: ([track, i]) => track.start[i],
    ms: ([track, i]) => track.ms[i],
    track: ([track]) => track.label,
    what: ([track, i]) => track.what(i),
    note: ([track, i]) => track.note(i),
  };
  new kit.VirtualTable(table.closest(".scroll"), {
    length: bars.length,
    value: (key, column) => values[column](bars[key]),
    build: (key) => {
      const [track, i] = bars[key];
      return el(
        "tr",
        {},
        el("td", { class: "n" }, decimal(track.start[i])),
        el("td", { class: "n own" }, decimal(track.ms[i], 3)),
        el("td", {}, track.label),
        el("td", {}, el("code", { class: "wrap" }, track.what(i))),
        el("td", { class: "quiet" }, track.note(i)),
      );
    },
    what: ["entry", "entries"],
    status: document.querySelector('[data-more="timeline"]'),
  });
}

export function start(given) {
  kit = given;
}
