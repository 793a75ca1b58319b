// Runs the variants of an example through the product: ordinary requests with the header
// Hotpath-Profile, the variants in turn, so that a machine that slows down slows all of them.

const ID = /[0-9A-HJKMNP-TV-Z]{26}/;
const KEPT = "hotpath-demo-measured";

/** One set of runs. `data` is the attribute data-measure of its page; `tell(done, all)` is called
 *  after each. Gives `{at, profile, query, runs: {name: [{id, ms}]}, compared: {name: …}}`. */
export async function measure(data, count, tell, signal) {
  const runs = Object.fromEntries(data.variants.map((variant) => [variant.name, []]));
  const all = (count + 1) * data.variants.length;
  let done = 0;
  for (let round = 0; round <= count; round++) {
    for (const variant of data.variants) {
      tell(done, all);
      // The first round loads and warms what the others find: it is not measured.
      const found = await once(data, variant, round > 0, signal);
      if (found) runs[variant.name].push(found);
      done += 1;
    }
  }
  tell(done, all);
  const compared = {};
  const slow = first(data, "slow");
  for (const other of data.variants)
    if (other !== slow) compared[other.name] = await compare(data, runs[slow.name], runs[other.name], signal);
  const result = { at: new Date().toISOString(), profile: data.profile, query: data.query, runs, compared };
  keep(data.slug, result);
  return result;
}

export function first(data, kind) {
  return data.variants.find((variant) => variant.kind === kind) ?? data.variants[0];
}

async function once(data, variant, measured, signal) {
  const headers = { Accept: "text/html" };
  if (measured) headers["Hotpath-Profile"] = data.profile;
  const options = { headers, cache: "no-store", credentials: "same-origin", signal };
  const response = await fetch(variant.url + data.query, options);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${variant.name} answered with status ${response.status}.`);
  if (!measured) return null;
  const refused = response.headers.get("Hotpath-Refused");
  if (refused) throw new Error(`${variant.name} was not measured: ${refused}`);
  const id = ID.exec(response.headers.get("Hotpath-Capture") ?? "")?.[0];
  if (!id) throw new Error(`The answer of ${variant.name} names no capture.`);
  const told = /(?:^|,)\s*app;dur=([\d.]+)/.exec(response.headers.get("Server-Timing") ?? "");
  return { id, ms: told ? Number(told[1]) : null };
}

/** What the product says of two sets; its verdict and what is counted differently. */
async function compare(data, before, after, signal) {
  const query = `?a=${ids(before)}&b=${ids(after)}`;
  const response = await fetch(data.api + query, { headers: { Accept: "application/json" }, signal });
  if (!response.ok) throw new Error(`The comparison answered with status ${response.status}.`);
  const found = await response.json();
  const time = found.times.find((one) => one.name === "wall_ms");
  return {
    url: data.compare + query,
    verdict: found.verdict,
    outcome: time?.outcome ?? "unclear",
    change: time?.change ?? null,
    low: time?.change_low ?? null,
    high: time?.change_high ?? null,
    counts: found.counts
      .filter((one) => one.outcome === "less" || one.outcome === "more")
      .map(({ label, unit, before: from, after: to }) => ({ label, unit, from, to })),
  };
}

const ids = (runs) => runs.map((run) => run.id).join(",");

/** "12× faster, 10 to 14" of a compared set, or what the product says instead. */
export function ratio(compared) {
  if (compared.outcome !== "less" && compared.outcome !== "more") return compared.verdict;
  const faster = compared.outcome === "less";
  const factor = (change) => (faster ? 1 / (1 + change) : 1 + change);
  const ends = [compared.low, compared.high].map(factor).sort((a, b) => a - b);
  const word = faster ? "faster" : "slower";
  return `${times(factor(compared.change))}× ${word} (${times(ends[0])} to ${times(ends[1])})`;
}

function times(value) {
  if (!Number.isFinite(value)) return "∞";
  return value >= 20 ? value.toFixed(0) : value >= 3 ? value.toFixed(1) : value.toFixed(2);
}

export function milliseconds(value) {
  if (value === null || value === undefined) return "";
  return value >= 100 ? `${value.toFixed(0)} ms` : value >= 10 ? `${value.toFixed(1)} ms` : `${value.toFixed(2)} ms`;
}

export function median(runs) {
  const sorted = runs.map((run) => run.ms).filter((ms) => ms !== null).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (!sorted.length) return null;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What was measured in this browser, by slug. Storage may be forbidden: then there is nothing. */
export function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT));
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

function keep(slug, result) {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...kept(), [slug]: result }));
  } catch {
    // Shown once then, and not remembered.
  }
}

/** An element with attributes and children; texts stay texts. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}
