// Draws packed panels (see reluquant/views/packed_scene.py) as SVG, and reports what mouse and keyboard do to them.
// It computes nothing: every place arrives in pixels; colours are CSS variables, so that the theme of the page rules.
const SVG = "http://www.w3.org/2000/svg";
const make = (tag, attributes, parent) => {
  const node = document.createElementNS(SVG, tag);
  set(node, attributes);
  return parent ? parent.appendChild(node) : node;
};
const set = (node, attributes) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
};
// Keeps nodes from picture to picture, so that the focus and a running drag survive.
const children = (parent, tag, count) => {
  while (parent.childNodes.length > count) parent.lastChild.remove();
  while (parent.childNodes.length < count) make(tag, {}, parent);
  return [...parent.childNodes];
};
const title = (node, text) => {
  if (!text) return node.replaceChildren();
  if (!node.firstChild) make("title", {}, node);
  if (node.firstChild.textContent !== text) node.firstChild.textContent = text;
};
const SHAPES = {
  disc: (r) => `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`,
  diamond: (r) => `M${-r} 0L0 ${-1.4 * r}L${r} 0L0 ${1.4 * r}Z`,
  square: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
  cross: (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
  up: (r) => `M0 0V${-2 * r}`,
  down: (r) => `M0 0V${2 * r}`,
};
const STROKED = ["cross", "up", "down"];
// A share of the axis that an arrow key moves a point, alone and with Shift; milliseconds between reports of a drag.
const NUDGE = 0.01;
const LARGE_NUDGE = 0.1;
const PAUSE = 40;
// Pixels that an arrow key turns a panel by, alone and with Shift, and those that a hand may tremble in a click.
const TURN = 12;
const LARGE_TURN = 60;
const STILL = 4;

const draw = {
  line(group, mark) {
    const [path] = children(group, "path", 1);
    set(path, {
      d: mark.path, class: `rq-stroke rq-${mark.colour}`, "stroke-width": mark.width,
      "stroke-dasharray": mark.dashed ? "6 4" : null, "stroke-opacity": mark.opacity,
    });
  },
  dots(group, mark, held) {
    const stroked = STROKED.includes(mark.shape);
    set(group, { opacity: mark.opacity });
    children(group, "path", mark.at.length).forEach((path, index) => {
      const [x, y, r] = mark.at[index];
      if (held && held.name === mark.name && held.index === index) return;
      set(path, {
        d: SHAPES[mark.shape](r), transform: `translate(${x} ${y})`,
        class: `${stroked ? "rq-stroke" : mark.hollow ? "rq-hollow" : "rq-full"} rq-${mark.colour}`,
        "stroke-width": stroked || mark.hollow ? 2 : 1.2, "data-name": mark.name || null, "data-index": index,
        "data-movable": mark.movable || null, tabindex: mark.name ? 0 : null, role: mark.name ? "button" : null,
        "aria-label": mark.name ? mark.titles[index] || `${mark.name} ${index + 1}` : null,
      });
      title(path, mark.titles[index]);
    });
  },
  area(group, mark) {
    children(group, "path", mark.paths.length).forEach((path, index) => {
      set(path, {
        d: mark.paths[index], class: `rq-filled rq-${mark.colour}`, "fill-opacity": mark.opacity,
        stroke: mark.edge ? null : "none", "stroke-width": mark.edge, "data-name": mark.name || null,
        "data-index": index,
      });
      title(path, mark.titles[index]);
    });
  },
  label(group, mark) {
    const [text] = children(group, "text", 1);
    set(text, {
      x: mark.at[0], y: mark.at[1], class: `rq-text${mark.halo ? " rq-halo" : ""} rq-${mark.colour}`, "font-size": mark.size,
      "text-anchor": mark.anchor,
    });
    if (text.textContent !== mark.text) text.textContent = mark.text;
  },
  raster(group, mark) {
    const [image] = children(group, "image", 1);
    const [x, y, width, height] = mark.box;
    set(image, { x, y, width, height, href: mark.source, preserveAspectRatio: "none" });
  },
};

// Returns {show(packed), node}; `report(event)` is called with plain values, in data coordinates.
export function scenePanel(parent, report = () => {}) {
  const svg = make("svg", { class: "rq-scene", role: "img" }, parent);
  const clip = make("rect", {}, make("clipPath", { id: `rq-clip-${Math.random().toString(36).slice(2)}` }, make("defs", {}, svg)));
  const ground = make("rect", { class: "rq-ground" }, svg);
  const axes = make("g", { class: "rq-axes" }, svg);
  const plot = make("g", { "clip-path": `url(#${clip.parentNode.id})` }, svg);
  let packed = null;
  let held = null;
  let last = 0;
  let waiting = null;

  const show = (next) => {
    packed = next;
    const [width, height] = packed.size;
    const [left, top, w, h] = packed.plot;
    // Numbered panels that can be touched are more than one picture to a screen reader.
    const touched = packed.clickable || packed.marks.some((mark) => mark.name);
    set(svg, {
      width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": packed.summary,
      role: touched || packed.turnable ? "group" : "img", tabindex: packed.turnable ? 0 : null,
      "data-panel": packed.name, style: `touch-action:${touched || packed.turnable ? "none" : "auto"}`,
    });
    // A mark on the rim is seen whole.
    set(clip, { x: left - 6, y: top - 6, width: w + 12, height: h + 12 });
    set(ground, { x: left, y: top, width: w, height: h });
    const [across, up] = packed.ticks;
    const [x, y, head] = packed.labels;
    const nodes = packed.axes
      ? [
          ["path", { d: `M${left} ${top}V${top + h}H${left + w}`, class: "rq-stroke rq-ink" }],
          ...across.map(([at]) => ["path", { d: `M${at} ${top + h}v4`, class: "rq-stroke rq-ink" }]),
          ...up.map(([at]) => ["path", { d: `M${left} ${at}h-4`, class: "rq-stroke rq-ink" }]),
          ...across.map(([at, text]) => ["text", { x: at, y: top + h + 16, "text-anchor": "middle" }, text]),
          ...up.map(([at, text]) => ["text", { x: left - 7, y: at + 4, "text-anchor": "end" }, text]),
          ["text", { x: left + w / 2, y: height - 5, "text-anchor": "middle" }, x],
          ["text", { transform: `translate(12 ${top + h / 2}) rotate(-90)`, "text-anchor": "middle" }, y],
        ]
      : [];
    nodes.push(["text", { x: left + w / 2, y: 15, "text-anchor": "middle", class: "rq-head" }, head]);
    axes.replaceChildren(
      ...nodes.map(([tag, attributes, text]) => {
        const node = make(tag, { class: tag === "text" ? "rq-tick" : null, ...attributes });
        if (text) node.textContent = text;
        return node;
      }),
    );
    while (plot.childNodes.length > packed.marks.length) plot.lastChild.remove();
    packed.marks.forEach((mark, index) => {
      let group = plot.childNodes[index];
      if (group?.getAttribute("data-kind") !== mark.kind) {
        const fresh = make("g", { "data-kind": mark.kind });
        if (group) group.replaceWith(fresh);
        else plot.appendChild(fresh);
        group = fresh;
      }
      // What the mouse does not feel lets it through to what lies below.
      group.style.pointerEvents = mark.name || mark.titles?.some(Boolean) ? "" : "none";
      draw[mark.kind](group, mark, held);
    });
  };

  // --- the hand ---------------------------------------------------------------------------------------------------
  const pixel = (event) => {
    const box = svg.getBoundingClientRect();
    const [width, height] = packed.size;
    return [((event.clientX - box.left) * width) / box.width, ((event.clientY - box.top) * height) / box.height];
  };
  const data = ([px, py]) => {
    const [left, top, w, h] = packed.plot;
    const [x0, x1] = packed.x;
    const [y0, y1] = packed.y;
    return { x: x0 + ((px - left) / w) * (x1 - x0), y: y1 - ((py - top) / h) * (y1 - y0) };
  };
  const inside = ([px, py]) => {
    const [left, top, w, h] = packed.plot;
    return [Math.min(Math.max(px, left), left + w), Math.min(Math.max(py, top), top + h)];
  };
  const of = (node) => ({ panel: packed.name, name: node.dataset.name, index: Number(node.dataset.index) });
  // Drags come faster than a kernel answers: the newest is sent after a pause, the last one always.
  const later = (event) => {
    clearTimeout(waiting);
    const rest = last + PAUSE - performance.now();
    const send = () => {
      last = performance.now();
      report(event);
    };
    if (rest <= 0) send();
    else waiting = setTimeout(send, rest);
  };
  svg.addEventListener("pointerdown", (event) => {
    const node = event.target.closest("[data-name]");
    const start = pixel(event);
    // A turn may begin on a mark, too: what lies there is picked when the hand has not moved.
    if (node && !(packed.turnable && !node.dataset.movable)) {
      report({ event: "pick", ...of(node), ...data(start) });
      if (node.dataset.movable) held = { node, ...of(node) };
    } else if (packed.turnable || packed.clickable) held = { from: start, travelled: 0, over: node && of(node) };
    if (held) {
      event.preventDefault();
      (node ?? svg).focus({ preventScroll: true });
      svg.setPointerCapture(event.pointerId);
    }
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    const at = inside(pixel(event));
    if (held.node) {
      held.at = at;
      held.node.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      later({ event: "drag", panel: held.panel, name: held.name, index: held.index, ...data(at) });
    } else {
      const [dx, dy] = [at[0] - held.from[0], at[1] - held.from[1]];
      held.travelled += Math.hypot(dx, dy);
      held.from = at;
      if (packed.turnable) {
        held.turn = [(held.turn?.[0] ?? 0) + dx, (held.turn?.[1] ?? 0) + dy];
        if (performance.now() - last > PAUSE) {
          last = performance.now();
          report({ event: "turn", panel: packed.name, dx: held.turn[0], dy: held.turn[1] });
          held.turn = [0, 0];
        }
      } else later({ event: "stroke", panel: packed.name, ...data(at) });
    }
  });
  const release = (event) => {
    if (!held) return;
    const done = held;
    held = null;
    clearTimeout(waiting);
    if (done.node) {
      // A place that is refused is not drawn anew: then the mark returns to where it was.
      setTimeout(() => held || show(packed), 400);
      if (done.at) report({ event: "drop", panel: done.panel, name: done.name, index: done.index, ...data(done.at) });
    } else if (packed.turnable) {
      if (done.turn) report({ event: "turn", panel: packed.name, dx: done.turn[0], dy: done.turn[1] });
      if (done.travelled < STILL) {
        const at = data(inside(pixel(event)));
        if (done.over) report({ event: "pick", ...done.over, ...at });
        else if (packed.clickable) report({ event: "click", panel: packed.name, ...at });
      }
    } else if (done.travelled < STILL) report({ event: "click", panel: packed.name, ...data(inside(pixel(event))) });
    else report({ event: "stroked", panel: packed.name, ...data(inside(pixel(event))) });
  };
  svg.addEventListener("pointerup", release);
  svg.addEventListener("pointercancel", release);
  svg.addEventListener("pointerover", (event) => {
    const node = event.target.closest("[data-name]");
    if (node && !held) report({ event: "hover", ...of(node), ...data(inside(pixel(event))) });
  });
  svg.addEventListener("pointerout", (event) => {
    if (event.target.closest("[data-name]") && !held) report({ event: "leave", panel: packed.name });
  });
  // Without Ctrl the page scrolls; spreading two fingers on a pad comes as a wheel with Ctrl.
  let wheeled = 0;
  let turning = null;
  svg.addEventListener(
    "wheel",
    (event) => {
      if (!packed?.zoomable || !event.ctrlKey) return;
      event.preventDefault();
      const at = data(inside(pixel(event)));
      // Lines, as some mice count, have about 16 pixels.
      wheeled -= event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      turning ??= setTimeout(() => {
        report({ event: "wheel", panel: packed.name, pixels: wheeled, ...at });
        [wheeled, turning] = [0, null];
      }, PAUSE);
    },
    { passive: false },
  );
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  // Jupyter's shortcuts would take the keys; Lumino leaves them to an element with this attribute.
  svg.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  svg.addEventListener("keydown", (event) => {
    const node = event.target.closest("[data-name]");
    const arrow = ARROWS[event.key];
    if (arrow && packed.turnable && !node?.dataset.movable) {
      const step = event.shiftKey ? LARGE_TURN : TURN;
      report({ event: "turn", panel: packed.name, dx: arrow[0] * step, dy: -arrow[1] * step });
    } else if (!node) return;
    else if (arrow && node.dataset.movable) {
      const share = event.shiftKey ? LARGE_NUDGE : NUDGE;
      const [x0, x1] = packed.x;
      const [y0, y1] = packed.y;
      report({ event: "nudge", ...of(node), dx: arrow[0] * share * (x1 - x0), dy: arrow[1] * share * (y1 - y0) });
    } else if (event.key === "Delete" || event.key === "Backspace") report({ event: "delete", ...of(node) });
    else if (event.key === "Enter" || event.key === " ") report({ event: "pick", ...of(node) });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { show, node: svg };
}

// The legend as one line of swatches.
export function legend(parent, entries) {
  parent.replaceChildren(
    ...entries.map(({ label, kind, colour, dashed, shape, hollow, width, opacity, radius }) => {
      const span = document.createElement("span");
      const svg = make("svg", { width: 22, height: 14, viewBox: "0 0 22 14", "aria-hidden": "true" }, span);
      if (kind === "line") {
        draw.line(svg, { path: "M1 7H21", colour, dashed, width: Math.min(width, 3), opacity });
      } else if (kind === "area") {
        set(make("rect", { x: 2, y: 2, width: 18, height: 10 }, svg), { class: `rq-filled rq-${colour}`, "fill-opacity": opacity });
      } else {
        const up = shape === "up" ? 12 : shape === "down" ? 2 : 7;
        draw.dots(svg, { at: [[11, up, radius]], shape, colour, hollow, opacity: 1, name: "", titles: [] });
      }
      span.append(` ${label}`);
      return span;
    }),
  );
}

// A whole scene: rows of panels above a legend.
export function sceneView(parent, report) {
  const rows = document.createElement("div");
  const names = document.createElement("div");
  names.className = "rq-legend";
  parent.append(rows, names);
  let panels = new Map();
  let arranged = "";
  let swatches = "";
  const show = (scene) => {
    const order = JSON.stringify(scene.rows.map((row) => row.map((panel) => panel.name)));
    if (order !== arranged) {
      arranged = order;
      panels = new Map();
      rows.replaceChildren(
        ...scene.rows.map((row) => {
          const div = document.createElement("div");
          div.className = "rq-row";
          for (const panel of row) panels.set(panel.name, scenePanel(div, report));
          return div;
        }),
      );
    }
    for (const row of scene.rows) for (const panel of row) panels.get(panel.name).show(panel);
    const entries = JSON.stringify(scene.legend);
    if (entries !== swatches) {
      swatches = entries;
      legend(names, scene.legend);
    }
  };
  return { show };
}

function render({ model, el }) {
  const view = sceneView(el, (event) => model.send(event));
  let waiting = false;
  const draw = () => {
    waiting = false;
    const scene = model.get("scene");
    if (scene.rows) view.show(scene);
  };
  // Messages may come faster than the screen is painted: only the newest is drawn.
  const ask = () => {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  };
  model.on("change:scene", ask);
  draw();
  return () => model.off("change:scene", ask);
}
export default { render };
