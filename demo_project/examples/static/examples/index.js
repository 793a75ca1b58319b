// What was measured in this browser, beside the figures of each example; and measuring all of them.
import { first, kept, measure, median, milliseconds, ratio } from "./measure.js";

const RUNS = 5;
const examples = [...document.querySelectorAll("article[data-measure]")].map((place) => ({
  place,
  data: JSON.parse(place.dataset.measure),
}));
let running = null;

const measured = kept();
for (const { place, data } of examples) {
  if (measured[data.slug]) show(place, data, measured[data.slug]);
  const button = place.querySelector(".measure-one");
  button.hidden = false;
  button.setAttribute("aria-label", `Measure ${place.querySelector("h3").textContent}`);
  button.addEventListener("click", () => all([{ place, data }]));
}

const [start, stop, state] = ["measure-all", "stop-all", "all-state"].map((id) => document.getElementById(id));
start.hidden = false;
start.addEventListener("click", () => all(examples));
stop.addEventListener("click", () => running?.abort());
addEventListener("pagehide", () => running?.abort());

async function all(wanted) {
  if (running) return;
  running = new AbortController();
  stop.hidden = false;
  let done = 0;
  for (const { place, data } of wanted) {
    const said = place.querySelector(".ratio");
    place.setAttribute("aria-busy", "true");
    try {
      const tell = (at, of) => (said.textContent = `Measuring: ${at} of ${of} requests`);
      show(place, data, await measure(data, RUNS, tell, running.signal));
    } catch (error) {
      said.textContent = running.signal.aborted ? "Stopped." : error.message;
    }
    place.removeAttribute("aria-busy");
    if (running.signal.aborted) break;
    done += 1;
    if (wanted.length > 1) state.textContent = `${done} of ${wanted.length} examples`;
  }
  running = null;
  stop.hidden = true;
}

function show(place, data, found) {
  for (const variant of data.variants) {
    const runs = found.runs?.[variant.name];
    const time = place.querySelector(`.timed[data-variant="${variant.name}"]`);
    if (!runs || !time) continue;
    time.textContent = milliseconds(median(runs));
    time.hidden = false;
  }
  const compared = found.compared?.[first(data, "fast").name];
  const said = place.querySelector(".ratio");
  said.replaceChildren();
  if (!compared) return;
  const link = document.createElement("a");
  link.href = compared.url;
  link.textContent = "Comparison";
  said.append(`${ratio(compared)} `, link);
}
