// The sections as tabs. Without this module they are one below the other.

const panels = [...document.querySelectorAll("section.panel")];
const tabs = panels.map((panel) => document.getElementById(panel.dataset.tab));

// Shows the section; says whether there is one of that name.
export function openTab(name, { focus = false } = {}) {
  const chosen = panels.findIndex((panel) => panel.id === name);
  if (chosen < 0) return false;
  panels.forEach((panel, i) => {
    panel.classList.toggle("current", i === chosen);
    tabs[i].setAttribute("aria-selected", String(i === chosen));
    tabs[i].tabIndex = i === chosen ? 0 : -1;
  });
  if (focus) tabs[chosen].focus();
  return true;
}

function keys(event) {
  const at = tabs.indexOf(event.currentTarget);
  const last = tabs.length - 1;
  const to = {
    ArrowRight: at === last ? 0 : at + 1,
    ArrowLeft: at === 0 ? last : at - 1,
    Home: 0,
    End: last,
  }[event.key];
  if (event.key === " ") event.currentTarget.click();
  else if (to === undefined) return;
  else choose(to, true);
  event.preventDefault();
}

function choose(index, focus) {
  openTab(panels[index].id, { focus });
  history.replaceState(null, "", `#${panels[index].id}`);
}

export function start() {
  if (!tabs.length) return;
  tabs[0].parentElement.setAttribute("role", "tablist");
  tabs.forEach((tab, i) => {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panels[i].id);
    panels[i].setAttribute("role", "tabpanel");
    panels[i].setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("keydown", keys);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      choose(i, false);
    });
  });
  openTab(location.hash.slice(1)) || openTab(panels[0].id);
  addEventListener("hashchange", () => openTab(location.hash.slice(1)));
}
