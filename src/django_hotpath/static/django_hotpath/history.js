// The history as it happens: asks for what is new, and puts it on top without moving what is read.

const EVERY = 2000;
const QUIET_EVERY = 5000;
const QUIET_AFTER = 60000;
const LONGEST_PAUSE = 60000;
const MOST_ROWS = 200;
const KEY = "hotpath-live";

function remembered() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

function remember(on) {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Not remembered then.
  }
}

// A row as captures.html has it, from what the server sent.
function build(kit, row, { back, token, choosing }) {
  const { el } = kit;
  const name = [
    row.method && el("span", { class: "method" }, row.method),
    row.method && " ",
    el("span", { class: "where" }, row.path),
    row.query && el("span", { class: "query" }, `?${row.query}`),
  ];
  const under = row.route !== null && el("span", { class: "under" }, row.route);
  const status = row.status
    ? el("span", { class: `status ${row.status_class}` }, row.status)
    : row.method
      ? el("abbr", { title: "No answer: the client left, or the work was ended" }, "none")
      : "–";
  const bar = kit.bar([[row.slow ? "solid" : "pale", 0, 0]]);
  const wall = el("span", { class: "bar-and-figure" }, bar, ` ${kit.decimal(row.wall_ms, 1)}`);
  const found = row.findings
    ? String(row.findings)
    : el("span", { class: "quiet" }, row.findings === null ? "–" : "none");
  const high = row.high > 0 && el("span", { class: "severity high" }, `${row.high} high`);
  const choose = el("input", {
    type: "checkbox",
    value: row.capture,
    "aria-label": `Choose the capture of ${row.label} to compare`,
  });
  const act = row.url
    ? el("a", { class: "button", href: row.url, title: `Measured: ${row.instruments}` }, "Report")
    : row.profile &&
      el("a", { href: row.profile, "aria-label": `Profile it: ${row.label}` }, "Profile it");
  const remove =
    row.delete &&
    el(
      "form",
      { method: "post", action: row.delete },
      el("input", { type: "hidden", name: "csrfmiddlewaretoken", value: token }),
      el("input", { type: "hidden", name: "back", value: back }),
      el("button", { class: "link", "aria-label": `Delete the capture of ${row.label}` }, "Delete"),
    );
  const cell = (cls, ...children) => el("td", { class: cls }, ...children.filter(Boolean));
  const first = cell("choose", row.capture && choose);
  first.hidden = !choosing;
  const node = el(
    "tr",
    { id: `r${row.seq}`, class: "new", "data-seq": row.seq, "data-started": row.started_at },
    first,
    cell("when", el("time", { datetime: row.started_at }, row.started_at)),
    cell("what", ...(row.url ? [el("a", { href: row.url }, ...name.filter(Boolean))] : name), under),
    cell("state", status),
    cell("n wall", wall),
    cell("n queries", kit.count(row.queries)),
    cell("found", found, high && " ", high),
    cell("act", act),
    cell("act", remove),
  );
  node.dataset.wall = row.wall_ms;
  return node;
}

class Live {
  constructor(kit, root) {
    this.kit = kit;
    this.root = root;
    this.insert = root.dataset.mode === "insert";
    this.cursor = Number(root.dataset.cursor);
    this.waiting = [];
    this.unseen = 0;
    this.failures = 0;
    this.timer = null;
    this.lastNew = performance.now();
    this.button = root.querySelector(".fresh");
    this.state = document.getElementById("live-state");
    this.announced = document.getElementById("announced");
    this.toggle = document.getElementById("live");
    this.toggle.closest(".live").hidden = false;
    this.toggle.checked = remembered();
    this.toggle.addEventListener("change", () => {
      remember(this.toggle.checked);
      this.failures = 0;
      this.schedule(0);
    });
    this.button.addEventListener("click", () => this.show());
    document.addEventListener("visibilitychange", () => this.schedule(0));
    this.schedule(EVERY);
  }

  schedule(delay) {
    clearTimeout(this.timer);
    if (!this.toggle.checked) return this.say("off");
    if (document.hidden) return this.say("paused");
    if (!this.failures) this.say("");
    this.timer = setTimeout(() => this.ask(), delay);
  }

  say(text) {
    if (this.state.textContent !== text) this.state.textContent = text;
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    let delay = EVERY;
    try {
      const { recent, query } = this.root.dataset;
      const address = `${recent}?after=${this.cursor}${query ? `&${query}` : ""}`;
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      this.take(await answer.json());
      this.failures = 0;
      if (performance.now() - this.lastNew > QUIET_AFTER) delay = QUIET_EVERY;
    } catch {
      this.failures += 1;
      delay = Math.min(EVERY * 2 ** this.failures, LONGEST_PAUSE);
      this.say(`no answer, again in ${Math.round(delay / 1000)} s`);
    } finally {
      this.asking = false;
    }
    this.schedule(delay);
  }

  take({ cursor, rows, left_out: leftOut, restarted }) {
    this.cursor = cursor;
    if (restarted) {
      this.insert = false;
      this.unseen += 1;
    }
    const number = rows.length + leftOut;
    if (!number && !restarted) return;
    this.lastNew = performance.now();
    this.unseen += number;
    // The oldest of many are on the page that a reload brings.
    if (leftOut) this.insert = false;
    this.waiting = [...rows, ...this.waiting].slice(0, MOST_ROWS);
    if (this.insert && !this.reading()) this.put(false);
    else this.offer();
    const latest = rows[0];
    if (latest)
      this.announce(`${this.words(number)}, the latest ${latest.label}, ${this.kit.ms(latest.wall_ms)}`);
  }

  // What somebody looks at, points at or stands in must stay where it is.
  reading() {
    const body = this.root.querySelector("tbody");
    const scroller = body.closest(".scroll");
    return (
      body.getBoundingClientRect().top < 0 ||
      scroller.scrollTop > 0 ||
      body.contains(document.activeElement) ||
      body.matches(":hover") ||
      !this.button.hidden ||
      body.querySelector(":checked") !== null
    );
  }

  words(number) {
    return `${number} new ${number === 1 ? "request" : "requests"}`;
  }

  offer() {
    this.button.textContent = this.words(this.unseen);
    this.button.hidden = false;
  }

  announce(text) {
    this.announced.textContent = text;
  }

  show() {
    if (!this.insert) return location.reload();
    this.button.hidden = true;
    const first = this.put(true);
    scrollTo({ top: 0 });
    this.root.querySelector(".scroll").scrollTop = 0;
    first?.focus({ preventScroll: true });
  }

  put(focusable) {
    const body = this.root.querySelector("tbody");
    const { back, token } = this.root.dataset;
    const choosing = !body.closest("table").tHead.querySelector(".choose").hidden;
    // A request may be told of after a later one: from another process, or a long one.
    for (const row of [...this.waiting].reverse()) {
      if (document.getElementById(`r${row.seq}`)) continue;
      const node = build(this.kit, row, { back, token, choosing });
      const next = [...body.rows].find((other) => other.dataset.started <= row.started_at);
      body.insertBefore(node, next ?? null);
      this.kit.times(node);
    }
    this.waiting = [];
    this.unseen = 0;
    while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
    bars(body);
    const first = body.rows[0];
    if (focusable && first) first.tabIndex = -1;
    return first;
  }
}

// The longest of the rows that are shown is the whole bar.
function bars(body) {
  const wall = (row) => Number(row.dataset.wall ?? row.querySelector(".wall").dataset.v);
  const longest = Math.max(...[...body.rows].map(wall));
  for (const row of body.rows) {
    const share = longest > 0 ? wall(row) / longest : 0;
    const width = share ? Math.max(share * 100, 0.4).toFixed(2) : "0";
    row.querySelector(".bar rect").setAttribute("width", width);
  }
}

export function start(kit) {
  const root = document.getElementById("history");
  if (root?.dataset.recent) new Live(kit, root);
}
