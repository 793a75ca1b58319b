// Loads the modules that the page names. They import nothing themselves: their URLs carry a
// version, and without the project's URLs they differ in the query only, so no relative import
// could find them. What one offers to the others is handed over as `kit`.

const links = [...document.querySelectorAll("link[data-module]")];
const loaded = await Promise.allSettled(links.map((link) => import(link.href)));
const kit = {};
for (const { value } of loaded) if (value) Object.assign(kit, value);
delete kit.start;

for (const { value, reason } of loaded) {
  try {
    if (reason) throw reason;
    value.start?.(kit);
  } catch (error) {
    // One part that fails must not take the others with it.
    console.error("hotpath:", error);
  }
}
document.documentElement.classList.add("ready");
