// What the mouse does in a band of a bqplot figure, from edge to edge: bqplot reports no end of a hover, and nothing
// of lines with gaps. Places are shares of the plot's width, from the left, and height, from the bottom.

// Milliseconds between reports of a moving mouse, and pixels that a hand may tremble in a click.
const PAUSE = 40;
const STILL = 4;

function render({ model, el }) {
  el.style.display = "none";
  let figure = null;
  let waiting = 0;
  let last = 0;
  let timer = null;
  let over = false;
  let down = null;
  const place = (event) => {
    const plot = figure.querySelector(".plotarea_background").getBoundingClientRect();
    return { x: (event.clientX - plot.left) / plot.width, y: (plot.bottom - event.clientY) / plot.height };
  };
  const inside = ({ x, y }) => {
    const [low, high] = model.get("band");
    return x >= 0 && x <= 1 && y >= low && y <= high;
  };
  // A mouse moves faster than a kernel answers: the newest place is sent after a pause.
  const later = (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      last = performance.now();
      model.send(event);
    }, Math.max(0, last + PAUSE - performance.now()));
  };
  const leave = () => {
    if (over) later({ event: "leave" });
    over = false;
  };
  const moved = (event) => {
    const at = place(event);
    // A point or a pen is on its way through.
    if (event.buttons || !inside(at)) return leave();
    over = true;
    later({ event: "hover", ...at });
  };
  const pressed = (event) => {
    down = event.button === 0 ? [event.clientX, event.clientY] : null;
  };
  const released = (event) => {
    const still = down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) < STILL;
    down = null;
    if (still && inside(place(event))) model.send({ event: "pick", ...place(event) });
  };
  const listeners = { pointermove: moved, pointerleave: leave, pointerdown: pressed, pointerup: released };
  // The parts of a box appear one by one, after this one or before it.
  const attach = () => {
    const found = el.closest(".reluquant")?.querySelector(`.${model.get("figure")}`);
    if (!found?.querySelector(".plotarea_background")) {
      waiting = requestAnimationFrame(attach);
      return;
    }
    figure = found;
    // Before bqplot, which keeps to itself what it makes use of.
    for (const [name, listener] of Object.entries(listeners)) figure.addEventListener(name, listener, true);
  };
  attach();
  return () => {
    cancelAnimationFrame(waiting);
    clearTimeout(timer);
    for (const [name, listener] of Object.entries(listeners)) figure?.removeEventListener(name, listener, true);
  };
}
export default { render };
