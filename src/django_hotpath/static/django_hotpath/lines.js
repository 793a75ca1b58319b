// Source with the cost of its lines: the list of functions opens and shows the one that is chosen.

export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-jump]");
    const listing = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!listing) return;
    // The fragment of the address is the tab's.
    event.preventDefault();
    listing.open = true;
    listing.scrollIntoView({ block: "start" });
    listing.querySelector("summary").focus({ preventScroll: true });
  });
}
