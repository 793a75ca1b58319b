// The tracks of the timeline, unpacked from what timeline.py packed.

// Tracks: {key, label, hint, tone, tab, rows, count, missed, failed, nested}, and for each bar, in
// the order of rows and then of time: start[i], ms[i], row[i], index(i) in the section that it leads
// to, what(i), note(i). The last one is made of the gaps, if there are any.
export function timelineTracks({ tracks, texts, gaps }, statements) {
  const found = tracks.map((track) => unpacked(track, texts, statements));
  return gaps.length ? [...found, computing(gaps)] : found;
}

const NESTED = new Set(["middleware", "code", "templates"]);

function unpacked(track, texts, statements) {
  const { count } = track;
  const index = track.index ? (i) => track.index[i] : (i) => i;
  const row = track.row || new Uint8Array(count);
  const shared = { ...track, row, index, nested: NESTED.has(track.key) };
  if (track.key !== "queries") {
    return { ...shared, what: (i) => texts[track.text[i]], note: (i) => texts[track.note[i]] };
  }
  const place = (site) => (site ? site[3] || site[0] : "");
  return {
    ...shared,
    start: Float64Array.from({ length: count }, (_, i) => statements.start[index(i)]),
    ms: Float64Array.from({ length: count }, (_, i) => statements.took[index(i)]),
    index: (i) => statements.index(index(i)),
    what: (i) => statements.short(index(i)),
    note: (i) => place(statements.groups[statements.group[index(i)]].site),
  };
}

function computing(gaps) {
  return {
    key: "gaps",
    label: "Nothing recorded",
    hint: "Gaps: no statement, cache operation, request, wait or pause. Python was computing",
    tone: "computing",
    tab: "",
    rows: 1,
    count: gaps.length,
    missed: 0,
    failed: [],
    row: new Uint8Array(gaps.length),
    start: gaps.map(([at]) => at),
    ms: gaps.map(([, took]) => took),
    index: (i) => i,
    what: () => "Python computing",
    note: () => "",
  };
}
