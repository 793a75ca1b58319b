// The canvases of a flame graph: their size, their colours, when they are drawn.

let kit;
const MAP = 44;
const REST = 120;

// Methods of FlameGraph.
export const flameCanvas = {
  attach({ canvas, map, scroll, space, probe }) {
    Object.assign(this, { canvas, map, scroll, space, probe });
    this.recolour();
    new ResizeObserver(() => this.resize()).observe(scroll.parentElement);
    scroll.addEventListener("scroll", () => this.draw());
    const themed = () => {
      this.recolour();
      this.draw();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);
    new MutationObserver(themed).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    document.addEventListener("hotpath:theme", themed);
    document.addEventListener("hotpath:layer", () => this.draw());
    addEventListener("resize", () => this.resize());
  },

  recolour() {
    this.colours = kit.flamePainter.palette(this.probe, this.F.layers);
  },

  resize() {
    if (!this.canvas || !this.picture) return;
    const width = this.scroll.parentElement.clientWidth;
    if (!width) return;
    const { ROW, RULER } = kit.flamePainter;
    const content = this.picture.rows * ROW + RULER + 1;
    const most = this.options.height ?? Math.min(Math.max(innerHeight * 0.6, 260), 1000);
    this.height = Math.max(Math.min(content, most), 120);
    this.scroll.style.height = `${this.height}px`;
    this.space.style.height = `${Math.max(content - this.height, 0)}px`;
    // A scroll bar takes its part of the width.
    this.width = this.scroll.clientWidth;
    for (const [canvas, w, h] of [[this.canvas, this.width, this.height], [this.map, width, MAP]]) {
      const ratio = devicePixelRatio || 1;
      canvas.style.width = `${w}px`;
      canvas.style.height = `${h}px`;
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    this.paint();
  },

  draw() {
    if (this.pending || !this.canvas) return;
    this.pending = requestAnimationFrame(() => this.paint());
  },

  view() {
    const { ROW } = kit.flamePainter;
    return {
      from: this.from, to: this.to, top: this.scroll.scrollTop, width: this.width, height: this.height - kit.flamePainter.RULER, row: ROW, text: true,
      colours: this.colours, fills: this.fills, hits: this.hits, dims: this.dims(), diff: this.diff,
      selected: this.selected, hover: this.hover, zero: this.picture.left, rootName: this.nameOf(0),
      figure: (node) => this.figure(node),
    };
  },

  figure(node) {
    const { tree } = this.picture;
    if (!this.diff) return `${kit.ms(tree.total[node])} · ${kit.percent(tree.total[node] / this.total)}`;
    const change = tree.total[node] - tree.total0[node];
    return `${change > 0 ? "+" : ""}${kit.ms(change)}`;
  },

  paint() {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    if (!this.width || !this.picture) return;
    const { flamePainter, ms } = kit;
    const { RULER } = flamePainter;
    const ctx = this.canvas.getContext("2d", { alpha: false });
    const ratio = devicePixelRatio || 1;
    const { colours } = this;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = colours.surface;
    ctx.fillRect(0, 0, this.width, this.height);
    ctx.translate(0, RULER);
    const view = this.view();
    this.bars = flamePainter.paint(ctx, this.picture, view);
    ctx.translate(0, -RULER);
    ctx.fillStyle = colours.surface;
    ctx.fillRect(0, 0, this.width, RULER);
    flamePainter.ruler(ctx, view, (at, every) => (every < 0.01 ? `${kit.decimal(at * 1000, every < 0.001 ? 2 : 0)} µs` : ms(at)));
    this.overview(ratio);
  },

  // The whole picture, small: it is the same wherever the reader is, so it is kept. What a search
  // finds shows in it when the typing rests: drawing it takes as long as the graph itself.
  small(ratio, row) {
    const { colours, picture, fills, hits } = this;
    const dims = this.dims();
    const made = [picture, colours, fills, ratio, this.map.width, hits, String(dims)];
    const same = (part, i) => part === made[i];
    if (this.kept?.made.every(same)) return this.kept.canvas;
    clearTimeout(this.later);
    if (!this.due && this.kept?.made.slice(0, 5).every(same)) {
      this.later = setTimeout(() => {
        this.due = true;
        this.overview(ratio);
        this.due = false;
      }, REST);
      return this.kept.canvas;
    }
    const canvas = this.kept?.canvas ?? document.createElement("canvas");
    this.kept = { canvas, made };
    canvas.width = this.map.width;
    canvas.height = this.map.height;
    const ctx = canvas.getContext("2d", { alpha: false });
    const width = canvas.width / ratio;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = colours.sunken;
    ctx.fillRect(0, 0, width, MAP);
    const [from, to] = this.everything();
    kit.flamePainter.paint(ctx, picture, {
      from, to, top: 0, width, height: MAP, row, text: false, least: 2, colours, fills, hits, dims, diff: this.diff,
    });
    return canvas;
  },

  // The whole picture with what of it is in sight.
  overview(ratio) {
    const { colours, picture } = this;
    const ctx = this.map.getContext("2d", { alpha: false });
    const width = this.map.width / ratio;
    const [from, to] = this.everything();
    const row = Math.min(MAP / Math.max(picture.rows, 1), 6);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    if (this.map.width && this.map.height) ctx.drawImage(this.small(ratio, row), 0, 0);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { ROW, RULER } = kit.flamePainter;
    const left = ((this.from - from) / (to - from)) * width;
    const right = ((this.to - from) / (to - from)) * width;
    const top = (this.scroll.scrollTop / ROW) * row;
    const bottom = Math.min(((this.scroll.scrollTop + this.height - RULER) / ROW) * row, MAP);
    ctx.globalAlpha = 0.55;
    ctx.fillStyle = colours.surface;
    ctx.fillRect(0, 0, left, MAP);
    ctx.fillRect(right, 0, width - right, MAP);
    ctx.fillRect(left, 0, right - left, top);
    ctx.fillRect(left, bottom, right - left, MAP - bottom);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colours.quiet;
    ctx.strokeRect(left + 0.5, top + 0.5, Math.max(right - left - 1, 1), Math.max(bottom - top - 1, 1));
  },
};

export function start(offered) {
  kit = offered;
  Object.assign(kit.FlameGraph.prototype, flameCanvas);
}
