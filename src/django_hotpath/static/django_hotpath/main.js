// Loads the modules that the page names. They import nothing themselves: their URLs carry a
// version, and without the project's URLs they differ in the query only, so no relative import
// could find them. What one offers to the others is handed over as `kit`.

const modules = await Promise.all(
  [...document.querySelectorAll("link[data-module]")].map((link) => import(link.href)),
);
const kit = Object.assign({}, ...modules.map(({ start, ...offered }) => offered));

for (const { start } of modules) {
  try {
    start?.(kit);
  } catch (error) {
    // One part that fails must not take the others with it.
    console.error("hotpath:", error);
  }
}
document.documentElement.classList.add("ready");
