// The end of every bundle: runs the modules that stand before it as `modules`, [name, make] each.
// What one offers to the others is handed over as `kit`.

const kit = {};
const starts = [];

// One part that fails must not take the others with it.
function attempt(name, action) {
  try {
    action();
  } catch (error) {
    console.error("hotpath:", name, error);
  }
}

for (const [name, make] of modules)
  attempt(name, () => {
    const { start, ...offered } = make();
    Object.assign(kit, offered);
    if (start) starts.push([name, start]);
  });
for (const [name, start] of starts) attempt(name, () => start(kit));
document.documentElement.classList.add("ready");
