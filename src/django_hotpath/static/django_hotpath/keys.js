// Keys for the whole page, and the list of them. Sections add theirs:
//   kit.registerKeys("flame", [["← →", "to the calls beside it"], …])
// with the name of their tab, or a title of their own. What a section does with a key it handles
// itself, and calls preventDefault(): then nothing happens here.

const registered = new Map();

export function registerKeys(section, keys) {
  registered.set(section, keys);
}

const panels = () => [...document.querySelectorAll("section.panel")];
const labelOf = (panel) => panel.querySelector("h2")?.textContent ?? panel.id;

// The letter after g for each tab: the first of its name that is still free.
function letters() {
  const taken = new Map();
  for (const panel of panels()) {
    const letter = [...labelOf(panel).toLowerCase()].find((one) => /[a-z]/.test(one) && !taken.has(one));
    if (letter) taken.set(letter, panel);
  }
  return taken;
}

// The keyboard has no eye on where the tabs are: the section comes into sight.
function go(kit, panel) {
  if (!panel) return;
  kit.chooseTab(panel.id, { focus: true });
  if (panel.getBoundingClientRect().top > innerHeight * 0.6) panel.scrollIntoView();
}

function step(kit, by) {
  const all = panels();
  const at = all.findIndex((panel) => panel.classList.contains("current"));
  go(kit, all[(at + by + all.length) % all.length]);
}

function firstFinding() {
  const found = document.querySelector(".finding");
  if (!found) return;
  found.open = true;
  found.querySelector("summary").focus();
}

function search() {
  const field = [...document.querySelectorAll('input[type="search"]')].find((one) => one.checkVisibility());
  field?.focus();
  field?.scrollIntoView({ block: "nearest" });
}

function groups() {
  const found = [];
  const here = [
    ["?", "this list"],
    ["Esc", "closes it"],
  ];
  if (document.querySelector(".finding")) here.unshift(["f", "the first finding"]);
  if (document.querySelector('input[type="search"]')) here.unshift(["/", "search or filter what is shown"]);
  found.push(["On this page", here]);
  const all = panels();
  if (all.length) {
    const letter = new Map([...letters()].map(([key, panel]) => [panel, key]));
    const rows = all.map((panel, i) => {
      const keys = [i < 9 ? `${i + 1}` : "", letter.has(panel) ? `g ${letter.get(panel)}` : ""];
      return [keys.filter(Boolean).join(" · "), labelOf(panel)];
    });
    found.push(["Tabs", [["[ · ]", "previous, next tab"], ...rows]]);
  }
  for (const [section, keys] of registered) {
    const panel = document.getElementById(section);
    found.push([panel?.classList.contains("panel") ? labelOf(panel) : section, keys]);
  }
  return found;
}

function build(kit) {
  const { el } = kit;
  const close = el("button", { type: "button", class: "close" }, "Close");
  const dialog = el(
    "dialog",
    { class: "keys", "aria-labelledby": "keys-title" },
    el("div", { class: "keys-head" }, el("h2", { id: "keys-title" }, "Keys"), close),
    el(
      "div",
      { class: "keys-groups" },
      ...groups().map(([title, rows]) =>
        el(
          "section",
          {},
          el("h3", {}, title),
          el(
            "dl",
            {},
            ...rows.map(([keys, what]) =>
              el("div", {}, el("dt", {}, ...chips(el, keys)), el("dd", {}, what)),
            ),
          ),
        ),
      ),
    ),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

// "g q · 4": each key as one; what stands between is text.
function chips(el, keys) {
  return keys.split(/( · | )/).map((part) => (part.trim() === "·" || !part.trim() ? part : el("kbd", {}, part)));
}

export function showKeys(kit) {
  if (document.querySelector("dialog[open]")) return;
  const dialog = build(kit);
  document.body.append(dialog);
  dialog.showModal();
}

export function start(kit) {
  const help = document.getElementById("keys-help");
  help.hidden = false;
  help.addEventListener("click", () => showKeys(kit));
  let pending = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
    if (document.querySelector("dialog[open]")) return;
    const after = pending && event.timeStamp - pending < 1500;
    if (event.key !== "Shift") pending = 0;
    const tabs = panels();
    if (after && letters().has(event.key)) go(kit, letters().get(event.key));
    else if (event.key === "g" && tabs.length) pending = event.timeStamp;
    else if (event.key === "?") showKeys(kit);
    else if (event.key === "f") firstFinding();
    else if (event.key === "/") search();
    else if (tabs.length && event.key === "[") step(kit, -1);
    else if (tabs.length && event.key === "]") step(kit, 1);
    else if (/^[1-9]$/.test(event.key) && tabs[event.key - 1]) go(kit, tabs[event.key - 1]);
    else return;
    event.preventDefault();
  });
}
