// Sections that belong to a layer as a whole, statements to the database: while another layer is
// chosen they say so instead of showing what is not in it.

export function start(kit) {
  const parts = [...document.querySelectorAll("[data-of-layers]")];
  for (const part of parts) {
    const button = kit.el("button", { type: "button" }, "Show all layers");
    button.addEventListener("click", () => kit.chooseLayer(null));
    part.notice = kit.el("p", { class: "empty", hidden: true }, kit.el("span"), button);
    part.before(part.notice);
  }
  document.addEventListener("hotpath:layer", () => {
    for (const part of parts) {
      const keys = part.dataset.ofLayers.split(" ");
      const shown = kit.currentLayer() === null || keys.some((key) => kit.inLayer(key));
      part.hidden = !shown;
      part.notice.hidden = shown;
      part.notice.firstChild.textContent = `${part.dataset.what} are not part of the layer that is chosen above.`;
    }
  });
}
