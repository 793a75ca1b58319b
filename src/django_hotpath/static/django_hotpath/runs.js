// "Run it 10 times": repeats the request of a report, to have a set of captures that can be
// compared. The runs are ordinary requests with our header; the page itself is not shown.

const BASELINES = "hotpath-baselines";
const KEPT = 50;
const MOST = 50;
const ID = /[0-9A-HJKMNP-TV-Z]{26}/;

export function start(kit) {
  for (const place of document.querySelectorAll("[data-runs]")) offer(kit, place);
}

function offer(kit, place) {
  const find = (name) => place.querySelector(name);
  const [button, number, progress, state] = [".start", ".number", ".progress", ".state"].map(find);
  const about = place.dataset;
  let running = null;

  // The choice of the number is in the text of the button too.
  const words = button.textContent;
  const named = (count) => words.replace(/\d+/, count);
  number.addEventListener("change", () => (button.textContent = label()));
  const label = () => (again() ? `${named(number.value)} and compare` : named(number.value));
  const again = () => !about.before && !about.after && baselineOf(about.page);

  showBaseline();
  button.textContent = label();
  button.addEventListener("click", run);
  find(".stop").addEventListener("click", () => running?.abort());
  addEventListener("pagehide", () => running?.abort());

  // What the runs will be compared with, if one was set.
  function showBaseline() {
    const found = again();
    if (!found) return;
    const forget = kit.el("button", { type: "button", class: "link" }, "Forget it");
    forget.addEventListener("click", () => {
      saveBaseline(about.page, null);
      hint.replaceChildren("The baseline is forgotten.");
      button.textContent = label();
      button.focus();
    });
    const hint = find(".hint");
    hint.replaceChildren(
      `Baseline: ${runs(found.ids.length)}, median ${kit.ms(found.median)}, ${moment(found.at)}. `,
      kit.el("a", { href: setUrl(found.ids) }, "Show"),
      " ",
      forget,
    );
  }

  function setUrl(ids) {
    return `${about.compare}?a=${ids.join(",")}`;
  }

  function compareUrl(before, after) {
    return `${about.compare}?a=${before.join(",")}&b=${after.join(",")}`;
  }

  async function run() {
    if (running) return;
    const wanted = Number(number.value);
    const bar = progress.querySelector("progress");
    running = new AbortController();
    const done = [];
    let problem = "";
    bar.max = wanted;
    bar.value = 0;
    progress.hidden = false;
    // Not disabled: that would take the focus away from whoever uses the keyboard.
    button.setAttribute("aria-disabled", "true");
    place.setAttribute("aria-busy", "true");
    find(".result").hidden = true;
    try {
      while (done.length < wanted) {
        state.textContent = `Run ${done.length + 1} of ${wanted}…`;
        done.push(await once(about, running.signal));
        bar.value = done.length;
      }
    } catch (error) {
      problem = running.signal.aborted ? "Cancelled." : `Stopped. ${error.message}`;
    }
    running = null;
    progress.hidden = true;
    button.removeAttribute("aria-disabled");
    place.removeAttribute("aria-busy");
    tell(done, problem);
  }

  function tell(done, problem) {
    const ids = done.map((found) => found.id);
    const times = done.map((found) => found.ms).filter((value) => value !== null);
    state.textContent = [problem, done.length ? summary(kit, done.length, times) : ""].join(" ").trim();
    if (!done.length) return;
    if (about.after) {
      // More of a set: shown where the set is.
      const all = [...about.after.split(","), ...ids].slice(-MOST);
      const url = about.before ? compareUrl(about.before.split(","), all) : setUrl(all);
      if (problem) show(kit.el("a", { class: "button", href: url }, "Show them with the others"));
      else location.assign(url);
      return;
    }
    const baseline = baselineOf(about.page);
    const keep = kit.el("button", { type: "button" }, "Make this the baseline");
    keep.addEventListener("click", () => {
      saveBaseline(about.page, { ids, median: median(times), at: new Date().toISOString() });
      keep.textContent = "This is the baseline";
      keep.setAttribute("aria-disabled", "true");
      said.textContent = "Change the code, open the page with its profile again, and run it again: it is compared then.";
    });
    const said = kit.el("span", { class: "quiet", role: "status" });
    const others = kit.el("span", {});
    show(
      times.length > 1 ? dots(kit, times) : null,
      kit.el(
        "p",
        { class: "buttons" },
        baseline
          ? kit.el("a", { class: "button primary", href: compareUrl(baseline.ids, ids) }, "Compare with the baseline")
          : null,
        keep,
        kit.el("a", { href: setUrl(ids) }, "This set, to keep as a link"),
        others,
        said,
      ),
    );
    offerOthers(others, ids);
  }

  function show(...nodes) {
    const result = find(".result");
    result.replaceChildren(...nodes.filter(Boolean));
    result.hidden = false;
  }

  // Earlier sets of the route, to be chosen from.
  async function offerOthers(where, ids) {
    let sets = [];
    try {
      const url = `${about.peers}?without=${ids.join(",")}`;
      const response = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!response.ok) throw new Error(`status ${response.status}`);
      sets = (await response.json()).sets;
    } catch (error) {
      where.append(kit.el("span", { class: "quiet" }, `Earlier captures cannot be listed: ${error.message}`));
      return;
    }
    if (!sets.length) return;
    const select = kit.el("select", { "aria-label": "Earlier runs" });
    // Times of those that were measured otherwise cannot be compared: they come last.
    const ordered = [...sets.filter((found) => found.alike), ...sets.filter((found) => !found.alike)];
    for (const found of ordered.slice(0, 100))
      select.append(
        kit.el(
          "option",
          { value: found.url },
          `${runs(found.count)}, ${kit.ms(found.median_ms)}, ${moment(found.started_at)}${found.alike ? "" : ", measured otherwise"}`,
        ),
      );
    const go = kit.el("button", { type: "button" }, "Compare");
    go.addEventListener("click", () => location.assign(select.value));
    where.append(kit.el("label", {}, "or with ", select), " ", go);
  }
}

// One request as the page would get it, and the capture that was made of it.
async function once(about, signal) {
  const url = new URL(about.page, location.origin);
  if (url.origin !== location.origin) throw new Error("The page is of another site.");
  const response = await fetch(url, {
    headers: { "Hotpath-Profile": about.profile, Accept: about.accept },
    credentials: "same-origin",
    cache: "no-store",
    signal,
  });
  // The capture of a stream is complete with its last byte.
  await response.arrayBuffer();
  const refused = response.headers.get("Hotpath-Refused");
  const id = ID.exec(response.headers.get("Hotpath-Capture") ?? "")?.[0];
  if (response.redirected) throw new Error(`The page leads to ${new URL(response.url).pathname} now.`);
  if (refused) throw new Error(`It was not measured: ${refused}`);
  if (!id && !response.ok) throw new Error(`The page answered with status ${response.status}.`);
  if (!id) throw new Error("The answer names no capture: is the middleware still there?");
  const told = /(?:^|,)\s*app;dur=([\d.]+)/.exec(response.headers.get("Server-Timing") ?? "");
  return { id, ms: told ? Number(told[1]) : null };
}

function summary(kit, number, times) {
  if (!times.length) return `${runs(number)} done.`;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  };
  const half = sorted.length > 3 ? `, the middle half from ${kit.ms(at(0.25))} to ${kit.ms(at(0.75))}` : "";
  return `${runs(number)}: median ${kit.ms(at(0.5))}${half}.`;
}

function median(values) {
  if (!values.length) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The runs in a row: time upwards, one after the other, so that a trend is seen.
function dots(kit, times) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  const most = Math.max(...times);
  const width = times.length * 14;
  for (const [key, value] of [["class", "dots"], ["viewBox", `0 0 ${width} 40`], ["width", width], ["height", 40], ["role", "img"]])
    svg.setAttribute(key, value);
  svg.setAttribute("aria-label", `Times of the runs in turn: ${times.map((value) => kit.ms(value)).join(", ")}`);
  times.forEach((value, i) => {
    const rect = document.createElementNS(ns, "rect");
    const height = Math.max((value / most) * 40, 1);
    for (const [key, place] of [["x", i * 14], ["y", 40 - height], ["width", 10], ["height", height]])
      rect.setAttribute(key, place);
    svg.append(rect);
  });
  return svg;
}

function runs(number) {
  return number === 1 ? "1 run" : `${number} runs`;
}

function moment(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  const day = date.toDateString() === new Date().toDateString() ? [] : [date.toLocaleDateString()];
  return [...day, date.toLocaleTimeString()].join(" ");
}

// Baselines by page. Storage may be forbidden: then there is none.
function baselines() {
  try {
    const found = JSON.parse(localStorage.getItem(BASELINES));
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

function baselineOf(page) {
  const found = baselines()[page];
  const sound = Array.isArray(found?.ids) && found.ids.length && found.ids.every((id) => ID.test(id));
  return sound ? found : null;
}

function saveBaseline(page, value) {
  const { [page]: _, ...others } = baselines();
  const all = value ? { [page]: value, ...others } : others;
  try {
    localStorage.setItem(BASELINES, JSON.stringify(Object.fromEntries(Object.entries(all).slice(0, KEPT))));
  } catch {
    // Not remembered then: the link of the set still is there.
  }
}
