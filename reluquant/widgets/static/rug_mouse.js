// Where the mouse is on the strip of kinks at the bottom of a bqplot figure, which reports no end of a hover itself.

// A press that moves further than this is a drag of something else.
const STILL = 4;

function render({ model, el }) {
  let root = null;
  let figure = null;
  let waiting = 0;
  let told = false;
  let pressed = null;
  let frame = 0;

  // The place of the mouse as shares of the plot, x from the left and y from the bottom; null off the strip.
  const place = (event) => {
    const plot = figure.querySelector(".plotarea_background")?.getBoundingClientRect();
    if (!plot?.width) return null;
    const x = (event.clientX - plot.left) / plot.width;
    const y = (plot.bottom - event.clientY) / plot.height;
    const [low, high] = model.get("strip");
    return x >= 0 && x <= 1 && y >= low && y <= high ? { x, y, width: plot.width } : null;
  };
  const leave = () => {
    cancelAnimationFrame(frame);
    if (told) model.send({ event: "leave" });
    told = false;
  };
  const move = (event) => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      const at = event.buttons ? null : place(event);
      if (!at) return leave();
      told = true;
      model.send({ event: "hover", ...at });
    });
  };
  const press = (event) => (pressed = [event.clientX, event.clientY]);
  const click = (event) => {
    const still = pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) <= STILL;
    const at = still && place(event);
    if (at) model.send({ event: "pick", ...at });
  };

  const attach = () => {
    root = root ?? el.closest(`.${model.get("inside")}`);
    figure = root?.querySelector(".bqplot");
    if (!figure) {
      waiting = requestAnimationFrame(attach);
      return;
    }
    figure.addEventListener("pointermove", move);
    figure.addEventListener("pointerleave", leave);
    figure.addEventListener("pointerdown", press, true);
    figure.addEventListener("click", click, true);
  };
  attach();
  el.style.display = "none";
  return () => {
    cancelAnimationFrame(waiting);
    cancelAnimationFrame(frame);
    figure?.removeEventListener("pointermove", move);
    figure?.removeEventListener("pointerleave", leave);
    figure?.removeEventListener("pointerdown", press, true);
    figure?.removeEventListener("click", click, true);
  };
}
export default { render };
