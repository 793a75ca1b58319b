// The timeline: tracks below each other on one axis that zooms, and all of it as a table.

const LAYERS = {
  middleware: ["middleware"],
  code: ["project"],
  templates: ["template"],
  queries: ["database", "orm"],
  cache: ["cache"],
  http: ["http"],
  awaits: ["waiting"],
  stream: [],
  holds: [],
  gc: [],
  gaps: ["project", "django", "orm", "template", "stdlib", "generated"],
};

export function start(kit) {
  const { el, count, decimal, ms } = kit;
  const data = kit.data("timeline-data");
  const root = document.getElementById("timeline-view");
  if (!data || !root) return;
  const { total } = data;
  const tracks = kit.timelineTracks(data, kit.statements());
  let view = { from: 0, to: total };
  let chosen = null;
  let hovered = null;
  let asked = false;

  const tip = el("div", { class: "timeline-tip", hidden: true, "aria-hidden": "true" });
  document.body.append(tip);
  const axis = el("canvas", { "aria-hidden": "true" });
  const lines = tracks.map(line);
  root.querySelector("[data-tracks]").append(
    el("div", { class: "timeline-track" }, el("div", { class: "name" }, el("span", { class: "quiet" }, "Time, ms")), el("div", { class: "track-lane" }, axis)),
    ...lines.map(({ row }) => row),
  );
  root.hidden = false;

  function line(track, index) {
    const figure = el("span", { class: "quiet" });
    const canvas = el("canvas", {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "track",
      "aria-label": `${track.label}: ${count(track.count)} bars. Arrow keys go from bar to bar, plus and minus zoom.`,
    });
    const brush = el("div", { class: "brush", hidden: true });
    const lane = el("div", { class: "track-lane" }, canvas, brush);
    const row = el("div", { class: "timeline-track" }, el("div", { class: "name" }, el("b", { title: track.hint }, track.label), figure), lane);
    const found = { track, canvas, figure, row, index };
    canvas.style.height = `${kit.trackHeight(track)}px`;
    pointing(found, brush);
    canvas.addEventListener("keydown", (event) => keys(event, found));
    canvas.addEventListener("focus", () => {
      if (chosen?.line !== found && track.count) choose(found, firstVisible(track), false);
    });
    return found;
  }

  const inView = (track, i) => track.start[i] + track.ms[i] >= view.from && track.start[i] <= view.to;
  const firstVisible = (track) => Math.max(track.start.findIndex((_, i) => inView(track, i)), 0);

  function pointing(found, brush) {
    const { canvas, track } = found;
    let from = null;
    const at = (event) => Math.min(Math.max(event.clientX - canvas.getBoundingClientRect().left, 0), canvas.clientWidth);
    const bar = (event) => kit.barAt(track, view, canvas.clientWidth, at(event), event.clientY - canvas.getBoundingClientRect().top);
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      from = at(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const wide = from !== null && Math.abs(at(event) - from) > 4;
      brush.hidden = !wide;
      if (wide) {
        brush.style.left = `${Math.min(from, at(event))}px`;
        brush.style.width = `${Math.abs(at(event) - from)}px`;
      }
      hover(found, wide ? null : bar(event), event);
    });
    canvas.addEventListener("pointerup", (event) => {
      const began = from;
      from = null;
      if (began === null) return;
      const to = at(event);
      if (!brush.hidden) zoom(time(canvas, Math.min(began, to)), time(canvas, Math.max(began, to)));
      else if (bar(event) !== null) choose(found, bar(event), false);
      brush.hidden = true;
    });
    canvas.addEventListener("pointercancel", () => {
      from = null;
      brush.hidden = true;
    });
    canvas.addEventListener("pointerleave", () => hover(found, null));
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (event.ctrlKey || event.metaKey) around(time(canvas, at(event)), event.deltaY > 0 ? 1.3 : 1 / 1.3);
        else if (event.deltaX && view.to - view.from < total) pan((event.deltaX / canvas.clientWidth) * (view.to - view.from));
        else return;
        event.preventDefault();
      },
      { passive: false },
    );
  }

  const time = (canvas, x) => view.from + (x / canvas.clientWidth) * (view.to - view.from);

  function hover(found, index, event) {
    hovered = index === null ? null : { line: found, index };
    tip.hidden = index === null;
    if (index !== null) {
      const { track } = found;
      tip.replaceChildren(
        el("code", {}, track.what(index)),
        el("span", {}, `${ms(track.ms[index])}, from ${decimal(track.start[index])} ms on`),
        track.note(index) && el("div", { class: "quiet" }, track.note(index)),
      );
      const box = tip.getBoundingClientRect();
      tip.style.left = `${Math.max(Math.min(event.clientX + 14, innerWidth - box.width - 8), 8)}px`;
      tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18}px`;
    }
    repaint();
  }

  function keys(event, found) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { track, index } = found;
    const at = chosen?.line === found ? chosen.index : firstVisible(track);
    const last = track.count - 1;
    const span = view.to - view.from;
    const action = {
      ArrowRight: () => choose(found, Math.min(at + 1, last)),
      ArrowLeft: () => choose(found, Math.max(at - 1, 0)),
      Home: () => choose(found, 0),
      End: () => choose(found, last),
      ArrowDown: () => lines[Math.min(index + 1, lines.length - 1)].canvas.focus(),
      ArrowUp: () => lines[Math.max(index - 1, 0)].canvas.focus(),
      "+": () => around(track.start[at] + track.ms[at] / 2, 1 / 1.6),
      "=": () => around(track.start[at] + track.ms[at] / 2, 1 / 1.6),
      "-": () => around(view.from + span / 2, 1.6),
      0: () => zoom(0, total),
      Enter: () => zoom(track.start[at] - track.ms[at] * 0.1, track.start[at] + track.ms[at] * 1.1),
      Escape: () => (view.to - view.from < total ? zoom(0, total) : null),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  function zoom(from, to) {
    const least = total / 1e5;
    const span = Math.min(Math.max(to - from, least), total);
    const begin = Math.min(Math.max(from, 0), total - span);
    view = { from: begin, to: begin + span };
    refresh();
  }

  function around(at, by) {
    const share = (at - view.from) / (view.to - view.from);
    const span = (view.to - view.from) * by;
    zoom(at - share * span, at + (1 - share) * span);
  }

  const pan = (by) => zoom(view.from + by, view.to + by);

  function choose(found, index, follow = true) {
    const { track } = found;
    chosen = { line: found, index };
    if (follow && !inView(track, index)) pan(track.start[index] - (view.from + view.to) / 2);
    const detail = root.querySelector("[data-detail]");
    const note = track.note(index);
    detail.hidden = false;
    detail.replaceChildren(
      el("p", {}, el("strong", {}, track.label), ` ${index + 1} of ${count(track.count)}: ${ms(track.ms[index])}, from ${decimal(track.start[index])} ms on`),
      el("code", {}, track.what(index)),
      note && el("p", { class: "quiet" }, note),
      link(track, index),
    );
    repaint();
  }

  function link(track, index) {
    if (!track.tab || !document.getElementById(track.tab)) return null;
    const name = document.getElementById(`tab-${track.tab}`)?.firstChild?.textContent?.trim() ?? track.tab;
    const attributes = { href: `#${track.tab}` };
    if (track.key === "queries") {
      attributes["data-show-queries"] = track.index(index);
      attributes["data-show-title"] = "The statement of the timeline";
    }
    return el("p", {}, el("a", attributes, `Open in ${name}`));
  }

  function colours(tone) {
    const style = getComputedStyle(root);
    const value = (name) => style.getPropertyValue(name).trim();
    const probe = (name) => {
      // light-dark() is resolved in a property that takes a colour, not in a variable.
      tip.style.color = `var(${name})`;
      const found = getComputedStyle(tip).color;
      tip.style.color = "";
      return value(name) ? found : "gray";
    };
    const fill = probe(`--${tone}`);
    return { fill, on: readable(fill), line: probe("--line"), quiet: probe("--quiet"), text: probe("--text"), failed: probe("--high") };
  }

  function readable(colour) {
    const [r, g, b] = (colour.match(/[\d.]+/g) ?? [0, 0, 0]).map((part) => (+part / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#111" : "#fff";
  }

  function repaint() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      paint();
    });
  }

  function paint() {
    const width = axis.parentElement.clientWidth;
    if (!width) return;
    axis.style.height = "20px";
    kit.paintAxis(axis, view, width, colours("rest"), (at) => decimal(at, view.to - view.from < 5 ? 2 : view.to - view.from < 50 ? 1 : 0));
    for (const found of lines) {
      found.canvas.dataset.drawn = kit.paintTrack(found.canvas, found.track, view, width, colours(found.track.tone), {
        chosen: chosen?.line === found ? chosen.index : null,
        hovered: hovered?.line === found ? hovered.index : null,
      });
    }
  }

  function refresh() {
    const whole = view.to - view.from >= total * 0.9999;
    root.querySelector("[data-range]").textContent = whole ? "" : `Shown: ${decimal(view.from)} to ${decimal(view.to)} ms, ${ms(view.to - view.from)}`;
    root.querySelector('[data-zoom="all"]').disabled = whole;
    root.querySelector('[data-zoom="out"]').disabled = whole;
    for (const { track, figure } of lines) {
      let [number, busy] = [0, 0];
      for (let i = 0; i < track.count; i += 1) {
        if (!inView(track, i)) continue;
        number += 1;
        busy += Math.min(track.start[i] + track.ms[i], view.to) - Math.max(track.start[i], view.from);
      }
      figure.textContent = track.nested ? count(number) : `${count(number)}, ${ms(busy)}`;
      figure.title = track.missed ? `${count(track.missed)} more were not kept` : "";
      if (track.missed) figure.textContent += " +";
    }
    repaint();
  }

  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      const middle = chosen ? chosen.line.track.start[chosen.index] + chosen.line.track.ms[chosen.index] / 2 : (view.from + view.to) / 2;
      if (button.dataset.zoom === "all") zoom(0, total);
      else around(middle, button.dataset.zoom === "in" ? 1 / 1.6 : 1.6);
    });
  }

  document.addEventListener("hotpath:layer", ({ detail }) => {
    for (const { track, row } of lines) row.classList.toggle("dim", Boolean(detail) && !LAYERS[track.key]?.includes(detail));
  });
  new ResizeObserver(repaint).observe(axis.parentElement);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  kit.registerKeys?.("Timeline", [
    ["← →", "previous and next bar of the track"],
    ["↑ ↓", "track above and below"],
    ["+ − 0", "zoom in, out, all"],
    ["Enter", "zoom to the bar"],
  ]);
  refresh();
  kit.timelineTable(tracks.filter((track) => track.key !== "gaps"));
}
