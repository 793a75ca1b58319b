// The same figures by one thing or another: of several [data-view] one is shown at a time.

// Below `root` there is one [data-switch], whose siblings they are. Without scripts all are shown.
export function offerViews(root, kit) {
  const tools = root.querySelector("[data-switch]");
  const views = [...(tools?.parentElement.querySelectorAll(":scope > [data-view]") ?? [])];
  if (views.length < 2) return;
  const group = tools.querySelector(".segmented");
  const buttons = views.map((view) => kit.el("button", { type: "button" }, view.dataset.view));
  const show = (chosen) =>
    views.forEach((view, i) => {
      view.hidden = i !== chosen;
      buttons[i].setAttribute("aria-pressed", String(i === chosen));
    });
  buttons.forEach((button, i) => button.addEventListener("click", () => show(i)));
  group.replaceChildren(...buttons);
  tools.hidden = false;
  show(0);
}
