// Draws the circle of weight directions as SVG. It computes nothing: every number arrives ready
// to draw, in a square [-1, 1]² with y upwards; colours are CSS variables, so that the theme of the page rules.
const SVG = "http://www.w3.org/2000/svg";
const make = (tag, attributes, parent) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return parent.appendChild(node);
};
const point = ([x, y]) => `${x.toFixed(4)} ${(-y).toFixed(4)}`;
const polygons = (list) => list.map((corners) => `M${corners.map(point).join("L")}Z`).join("");

function render({ model, el }) {
  const size = model.get("size");
  const svg = make("svg", { class: "rq-circle", role: "img", width: size, height: size, viewBox: "-1.05 -1.05 2.1 2.1" }, el);
  const dead = make("path", { class: "rq-dead" }, svg);
  const rays = make("path", { class: "rq-rays" }, svg);
  const labels = make("g", { class: "rq-labels" }, svg);
  make("circle", { class: "rq-ring", r: model.get("ring") }, svg);
  const lifeless = make("path", { class: "rq-lifeless" }, svg);
  const positive = make("path", { class: "rq-positive" }, svg);
  const negative = make("path", { class: "rq-negative" }, svg);
  const predicted = make("g", { class: "rq-predicted" }, svg);
  let waiting = false;

  const sectors = () => {
    const picture = model.get("sectors");
    dead.setAttribute("d", picture.dead ? polygons([picture.dead]) : "");
    rays.setAttribute("d", (picture.rays || []).map((ends) => `M${ends.map(point).join("L")}`).join(""));
    labels.replaceChildren();
    for (const { at, text, kind } of picture.labels || []) {
      make("text", { x: at[0], y: -at[1], class: `rq-label-${kind}` }, labels).textContent = text;
    }
  };
  const draw = () => {
    waiting = false;
    const picture = model.get("picture");
    positive.setAttribute("d", polygons(picture.positive || []));
    lifeless.setAttribute("d", polygons(picture.dead || []));
    negative.setAttribute("d", polygons(picture.negative || []));
    predicted.replaceChildren();
    for (const { at, sign, opacity, title } of picture.predicted || []) {
      make("circle", { cx: at[0], cy: -at[1], r: 0.045, class: "rq-halo" }, predicted);
      const ring = make(
        "circle",
        { cx: at[0], cy: -at[1], r: 0.045, "stroke-opacity": opacity, class: sign > 0 ? "rq-plus" : "rq-minus" },
        predicted,
      );
      make("title", {}, ring).textContent = title;
    }
    svg.setAttribute("aria-label", picture.summary || "");
  };
  // Messages may come faster than the screen is painted: only the newest is drawn.
  const ask = () => {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  };
  model.on("change:picture", ask);
  model.on("change:sectors", sectors);
  sectors();
  draw();
  return () => {
    model.off("change:picture", ask);
    model.off("change:sectors", sectors);
  };
}
export default { render };
