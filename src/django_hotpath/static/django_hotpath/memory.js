// Fills the memory section with a second run of the same page, and with more of them on demand.

const RUNS = 5;

export function start(kit) {
  offerRuns(kit);
  kit.offerViews(document, kit);
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
      kit.offerViews(found, kit);
      offerRuns(kit);
    } catch (error) {
      button.textContent = "Try again";
      state.replaceChildren(kit.el("strong", {}, "Not measured. "), `${error.message} `, button);
      lane.removeAttribute("aria-busy");
    }
  }

  if ("auto" in lane.dataset) run();
  else state.replaceChildren(button);
}

// A leak shows over several runs only: a button makes them, one after the other.
function offerRuns(kit) {
  const place = document.querySelector("#allocations [data-hunt]");
  if (!place) return;
  const button = kit.el("button", { type: "button" }, `Run the page ${RUNS} times more`);
  const state = kit.el("span", { class: "quiet", role: "status" });
  button.addEventListener("click", run);
  place.replaceChildren(button, " ", state);

  async function run() {
    button.disabled = true;
    let found = null;
    try {
      for (let number = 1; number <= RUNS; number++) {
        state.textContent = `Run ${number} of ${RUNS}…`;
        const response = await fetch(place.dataset.hunt, {
          headers: { Accept: "text/html" },
          credentials: "same-origin",
        });
        found = adopt(await response.text());
        if (!found) throw new Error(reason(response));
      }
      const shown = document.getElementById("allocations");
      const byLine = shown.querySelector(".line-memory");
      if (byLine && !found.querySelector(".line-memory")) found.append(byLine);
      shown.replaceWith(found);
      kit.sortable(found);
      kit.offerViews(found, kit);
      offerRuns(kit);
      document.querySelector("#allocations [data-hunt] button")?.focus();
    } catch (error) {
      state.textContent = `Stopped. ${error.message}`;
      button.disabled = false;
    }
  }
}

function reason(response) {
  const refused = response.headers.get("Hotpath-Refused");
  if (refused) return refused;
  if (!response.ok) return `The run answered with status ${response.status}.`;
  return "The answer of the run was not a report with allocations.";
}

// A parsed document runs no script; of it only the section with the tables is taken.
function adopt(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const found = page.getElementById("allocations");
  return found && !found.dataset.memory && found.querySelector("dl") ? document.adoptNode(found) : null;
}
