// The content of our panels in the debug toolbar: <hotpath-panel data-styles="urls" data-modules="urls">.
//
// The toolbar sets every element of its panels back to nothing, by rules that ours could not
// outweigh. So the content moves into a shadow root of its own, where the style sheets and modules
// of the report hold as they are. An element of its own is there whichever way the content came:
// with the page, by a request, out of the history. Without scripts the content stays as it is.

const kit = {};
const loading = new Map();
// What of a module starts with the whole document: that is the user's page.
const BY_ROOT = { table: "sortable", controls: "copyable", views: "offerViews" };

function name(url) {
  // Static files may carry a hash: kit.3f2a1b.js
  return new URL(url, location.href).pathname.split("/").pop().split(".")[0];
}

// Loads a module once for all panels.
function load(url) {
  const key = name(url);
  if (!loading.has(key))
    loading.set(
      key,
      import(new URL(url, location.href).href).then(
        (module) => ({ key, module }),
        (error) => console.error("hotpath:", url, error),
      ),
    );
  return loading.get(key);
}

const started = new Set();

async function modules(urls) {
  const found = (await Promise.all(urls.map(load))).filter(Boolean);
  for (const { module } of found) {
    const { start, mount, ...offered } = module;
    Object.assign(kit, offered);
  }
  for (const { key, module } of found) {
    if (started.has(key) || BY_ROOT[key]) continue;
    started.add(key);
    attempt(() => module.start?.(kit));
  }
  return found;
}

function attempt(action) {
  try {
    action();
  } catch (error) {
    // One part that fails must not take the others with it.
    console.error("hotpath:", error);
  }
}

function styleSheet(href, nonce) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  if (nonce) link.nonce = nonce;
  const done = new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
  });
  return { link, done };
}

const urls = (text) => (text ?? "").split(" ").filter(Boolean);

class HotpathPanel extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    // While the page is being parsed the children are not there yet.
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => this.mount(), { once: true });
    else this.mount();
  }

  async mount() {
    if (this.shadowRoot || !this.isConnected) return;
    const toolbar = this.closest("#djDebug");
    const nonce = this.getRootNode().querySelector("link[nonce], script[nonce]")?.nonce;
    const root = this.attachShadow({ mode: "open" });
    const sheets = urls(this.dataset.styles).map((href) => styleSheet(href, nonce));
    root.append(...sheets.map(({ link }) => link));
    this.follow(toolbar);
    this.widen();
    const [found] = await Promise.all([modules(urls(this.dataset.modules)), ...sheets.map(({ done }) => done)]);
    root.append(...this.childNodes);
    root.addEventListener("keydown", (event) => {
      // The toolbar closes the panel at Escape: not when it meant something here.
      if (event.key === "Escape" && event.defaultPrevented) event.stopPropagation();
    });
    this.fill(root, found);
    this.dispatchEvent(new CustomEvent("hotpath:mounted", { bubbles: true, composed: true }));
  }

  fill(root, found) {
    for (const { key, module } of found) {
      const way = module.mount ?? module[BY_ROOT[key]];
      if (way) attempt(() => way(root, kit));
    }
    for (const place of kit.mountFlame ? root.querySelectorAll("[data-flame]") : []) {
      const data = root.getElementById(place.dataset.flame);
      if (!data) continue;
      const { source, root: rootName } = place.dataset;
      attempt(() => kit.mountFlame(place, JSON.parse(data.textContent), { source, rootName }));
    }
    // Links within the content: fragments of the address do not reach into a shadow root.
    root.addEventListener("click", (event) => {
      const link = event.target.closest?.('a[href^="#"]');
      if (!link) return;
      event.preventDefault();
      const target = root.getElementById(link.getAttribute("href").slice(1));
      const summary = target?.tagName === "DETAILS" && target.querySelector("summary");
      if (summary) {
        target.open = true;
        summary.focus({ preventScroll: true });
      }
      target?.scrollIntoView({ block: summary ? "start" : "nearest" });
    });
  }

  // Beside the toolbar's side bar, which is 240 px wide, a narrow window leaves no room to read:
  // there the panel lies above it, until it is closed.
  widen() {
    const frame = this.closest(".djdt-panelContent");
    if (!frame) return;
    const narrow = matchMedia("(max-width: 940px)");
    const fit = () => (frame.style.right = narrow.matches ? "0" : "");
    fit();
    narrow.addEventListener("change", fit);
  }

  // Light and dark are the toolbar's choice.
  follow(toolbar) {
    const theme = () => {
      this.dataset.theme = toolbar?.dataset.theme ?? "light";
      document.dispatchEvent(new CustomEvent("hotpath:theme"));
    };
    theme();
    if (toolbar) new MutationObserver(theme).observe(toolbar, { attributeFilter: ["data-theme"] });
  }
}

if (!customElements.get("hotpath-panel")) customElements.define("hotpath-panel", HotpathPanel);
