// The pointer and the keys of a flame graph.

let kit;
const WHEEL = 1.0015;

function place(graph, event, canvas = graph.canvas) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function under(graph, event) {
  const [x, y] = place(graph, event);
  if (y < kit.flamePainter.RULER) return -1;
  return kit.flamePainter.at(graph.picture, graph.view(), x, y - kit.flamePainter.RULER);
}

function hover(graph, node, event) {
  graph.pointer = event ? [event.clientX, event.clientY] : null;
  if (node !== graph.hover) {
    graph.hover = node;
    graph.canvas.style.cursor = node >= 0 ? "pointer" : "";
    graph.draw();
  }
  graph.emit("hover");
}

function pointer(graph) {
  const { canvas, scroll } = graph;
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch") return;
    drag = { x: event.clientX, y: event.clientY, from: graph.from, to: graph.to, top: scroll.scrollTop, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return hover(graph, under(graph, event), event);
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    drag.moved = true;
    hover(graph, -1);
    const shift = (dx / graph.width) * (drag.to - drag.from);
    graph.range(drag.from - shift, drag.to - shift);
    scroll.scrollTop = drag.top - dy;
  });
  canvas.addEventListener("pointerup", () => {
    setTimeout(() => (drag = null));
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("pointerleave", () => hover(graph, -1));
  canvas.addEventListener("click", (event) => {
    if (drag?.moved) return;
    const node = under(graph, event);
    if (node < 0) return;
    if (graph.isFold(node)) graph.unfold(node);
    else graph.select(node, { reveal: false });
  });
  canvas.addEventListener("dblclick", (event) => {
    const node = under(graph, event);
    if (node >= 0 && !graph.isFold(node)) graph.zoomTo(node);
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      // A pinch on a touchpad comes as a wheel with ctrl; without, the page and the rows scroll.
      if (event.ctrlKey || event.metaKey) graph.scaleAt(place(graph, event)[0], WHEEL ** (event.deltaY * (event.deltaMode ? 20 : 1)));
      else if (event.deltaX || event.shiftKey) {
        const by = ((event.deltaX || event.deltaY) / graph.width) * (graph.to - graph.from);
        graph.range(graph.from + by, graph.to + by);
      } else return;
      event.preventDefault();
    },
    { passive: false },
  );
  pinch(graph);
  minimap(graph);
}

function pinch(graph) {
  let last = null;
  const read = ({ touches: [a, b] }) => {
    const box = graph.canvas.getBoundingClientRect();
    return { at: (a.clientX + b.clientX) / 2 - box.left, apart: Math.max(Math.abs(a.clientX - b.clientX), 8) };
  };
  graph.canvas.addEventListener(
    "touchmove",
    (event) => {
      if (event.touches.length !== 2) return;
      event.preventDefault();
      const now = read(event);
      if (last) {
        const by = ((last.at - now.at) / graph.width) * (graph.to - graph.from);
        graph.range(graph.from + by, graph.to + by);
        graph.scaleAt(now.at, last.apart / now.apart);
      }
      last = now;
    },
    { passive: false },
  );
  for (const name of ["touchend", "touchcancel"]) graph.canvas.addEventListener(name, () => (last = null));
}

// A drag on the overview chooses a range, a click moves the one there is.
function minimap(graph) {
  const { map } = graph;
  let begun = null;
  const time = (event) => {
    const [from, to] = graph.everything();
    const width = map.clientWidth || 1;
    return from + (Math.min(Math.max(place(graph, event, map)[0], 0), width) / width) * (to - from);
  };
  map.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    map.setPointerCapture(event.pointerId);
    begun = { at: time(event), x: event.clientX };
  });
  map.addEventListener("pointermove", (event) => {
    if (!begun || Math.abs(event.clientX - begun.x) < 4) return;
    begun.moved = true;
    const now = time(event);
    graph.range(Math.min(begun.at, now), Math.max(begun.at, now));
  });
  map.addEventListener("pointerup", () => {
    if (begun && !begun.moved) {
      const half = (graph.to - graph.from) / 2;
      graph.range(begun.at - half, begun.at + half);
    }
    begun = null;
  });
  map.addEventListener("pointercancel", () => (begun = null));
}

// From a frame to the one above, below, beside; null: that is no such key.
function neighbour(graph, key) {
  const { picture, selected } = graph;
  const { tree, side, byRow, row } = picture;
  if (!["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home"].includes(key)) return null;
  if (selected < 0 || key === "Home") return graph.zoomed && selected < 0 ? graph.zoomed : 0;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const ids = byRow[row[selected]];
    return ids[ids.indexOf(selected) + (key === "ArrowLeft" ? -1 : 1)] ?? selected;
  }
  // Callers are drawn upwards: there the way on is up.
  const onwards = side?.[selected] < 0 ? "ArrowUp" : "ArrowDown";
  if (side && selected === 0 && key === "ArrowUp") return heaviest(tree, callersOf(picture)) ?? selected;
  if (key === onwards) return heaviest(tree, childrenOf(tree, selected)) ?? selected;
  return Math.max(tree.parent[selected], 0);
}

function childrenOf(tree, node) {
  const found = [];
  for (let c = node + 1; c < tree.end[node]; c = tree.end[c]) found.push(c);
  return found;
}

function callersOf({ n, side, tree }) {
  const found = [];
  for (let i = 1; i < n; i++) if (side[i] < 0 && tree.parent[i] === 0) found.push(i);
  return found;
}

function heaviest(tree, nodes) {
  return nodes.length ? nodes.reduce((best, node) => (tree.weight[node] > tree.weight[best] ? node : best)) : null;
}

function keys(graph) {
  graph.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { selected } = graph;
    const to = neighbour(graph, event.key);
    if (to !== null) graph.select(to);
    else if (event.key === "Enter" || event.key === " ") {
      if (graph.isFold(selected)) graph.unfold(selected);
      else if (selected >= 0) graph.zoomTo(selected);
    } else if (event.key === "Backspace" || event.key === "Escape") {
      if (!graph.zoomOut() && event.key === "Escape" && selected >= 0) graph.select(-1);
    } else if (event.key === "n" || event.key === "N") graph.jump(event.key === "n" ? 1 : -1);
    else if (event.key === "+" || event.key === "=") graph.scaleAt(graph.width / 2, 1 / 1.5);
    else if (event.key === "-") graph.scaleAt(graph.width / 2, 1.5);
    else if (event.key === "0") graph.zoomTo(0);
    else if (event.key === "s" && selected > 0 && !graph.isFold(selected)) graph.sandwich(graph.picture.tree.frame[selected]);
    else if (event.key === "/") graph.searchField?.focus();
    else return;
    event.preventDefault();
  });
  graph.canvas.addEventListener("focus", () => {
    if (graph.selected < 0 && graph.canvas.matches(":focus-visible")) graph.select(graph.zoomed || 0, { reveal: false });
  });
}

const LIST = [
  ["↑ · ↓", "to the caller; to the call that took longest"],
  ["← · →", "to the frames beside it"],
  ["Enter", "zoom to the frame, or open what is folded"],
  ["Esc · Backspace", "zoom out"],
  ["+ · - · 0", "zoom in, out, all of it; also Ctrl and the wheel"],
  ["/", "search; n and N: next and previous match"],
  ["s", "callers and callees of the function"],
];

export function flameControl(graph) {
  pointer(graph);
  keys(graph);
}

export function start(offered) {
  kit = offered;
  if (document.querySelector("#flame [data-flame]")) kit.registerKeys?.("flame", LIST);
}
