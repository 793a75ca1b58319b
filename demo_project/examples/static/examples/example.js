// "Measure now" on the page of an example: runs, what they showed, and the way to the comparison.
import { el, first, kept, measure, median, milliseconds } from "./measure.js";

for (const place of document.querySelectorAll("section[data-measure]")) offer(place);

function offer(place) {
  const data = JSON.parse(place.dataset.measure);
  const find = (selector) => place.querySelector(selector);
  const [start, stop, bar, state, result] = [".start", ".stop", ".bar", ".state", ".result"].map(find);
  let running = null;
  start.disabled = false;
  const earlier = kept()[data.slug];
  if (earlier?.query === data.query && sound(data, earlier)) show(earlier);

  start.addEventListener("click", run);
  stop.addEventListener("click", () => running?.abort());
  addEventListener("pagehide", () => running?.abort());

  async function run() {
    if (running) return;
    running = new AbortController();
    start.setAttribute("aria-disabled", "true");
    bar.hidden = stop.hidden = false;
    try {
      const found = await measure(data, Number(find(".runs").value), tell, running.signal);
      show(found);
      state.textContent = "Done: the product compares the two.";
      // Its own page has the proof; coming back, the figures are here.
      location.assign(found.compared[first(data, "fast").name].url);
    } catch (error) {
      state.textContent = running.signal.aborted ? "Stopped." : error.message;
    }
    running = null;
    bar.hidden = stop.hidden = true;
    start.removeAttribute("aria-disabled");
  }

  function tell(done, all) {
    bar.max = all;
    bar.value = done;
    state.textContent = `${done} of ${all} requests`;
  }

  function show(found) {
    const most = Math.max(...data.variants.flatMap(({ name }) => found.runs[name].map((run) => run.ms ?? 0)));
    result.replaceChildren(
      el("p", { class: "when" }, `Measured here ${new Date(found.at).toLocaleString()}, ${found.runs[data.variants[0].name].length} runs of each`),
      el("div", { class: "strips" }, ...data.variants.flatMap((variant) => strip(variant, found.runs[variant.name], most))),
      ...Object.entries(found.compared).map(([name, one]) => compared(name, one)),
    );
    result.hidden = false;
  }

  function compared(name, one) {
    return el(
      "div",
      { class: "compared" },
      el("p", { class: "said" }, el("b", {}, `${first(data, "slow").name} → ${name}: `), one.verdict),
      el("p", { class: "links" }, el("a", { class: "button", href: one.url }, `Compare ${first(data, "slow").name} with ${name}`)),
    );
  }
}

// The runs of a variant as points on a line from 0 to the slowest, and their median.
function strip(variant, runs, most) {
  const points = el("span", { class: `points ${variant.kind}`, "aria-hidden": "true" });
  for (const run of runs) {
    const point = el("i");
    point.style.left = `${((run.ms ?? 0) / (most || 1)) * 100}%`;
    points.append(point);
  }
  return [el("span", { class: `kind ${variant.kind}` }, variant.name), points, el("b", {}, milliseconds(median(runs)))];
}

function sound(data, found) {
  return data.variants.every(({ name }) => Array.isArray(found.runs?.[name]) && found.runs[name].length) && found.compared;
}

