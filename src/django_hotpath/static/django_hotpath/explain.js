// Plans in place: a button at each statement asks for its plan and shows it there.

// The statement's own page has the token, the form and the plan; of it only that part is taken.
async function load(url, options = {}) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const plan = page.getElementById("plan");
  if (plan) return document.adoptNode(plan);
  const told = page.querySelector("main .notice, main .verdict, main .raised")?.textContent.trim();
  throw new Error(told || `The server answered with status ${answer.status}.`);
}

function show(kit, old, plan) {
  // Several plans may be open at once.
  plan.removeAttribute("id");
  old.replaceWith(plan);
  kit.copyable(plan);
  kit.times(plan);
  for (const form of plan.querySelectorAll("form[data-explain-form]"))
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(kit, plan, form);
    });
  return plan;
}

async function send(kit, plan, form) {
  if (plan.getAttribute("aria-busy")) return;
  plan.setAttribute("aria-busy", "true");
  const button = form.querySelector("button");
  const text = button.textContent;
  button.textContent = text.startsWith("Try") ? "Trying…" : "Explaining…";
  try {
    const body = new URLSearchParams(new FormData(form));
    const shown = show(kit, plan, await load(form.action, { method: "POST", body }));
    stale(kit);
    shown.querySelector("button")?.focus({ preventScroll: true });
  } catch (error) {
    plan.removeAttribute("aria-busy");
    button.textContent = text;
    plan.prepend(kit.el("p", { class: "notice", role: "alert" }, error.message));
  }
}

// What a plan shows is a finding of the capture, and the list above was made before.
function stale(kit) {
  const title = document.getElementById("findings-title");
  if (!title || document.getElementById("findings-stale")) return;
  const base = document.querySelector("[data-explain]").dataset.explain;
  title.after(
    kit.el(
      "p",
      { class: "quiet", id: "findings-stale", role: "status" },
      "What the plan shows is kept with the capture. ",
      kit.el("a", { href: base.replace(/explain\/$/, "") }, "Load the report again"),
      " to see it among the findings.",
    ),
  );
}

function offer(kit, base, details, index, explained) {
  details.dataset.explained = "";
  for (const link of details.querySelectorAll("p.explain")) link.remove();
  const button = kit.el("button", { type: "button" }, "Explain");
  const analyze = kit.el("input", { type: "checkbox" });
  const place = kit.el(
    "div",
    { class: "explain" },
    button,
    kit.el("label", {}, analyze, " with ANALYZE (runs the query)"),
    kit.el("span", { class: "note", role: "status" }),
  );
  const members = details.querySelector(".members");
  if (members) members.before(place);
  else details.append(place);
  const url = `${base}${index}/`;

  async function open(run) {
    button.disabled = true;
    try {
      const plan = show(kit, place, await load(url));
      if (!run) return;
      const form = plan.querySelector("form[data-explain-form]");
      const box = form?.querySelector("input[name=analyze]");
      if (box) box.checked = analyze.checked;
      if (form) await send(kit, plan, form);
    } catch (error) {
      button.disabled = false;
      place.querySelector(".note").textContent = error.message;
    }
  }
  button.addEventListener("click", () => open(true));
  if (explained) open(false);
}

export function start(kit) {
  const base = document.querySelector("[data-explain]");
  const found = kit.statements?.();
  if (!base || !found) return;
  const explained = new Set(base.dataset.explained.split(",").filter(Boolean).map(Number));

  function statement(details) {
    if ("query" in details.dataset) return +details.dataset.query;
    const { members } = found.groups[+details.dataset.group];
    return members.find((place) => explained.has(found.index(place))) ?? members[0];
  }

  // Rows are built when they are opened, and this must come after what they are built of.
  document.addEventListener(
    "toggle",
    ({ target: details }) => {
      if (!details.matches?.("details[data-group], details[data-query]") || !details.open) return;
      if ("explained" in details.dataset) return;
      setTimeout(() => {
        const place = statement(details);
        const reads = /^[\s(]*(SELECT|WITH|VALUES|TABLE)\b/i.test(found.text(place));
        if (!reads || found.error(place) || found.many(place)) return;
        offer(kit, base.dataset.explain, details, found.index(place), explained.has(found.index(place)));
      });
    },
    true,
  );
}
