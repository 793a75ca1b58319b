// Fills the memory section with a second run of the same page.

export function start(kit) {
  const lane = document.querySelector("[data-memory]");
  if (!lane) return;
  const state = lane.querySelector(".lane-state");
  const button = kit.el("button", { type: "button" }, "Measure the allocations");
  button.addEventListener("click", run);

  async function run() {
    state.textContent = "Measuring: the page runs a second time…";
    lane.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(lane.dataset.memory, {
        headers: { Accept: "text/html" },
        credentials: "same-origin",
      });
      const found = adopt(await response.text());
      if (!found) throw new Error(reason(response));
      lane.replaceWith(found);
      kit.sortable(found);
    } catch (error) {
      button.textContent = "Try again";
      state.replaceChildren(kit.el("strong", {}, "Not measured. "), `${error.message} `, button);
      lane.removeAttribute("aria-busy");
    }
  }

  function reason(response) {
    const refused = response.headers.get("Hotpath-Refused");
    if (refused) return refused;
    if (!response.ok) return `The second run answered with status ${response.status}.`;
    return "The answer of the second run was not a report with allocations.";
  }

  // A parsed document runs no script; of it only the section with the tables is taken.
  function adopt(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const found = page.getElementById("allocations");
    return found && !found.dataset.memory && found.querySelector("dl") ? document.adoptNode(found) : null;
  }

  if ("auto" in lane.dataset) run();
  else state.replaceChildren(button);
}
