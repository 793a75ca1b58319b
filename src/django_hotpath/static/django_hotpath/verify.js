// Verifies a fix without leaving the report: asks first, then shows the verdict in place.

export function start(kit) {
  for (const place of document.querySelectorAll("[data-verify]")) offer(kit, place);
}

function offer(kit, place) {
  const verdict = place.querySelector(".verdict");
  const confirmation = place.querySelector(".confirmation");
  const link = place.querySelector(".ask a");
  const button = kit.el("button", { type: "button", "aria-expanded": "false" }, link.textContent);
  const go = kit.el("button", { type: "button", class: "primary" }, "Replay the request");
  const cancel = kit.el("button", { type: "button" }, "Cancel");
  link.replaceWith(button);
  confirmation.append(kit.el("p", { class: "buttons" }, go, " ", cancel));

  function show(open) {
    confirmation.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) go.focus();
    else button.focus();
  }
  button.addEventListener("click", () => show(confirmation.hidden));
  cancel.addEventListener("click", () => show(false));
  confirmation.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(false);
  });
  go.addEventListener("click", async () => {
    show(false);
    // Not disabled: that would take the focus away from whoever uses the keyboard.
    if (place.getAttribute("aria-busy")) return;
    place.setAttribute("aria-busy", "true");
    const stop = progress(button);
    try {
      showVerdict(kit, verdict, await run(place.dataset.verify));
      stop("Verify again");
    } catch (error) {
      verdict.replaceChildren(
        kit.el("p", { class: "refuted" }, kit.el("strong", {}, "Not verified"), ` ${error.message}`),
      );
      stop("Try again");
    }
    place.removeAttribute("aria-busy");
  });
}

// The text of the button counts the seconds; the function that it gives ends that.
function progress(button) {
  const began = Date.now();
  const tell = () => {
    const seconds = Math.floor((Date.now() - began) / 1000);
    button.textContent = seconds < 2 ? "Replaying…" : `Replaying… ${seconds} s`;
  };
  tell();
  const timer = setInterval(tell, 500);
  return (text) => {
    clearInterval(timer);
    button.textContent = text;
  };
}

// The token is fetched when it is needed: a report in place of an answer sets no cookie for one.
async function run(url) {
  const page = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  const read = new DOMParser().parseFromString(await page.text(), "text/html");
  const token = read.querySelector("input[name=csrfmiddlewaretoken]")?.value;
  if (!token) throw new Error(reason(read, page));
  const answer = await fetch(url, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ csrfmiddlewaretoken: token }),
    credentials: "same-origin",
  });
  const type = answer.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/json")) {
    const told = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(reason(told, answer));
  }
  const found = await answer.json();
  if (found.error) throw new Error(found.error);
  return found;
}

function reason(page, response) {
  const told = page.querySelector("main .notice, main .verdict, main .raised")?.textContent.trim();
  return told || `The server answered with status ${response.status}.`;
}

function showVerdict(kit, place, found) {
  place.replaceChildren(
    kit.el(
      "p",
      { class: found.confirmed ? "saving" : "refuted" },
      kit.el("strong", {}, found.confirmed ? "Verified" : "Replayed"),
      " ",
      kit.el("span", {}, found.line),
    ),
    ...found.notes.map((note) => kit.el("p", { class: "note" }, note)),
  );
}
