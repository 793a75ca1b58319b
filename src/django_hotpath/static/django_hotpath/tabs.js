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
  if (focus) tabs[chosen].focus({ preventScroll: true });
  intoSight(tabs[chosen]);
  return true;
}

// Sideways only: the page stays where it is.
function intoSight(tab) {
  const list = tab.parentElement;
  const room = 40;
  if (tab.offsetLeft - room < list.scrollLeft) list.scrollLeft = tab.offsetLeft - room;
  const end = tab.offsetLeft + tab.offsetWidth + room;
  if (end > list.scrollLeft + list.clientWidth) list.scrollLeft = end - list.clientWidth;
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
  else chooseTab(panels[to].id, { focus: true });
  event.preventDefault();
}

let kit;

// Opens the tab and writes it into the address; says whether there is one of that name. A reader who
// has scrolled down begins at the top of the section, below the tabs.
export function chooseTab(name, { focus = false } = {}) {
  if (!openTab(name, { focus })) return false;
  kit.remember(name);
  const bar = tabs[0].closest(".tabbar");
  const panel = document.getElementById(name);
  if (panel.getBoundingClientRect().top < bar.getBoundingClientRect().bottom) panel.scrollIntoView();
  return true;
}

// Where there are more tabs than fit, the edges fade.
function edges(list) {
  const left = list.scrollLeft > 1;
  const right = list.scrollLeft + list.clientWidth < list.scrollWidth - 1;
  list.dataset.more = [left && "left", right && "right"].filter(Boolean).join(" ");
}

export function start(offered) {
  kit = offered;
  if (!tabs.length) return;
  const list = tabs[0].parentElement;
  list.addEventListener("scroll", () => edges(list), { passive: true });
  new ResizeObserver(() => edges(list)).observe(list);
  list.setAttribute("role", "tablist");
  tabs.forEach((tab, i) => {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panels[i].id);
    panels[i].setAttribute("role", "tabpanel");
    panels[i].setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("keydown", keys);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      chooseTab(panels[i].id);
    });
  });
  openTab(kit.place().tab) || openTab(panels[0].id);
  addEventListener("hashchange", () => openTab(kit.place().tab));
}
