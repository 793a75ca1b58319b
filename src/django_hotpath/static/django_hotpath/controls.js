// The theme, copy buttons and local times: what every page has.

function theme() {
  const select = document.getElementById("theme");
  select.closest("label").hidden = false;
  select.value = document.documentElement.dataset.theme ?? "";
  select.addEventListener("change", () => {
    if (select.value) document.documentElement.dataset.theme = select.value;
    else delete document.documentElement.dataset.theme;
    try {
      localStorage.setItem("hotpath-theme", select.value);
    } catch {
      // Not remembered then.
    }
  });
}

async function copy(source) {
  const text = source.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard outside of secure contexts: select the text and use the old command.
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

// Puts a copy button before each <pre data-copy> below `root`.
export function copyable(root) {
  for (const source of root.querySelectorAll("pre[data-copy]")) {
    if (source.previousElementSibling?.classList.contains("copy")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      button.textContent = (await copy(source)) ? "Copied" : "Press Ctrl+C";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    source.before(button);
  }
}

export function times(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const two = (value) => String(value).padStart(2, "0");
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    time.title = time.dateTime;
    time.textContent = `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  }
}

// Addresses that the server wrote without knowing its own.
function origins() {
  if (!location.protocol.startsWith("http")) return;
  for (const node of document.querySelectorAll("[data-origin]"))
    node.textContent = node.textContent.replace("http://127.0.0.1:8000", location.origin);
}

// Menus close when one goes elsewhere.
function menus() {
  const close = (menu) => menu.removeAttribute("open");
  document.addEventListener("click", ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) close(menu);
  });
  for (const menu of document.querySelectorAll("details.menu")) {
    menu.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !menu.contains(relatedTarget) && close(menu));
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      close(menu);
      menu.querySelector("summary").focus();
    });
  }
}

export function start() {
  theme();
  menus();
  origins();
  copyable(document);
  times();
}
